/*
 * All headlines of one template: locations × niches × spintax, as one numbered space. The location
 * is the outer loop, then the niche; the template's combinations restart for each. A number is a
 * cursor: the campaign stores it, and the next run starts there. Pure; belongs to one fiber.
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
    uint32_t location_count; /* 0: once, without a location */
    const Str *niches;       /* the values of {{NICHE}} */
    uint32_t niche_count;    /* 0: once, with NICHE from `vars` */
    bool skips_lacking;      /* for patterns: skip places that lack a value the formula uses */
};

struct headline {
    Str text;          /* normalised white space, NFC */
    Sha256 text_hash;  /* of `text` */
    uint32_t location; /* index in the spec; 0: none */
    uint32_t niche;
    const Str *unresolved; /* unknown variables, left as they are in the text */
    uint32_t unresolved_count;
};

struct headlines;

/* ERR_INVALID_PAYLOAD: exceeds a limit above. The spec's arrays must outlive the result, which
 * lives in ctx->arena. */
Err headlines_make(struct ctx *ctx, const struct headline_spec *spec, struct headlines **ret);

/* The same in steps, for callers that must yield in between: counting a large template takes long
 * at each location. False when all are counted. */
Err headlines_begin(struct ctx *ctx, const struct headline_spec *spec, struct headlines **ret);
bool headlines_count_next(struct ctx *ctx, struct headlines *headlines);

/* Saturates at UINT64_MAX. */
uint64_t headlines_count(const struct headlines *headlines);

/* Texts of the template at the first location with headlines; 0 if there is none. */
uint64_t headlines_texts(const struct headlines *headlines);

/* Choices in the template, including dictionaries. */
uint32_t headlines_slots(const struct headlines *headlines);

/* Locations with headlines. */
uint32_t headlines_location_count(const struct headlines *headlines);

/* Headline number `index` < count, in ctx->arena. ERR_TOO_LARGE: longer than HEADLINE_MAX bytes. */
enum { HEADLINE_MAX = 4096 };
Err headline_at(struct ctx *ctx, struct headlines *headlines, uint64_t index, struct headline *ret);
