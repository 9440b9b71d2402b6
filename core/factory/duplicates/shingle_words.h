/*
 * The words of a text: parsed from HTML, masked, short ones dropped. Private to shingle*.c.
 */
#pragma once

#include "factory/duplicates/shingle.h"

struct shingle_words {
    Str text; /* all words, including masked and short ones, separated by single spaces */
    struct shingle_word *list;
    uint32_t count;
};

struct shingle_words shingle_words_read(struct arena *arena, Str html,
                                        const struct shingle_masks *masks);

/* Mixes the bits: each input bit changes about half of the output bits. */
static inline uint64_t shingle_mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xFF51AFD7ED558CCD);
    x ^= x >> 33;
    x *= UINT64_C(0xC4CEB9FE1A85EC53);
    return x ^ (x >> 33);
}
