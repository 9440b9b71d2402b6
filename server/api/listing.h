/*
 * What the lists of /api share: whose rows, how many of them, and parameters of the query that are
 * read strictly. Each leaves *ret alone when the parameter is absent or empty, and refuses with
 * ERR_INVALID_QUERY and note "field".
 */
#pragma once

#include "io/pg/db.h"
#include "server/dispatch/route.h"

enum { LISTING_LIMIT_MAX = 1000, LISTING_OFFSET_MAX = 100000 };

struct listing {
    int64_t limit;
    int64_t offset;
};

/* limit (1 to LISTING_LIMIT_MAX) and offset (to LISTING_OFFSET_MAX). */
Err listing_take(struct ctx *ctx, const struct request *request, int64_t limit,
                 struct listing *ret);

Err query_take_int(struct ctx *ctx, const struct request *request, const char *name, int64_t min,
                   int64_t max, int64_t *ret);
/* `alias`, an older client's name for the same; the first one wins when both are there. */
Err query_take_uuid(struct ctx *ctx, const struct request *request, const char *name,
                    const char *alias, Uuid *ret);
/* One of `choices`: "active, inactive, paused". */
Err query_take_choice(struct ctx *ctx, const struct request *request, const char *name,
                      const char *choices, Str *ret);
bool is_choice(const char *choices, Str value);

/* Narrows a request of the platform to the site it names with site_id (or `site`), if it names one;
 * ERR_FORBIDDEN when a site's token names another, ERR_UNKNOWN_SITE when there is none. */
fiber_fn Err listing_enter(struct ctx *ctx, const struct request *request);
/* The site that the request is narrowed to; null: the platform. */
DbArg listing_site(const struct ctx *ctx);

/* null where the database has none. */
void put_text(struct json_writer *w, const char *key, Str value);
void put_uuid(struct json_writer *w, const char *key, Uuid value);
void put_time(struct json_writer *w, const char *key, int64_t wall_us);
