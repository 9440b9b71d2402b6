/*
 * All headlines of a campaign as one numbered space. Its sources are the campaign's template, or
 * one for each formula of its patterns in the order of their keys; their numbers are consecutive.
 */
#pragma once

#include "factory/headlines/headline_store.h"
#include "factory/headlines/headlines.h"

struct headline_source {
    struct headline_origin origin; /* its description in responses */
    struct headlines *headlines;
    uint64_t first; /* the number of headlines before its own */
};

struct headline_space {
    const struct campaign *campaign;
    struct headline_source *sources;
    uint32_t source_count;
    struct place_list places;
    const Str *niches;
    uint32_t niche_count;
    uint64_t total;
    bool is_of_campaign; /* defined by the campaign itself, so its cursor applies */
};

/* ERR_INVALID_SPINTAX, ERR_FAILED_VALIDATION (no template, no such pattern, no places). */
fiber_fn Err headline_space_open(struct ctx *ctx, const struct campaign *campaign,
                                 const struct headline_run *wanted, struct headline_space *ret);
struct headline_numbers headline_space_numbers(struct ctx *ctx, const struct headline_space *space);

/* The source of number `index` < total. */
const struct headline_source *headline_space_at(const struct headline_space *space, uint64_t index);

/* headline_patterns.c: fills sources, places and niches. `keys` empty: all patterns. */
fiber_fn Err headline_patterns_open(struct ctx *ctx, const struct spin_vars *vars, const Str *keys,
                                    uint32_t key_count, struct headline_space *space);
/* Adds a source: `spec` with the formula as its template. */
fiber_fn Err headline_space_add(struct ctx *ctx, struct headline_space *space,
                                const struct headline_spec *spec, Str pattern, Str id, Str formula);
