/*
 * Assembles one article from a library: one fragment for each slot of the structure, none twice,
 * the least used first; then unused fragments of types in the structure until the target is
 * reached. The same library, request and seed give the same article. Pure.
 *
 * Modules differ in two ways: of equally used ones the first by id is taken, and no extra ones are
 * added to the recipe.
 */
#pragma once

#include "base/crypto/crypto.h"
#include "factory/library/library.h"
#include "io/fiber/fiber.h"

enum assembly_path { PATH_FRAGMENTS /* and blocks */, PATH_MODULES };

struct article_request {
    enum assembly_path path;
    Uuid campaign;
    Sha256 headline_hash;
    const struct spin_vars *vars;          /* precedence: location, year, niche, dictionaries */
    const struct grammar_variant *variant; /* NULL: neutral */
    const uint32_t *usage;                 /* by fragment index, NULL: all zero */
    uint32_t target_words;                 /* 0: the structure once, no extra fragments */
};

enum word_count_status { WORDS_OPTIMAL, WORDS_UNDER_TARGET };
Str word_count_status_name(enum word_count_status status); /* "optimal", "under_target" */

struct assembly {
    Str html; /* fragments joined by a blank line */
    uint32_t words;
    enum word_count_status words_status;
    const uint32_t *fragments; /* indexes in the library, in order */
    uint32_t fragment_count;
    uint32_t empty_slots;  /* slots for which the library had no free fragment */
    const Str *unresolved; /* unknown variables, left as they are in the text */
    uint32_t unresolved_count;
    Str choices;            /* four bytes each, least significant first */
    Sha256 generation_hash; /* of campaign, headline, fragments in order, choices */
};

/* The result lives in ctx->arena. ERR_TOO_LARGE: longer than SPIN_OUTPUT_MAX. ERR_CONFLICT: no slot
 * can be filled. */
fiber_fn Err article_assemble(struct ctx *ctx, const struct library *library,
                              const struct article_request *request, Random *random,
                              struct assembly *ret);

/* Increments usage[i] for each fragment of the article. */
void article_count_usage(const struct assembly *assembly, uint32_t *usage);
/* The inverse, for an article that was not stored. */
void article_uncount_usage(const struct assembly *assembly, uint32_t *usage);
