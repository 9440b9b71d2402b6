/*
 * Hex, base64url and random text: the part of crypto.h that needs no library.
 */
#include "base/crypto/crypto.h"
#include "base/memory/arena.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

Str hex_text(struct arena *arena, const void *bytes, size_t len)
{
    static const char HEX[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    char *text = arena_alloc_raw(arena, 2 * len);
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = HEX[from[i] >> 4];
        text[2 * i + 1] = HEX[from[i] & 15];
    }
    return str_of(text, 2 * len);
}

Str base64url(struct arena *arena, Str data)
{
    size_t len = data.len / 3 * 4 + (data.len % 3 > 0 ? data.len % 3 + 1 : 0);
    char *text = arena_alloc_raw(arena, len);
    uint32_t bits = 0;
    unsigned held = 0;
    size_t at = 0;
    for (size_t i = 0; i < data.len; i++) {
        bits = bits << 8 | (uint8_t)data.data[i];
        for (held += 8; held >= 6; held -= 6)
            text[at++] = ALPHABET[bits >> (held - 6) & 63];
    }
    if (held > 0)
        text[at++] = ALPHABET[bits << (6 - held) & 63];
    return str_of(text, at);
}

static int base64url_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool base64url_decode(struct arena *arena, Str text, Str *ret)
{
    if (text.len % 4 == 1)
        return false;
    char *data = arena_alloc_raw(arena, text.len / 4 * 3 + 2);
    uint32_t bits = 0;
    unsigned held = 0;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64url_value(text.data[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            data[len++] = (char)(uint8_t)(bits >> held);
        }
    }
    /* Unused bits must be zero, so that every text has exactly one encoding. */
    if ((bits & ((UINT32_C(1) << held) - 1)) != 0)
        return false;
    *ret = str_of(data, len);
    return true;
}

Str random_token(struct arena *arena, size_t len)
{
    char *text = arena_alloc_raw(arena, len);
    random_bytes(text, len);
    for (size_t i = 0; i < len; i++)
        text[i] = ALPHABET[(uint8_t)text[i] & 63];
    return str_of(text, len);
}
