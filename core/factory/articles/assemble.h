/*
 * One article from a library: a fragment for each slot of the structure, none twice, the least used
 * first; then unused fragments of types that the structure has, until the target is met. The same
 * library, request and seed give the same article. Pure.
 *
 * Modules differ in two ways: among equals the first by id is taken, and a recipe is followed as it
 * is, without filling up.
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
    const struct spin_vars *vars;          /* location over year over niche over dictionaries */
    const struct grammar_variant *variant; /* NULL: neutral */
    const uint32_t *usage;                 /* by fragment index, NULL: all alike */
    uint32_t target_words;                 /* 0: the structure once, no more */
};

enum word_count_status { WORDS_OPTIMAL, WORDS_UNDER_TARGET };
Str word_count_status_name(enum word_count_status status); /* "optimal", "under_target" */

struct assembly {
    Str html; /* fragments joined by a blank line */
    uint32_t words;
    enum word_count_status words_status;
    const uint32_t *fragments; /* indexes in the library, in order */
    uint32_t fragment_count;
    uint32_t empty_slots;  /* of the structure: the library had nothing left for them */
    const Str *unresolved; /* names left as they were written */
    uint32_t unresolved_count;
    Str choices;            /* four bytes each, least significant first */
    Sha256 generation_hash; /* of campaign, headline, fragments in order, choices */
};

/* In ctx->arena. ERR_TOO_LARGE beyond SPIN_OUTPUT_MAX, ERR_CONFLICT when no slot can be filled. */
fiber_fn Err article_assemble(struct ctx *ctx, const struct library *library,
                              const struct article_request *request, Random *random,
                              struct assembly *ret);

/* usage[i] + 1 for each fragment of the article. */
void article_count_usage(const struct assembly *assembly, uint32_t *usage);
/* An article that was not stored after all. */
void article_uncount_usage(const struct assembly *assembly, uint32_t *usage);
