/*
 * Turns a text into a set of numbers: its words in lower case without accents and punctuation,
 * every sequence of seven words hashed to 64 bits. The similarity of two texts is that of their
 * sets.
 *
 * Values that a campaign fills in (city, niche …) are masked: all count as the same word, so that
 * two articles that differ only in the city have equal sets. After that, words of one or two
 * letters are dropped. Every tag separates words; character references are decoded.
 *
 * Hashes must be the same on every machine and in every version, because signatures are stored.
 * Changing the hash requires raising SHINGLE_VERSION; then the signatures are computed again.
 *
 * Memory: all in the given arena, about 24 bytes per word and 24 per shingle. Pure.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/text/str.h"

enum {
    SHINGLE_VERSION = 1,
    SHINGLE_WORDS = 7,
    SHINGLE_WORDS_MIN = 3,
    SHINGLE_WORDS_MAX = 12,
    SHINGLE_TEXT_WORDS_MAX = 100 * 1000, /* per text; the rest is ignored */
    MASKS_MAX = 256,                     /* per layer; further values are ignored */
    MASK_WORDS_MAX = 8,                  /* a longer value is treated as text and not masked */
};

struct json;

/* Values that are masked: a layer (an article's location) over another (its campaign). */
struct shingle_masks;
struct shingle_masks *shingle_masks_make(struct arena *arena, const struct shingle_masks *below);
void shingle_masks_add(struct shingle_masks *masks, Str value);
/* Adds every text in a JSON object: strings, lists separated by pipes, arrays of strings. */
void shingle_masks_add_json(struct shingle_masks *masks, const struct json *variables);

struct shingle_word {
    uint64_t hash;
    uint32_t start; /* byte offset in the text */
    uint32_t len;
    uint32_t letters;
};

struct shingle_set {
    const uint64_t *hashes; /* without duplicates, in the order of the text */
    const uint32_t *firsts; /* the first word of each */
    uint32_t count;
    uint32_t size;         /* words per shingle */
    const uint64_t *table; /* hash table of the same hashes */
    uint64_t table_mask;
    Str text; /* normalised, single spaces; the source of examples */
    const struct shingle_word *words;
    uint32_t word_count;
};

/* A text with fewer words than `size` is one shingle; one without words has none. `masks` may be
 * NULL. */
struct shingle_set shingle_set_make(struct arena *arena, Str html,
                                    const struct shingle_masks *masks, uint32_t size);
bool shingle_set_has(const struct shingle_set *set, uint64_t hash);

struct shingle_match {
    uint32_t shared;
    double jaccard;     /* shared / all */
    double containment; /* shared / smaller set */
};
struct shingle_match shingle_sets_match(const struct shingle_set *a, const struct shingle_set *b);

/* The longest passages that both texts contain, at most `max`, joined by " | ", in the arena. */
Str shingle_examples(struct arena *arena, const struct shingle_set *a, const struct shingle_set *b,
                     uint32_t max);
