/*
 * A headline and a plan give a draft: every column of the article to be, in the caller's arena.
 * Nothing here waits. The same plan, headline and attempt give the same draft, as long as the
 * fragments have been used as often.
 */
#pragma once

#include "factory/articles/article_plan.h"
#include "factory/articles/assemble.h"
#include "io/fiber/fiber.h"

enum { ARTICLE_TITLE_MAX = 255 /* characters of the column */ };

struct claimed_headline {
    Uuid id; /* nil: the article has a title and no headline */
    Str title;
    Str text_hash;  /* hex */
    Str location;   /* JSON; STR_NONE: none */
    uint32_t place; /* which of the articles that were asked for it becomes */
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
    const struct place_list *places; /* for headlines that name none; may be NULL */
    const uint32_t *usage;           /* by fragment index; NULL: all alike */
    int64_t now_us;                  /* the day that its text speaks of */
    uint64_t seed;                   /* 0: of the headline's id and the attempt */
    uint32_t attempt;                /* another text for the same headline */
};

/* location over date over the plan's own: what titles and texts are resolved with. */
const struct spin_vars *article_vars(struct ctx *ctx, const struct article_plan *plan,
                                     const struct geo_location *location, int64_t publish_us);

/* ERR_CONFLICT when the library fills no slot, ERR_TOO_LARGE. */
fiber_fn Err article_draft_make(struct ctx *ctx, const struct draft_request *request,
                                struct article_draft *ret);
