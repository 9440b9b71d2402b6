/*
 * All headlines of one template: locations × niches × spintax, as one numbered space. The location
 * is the outer loop, then the niche, and the template's odometer restarts for each. A number is a
 * cursor: stored by the campaign, it says where the next run begins. Pure; belongs to one fiber.
 */
#pragma once

#include "base/crypto/crypto.h"
#include "base/system/err.h"
#include "factory/library/library.h"
#include "factory/spin/spin.h"

enum { HEADLINE_LOCATIONS_MAX = 100000, HEADLINE_NICHES_MAX = 10000 };

struct headline_spec {
    const struct spin *spin;
    const struct spin_vars *vars; /* niche variables over dictionaries; may be NULL */
    const struct geo_location *locations;
    uint32_t location_count; /* 0: once, without a place */
    const Str *niches;       /* what {{NICHE}} runs over */
    uint32_t niche_count;    /* 0: once, NICHE as `vars` has it */
    bool skips_lacking;      /* Cartesian patterns: no place that lacks what the formula names */
};

struct headline {
    Str text;          /* normalised: white space, NFC */
    Sha256 text_hash;  /* of `text` */
    uint32_t location; /* index in the spec; 0 if it has none */
    uint32_t niche;
    const Str *unresolved; /* names left as they were written */
    uint32_t unresolved_count;
};

struct headlines;

/* ERR_INVALID_PAYLOAD beyond the limits above. The spec's arrays must outlive the result, which
 * lives in ctx->arena. */
Err headlines_make(struct ctx *ctx, const struct headline_spec *spec, struct headlines **ret);

/* The same in steps, for callers that let others in between: a large template takes its time at
 * each location. False when all are counted. */
Err headlines_begin(struct ctx *ctx, const struct headline_spec *spec, struct headlines **ret);
bool headlines_count_next(struct ctx *ctx, struct headlines *headlines);

/* Not more than UINT64_MAX. */
uint64_t headlines_count(const struct headlines *headlines);

/* Texts of the template alone, at the first location that takes part; 0 if none does. */
uint64_t headlines_texts(const struct headlines *headlines);

/* Choices in the template, dictionaries included. */
uint32_t headlines_slots(const struct headlines *headlines);

/* Locations that take part. */
uint32_t headlines_location_count(const struct headlines *headlines);

/* Headline number `index` < count, in ctx->arena. ERR_TOO_LARGE when it passes HEADLINE_MAX bytes.
 */
enum { HEADLINE_MAX = 4096 };
Err headline_at(struct ctx *ctx, struct headlines *headlines, uint64_t index, struct headline *ret);
