/*
 * What a text says, as a set of numbers: its words in lower case without accents and punctuation,
 * every run of seven of them hashed to 64 bits. Two texts are as much alike as their sets are.
 *
 * What a campaign fills in (city, niche …) is masked: all of it counts as one and the same word, so
 * that two articles that differ in the city alone have equal sets. Words of one or two letters are
 * left out after that. Every tag is a gap, references are decoded.
 *
 * Hashes are the same on every machine and for ever: they are stored (as signatures). Whoever
 * changes what a hash is made of raises SHINGLE_VERSION, and the stored ones are made again.
 *
 * Memory: all of it in the arena given, about 24 bytes a word and 24 a shingle. Pure.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/text/str.h"

enum {
    SHINGLE_VERSION = 1,
    SHINGLE_WORDS = 7,
    SHINGLE_WORDS_MIN = 3,
    SHINGLE_WORDS_MAX = 12,
    SHINGLE_TEXT_WORDS_MAX = 100 * 1000, /* of one text; what follows is not looked at */
    MASKS_MAX = 256,                     /* of one layer; further values are left out */
    MASK_WORDS_MAX = 8,                  /* a longer value is no name but text */
};

struct json;

/* Values that stand for a variable: a layer (an article's place) over another (its campaign). */
struct shingle_masks;
struct shingle_masks *shingle_masks_make(struct arena *arena, const struct shingle_masks *below);
void shingle_masks_add(struct shingle_masks *masks, Str value);
/* Every text in a JSON object: strings, lists in pipes, arrays of strings. */
void shingle_masks_add_json(struct shingle_masks *masks, const struct json *variables);

struct shingle_word {
    uint64_t hash;
    uint32_t start; /* in the text */
    uint32_t len;
    uint32_t letters;
};

struct shingle_set {
    const uint64_t *hashes; /* each once, in the order of the text */
    const uint32_t *firsts; /* the word that each begins with */
    uint32_t count;
    uint32_t size;         /* words a shingle */
    const uint64_t *table; /* the hashes again, for looking up */
    uint64_t table_mask;
    Str text; /* normalised, single spaces: what examples are cut from */
    const struct shingle_word *words;
    uint32_t word_count;
};

/* A text of fewer words than `size` is one shingle; one without words has none. NULL masks: none.
 */
struct shingle_set shingle_set_make(struct arena *arena, Str html,
                                    const struct shingle_masks *masks, uint32_t size);
bool shingle_set_has(const struct shingle_set *set, uint64_t hash);

struct shingle_match {
    uint32_t shared;
    double jaccard;     /* shared of all */
    double containment; /* shared of the smaller set */
};
struct shingle_match shingle_sets_match(const struct shingle_set *a, const struct shingle_set *b);

/* The longest passages that both have, at most `max`, joined by " | ", in the arena. */
Str shingle_examples(struct arena *arena, const struct shingle_set *a, const struct shingle_set *b,
                     uint32_t max);
