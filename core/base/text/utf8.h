/*
 * One step of UTF-8, shared by the scanners of this layer. No state, nothing waits.
 */
#pragma once

#include "base/text/str.h"

/* Length (1–4) of the valid sequence at s[0], at most `len` bytes long; 0 if invalid. Overlong
 * forms, surrogates and code points above U+10FFFF are invalid. */
static inline size_t utf8_step(const unsigned char *s, size_t len)
{
    if (len == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xC2 || s[0] > 0xF4)
        return 0;
    if (len < 2 || (s[1] & 0xC0) != 0x80)
        return 0;
    if (s[0] < 0xE0)
        return 2;
    if (len < 3 || (s[2] & 0xC0) != 0x80)
        return 0;
    if (s[0] < 0xF0) {
        bool is_overlong = s[0] == 0xE0 && s[1] < 0xA0;
        bool is_surrogate = s[0] == 0xED && s[1] > 0x9F;
        return is_overlong || is_surrogate ? 0 : 3;
    }
    if (len < 4 || (s[3] & 0xC0) != 0x80)
        return 0;
    if ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
        return 0;
    return 4;
}

/* Loads eight bytes in native byte order. */
static inline uint64_t utf8_load8(const void *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

#define UTF8_HIGH_BITS UINT64_C(0x8080808080808080)
