/*
 * Modules: the parts that an article without a template is assembled from, by the campaign's
 * recipe, and the articles that are assembled on demand, with a place and days but no headline.
 */
#pragma once

#include "factory/articles/article_store.h"

/* usage_count as the table has it in this transaction, by index of the library. */
fiber_fn Err modules_usage(struct db_tx *tx, const struct library *library, uint32_t *usage);
/* Adds to it what was used: relative, so that nobody's count is lost, and in the order of ids, so
 * that nobody waits in a circle. */
fiber_fn Err modules_count(struct db_tx *tx, const struct library *library, const uint32_t *uses);

struct assemble_request {
    Uuid campaign;
    struct geo_location location;
    bool has_publish, has_modified;
    int64_t publish_us;  /* default: now */
    int64_t modified_us; /* default: publish_us */
    const struct avatar_choice *avatar;
};

struct assembled_article {
    struct article_draft draft;
    const struct article_plan *plan;
    int64_t publish_us;
    int64_t modified_us;
    const Str *missing; /* types of the recipe for which the site has no active module */
    uint32_t missing_count;
    Str warning; /* about dates in the past; STR_NONE: none */
};

/* ERR_NOT_FOUND; ERR_CONFLICT: the campaign is not active, or no module of its recipe is;
 * ERR_FAILED_VALIDATION: dates that the site may not have. */
fiber_fn Err article_assemble_now(struct ctx *ctx, const struct assemble_request *request,
                                  struct assembled_article *ret);
