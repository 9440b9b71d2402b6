/*
 * Modules: the building blocks of articles without a template, in the order of the campaign's
 * recipe; and articles that are assembled on request, with a location and dates but without a
 * headline.
 */
#pragma once

#include "factory/articles/article_store.h"

/* Reads usage_count in this transaction, by index in the library. */
fiber_fn Err modules_usage(struct db_tx *tx, const struct library *library, uint32_t *usage);
/* Adds the uses to usage_count. Increments, so that no concurrent count is lost; in the order of
 * ids, so that transactions cannot deadlock. */
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
    const Str *missing; /* types of the recipe without an active module */
    uint32_t missing_count;
    Str warning; /* dates in the past; STR_NONE: none */
};

/* ERR_NOT_FOUND. ERR_CONFLICT: the campaign is not active, or the site has no active module of its
 * recipe. ERR_FAILED_VALIDATION: dates that the site does not allow. */
fiber_fn Err article_assemble_now(struct ctx *ctx, const struct assemble_request *request,
                                  struct assembled_article *ret);
