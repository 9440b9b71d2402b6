/*
 * The words that shingles are made of: read from HTML, masked, the short ones left out. Private to
 * shingle*.c.
 */
#pragma once

#include "factory/duplicates/shingle.h"

struct shingle_words {
    Str text; /* all words, masked and short ones too, between single spaces */
    struct shingle_word *list;
    uint32_t count;
};

struct shingle_words shingle_words_read(struct arena *arena, Str html,
                                        const struct shingle_masks *masks);

/* Every bit of the input changes half of the bits that come out. */
static inline uint64_t shingle_mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xFF51AFD7ED558CCD);
    x ^= x >> 33;
    x *= UINT64_C(0xC4CEB9FE1A85EC53);
    return x ^ (x >> 33);
}
