/*
 * Makes a draft from a headline and a plan: every column of the future article, in the caller's
 * arena. Pure. The same plan, headline, attempt and usage counts give the same draft.
 */
#pragma once

#include "factory/articles/article_plan.h"
#include "factory/articles/assemble.h"
#include "io/fiber/fiber.h"

enum { ARTICLE_TITLE_MAX = 255 /* characters of the column */ };

struct claimed_headline {
    Uuid id; /* nil: the article has a title but no headline */
    Str title;
    Str text_hash;  /* hex */
    Str location;   /* JSON; STR_NONE: none */
    uint32_t place; /* index of the article in its request */
};

struct article_draft {
    Uuid id;
    struct claimed_headline headline;
    struct assembly assembly;
    struct geo_location location;
    Str title;
    Str slug_base;
    Str slug;
    Str meta_title;
    Str meta_description;
    Str svg;
    Str alt;
    Str schema_json;
    Str provenance;
};

struct draft_request {
    const struct article_plan *plan;
    struct claimed_headline headline;
    const struct place_list *places; /* for headlines without a location; may be NULL */
    const uint32_t *usage;           /* by fragment index; NULL: all zero */
    int64_t now_us;                  /* the date that the text uses */
    uint64_t seed;                   /* 0: derived from the headline's id and the attempt */
    uint32_t attempt;                /* a higher one gives another text for the same headline */
};

/* The variables for titles and texts: location over date over those of the plan. */
const struct spin_vars *article_vars(struct ctx *ctx, const struct article_plan *plan,
                                     const struct geo_location *location, int64_t publish_us);

/* ERR_CONFLICT: the library has no fragment for any slot. ERR_TOO_LARGE. */
fiber_fn Err article_draft_make(struct ctx *ctx, const struct draft_request *request,
                                struct article_draft *ret);
