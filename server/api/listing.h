/*
 * What the lists of /api share: whose rows, and values that may be missing.
 */
#pragma once

#include "io/pg/db.h"
#include "server/dispatch/route.h"

/* The site that the request is narrowed to; null: the platform. */
DbArg listing_site(const struct ctx *ctx);

/* null where the database has none. */
void put_text(struct json_writer *w, const char *key, Str value);
void put_uuid(struct json_writer *w, const char *key, Uuid value);
void put_time(struct json_writer *w, const char *key, int64_t wall_us);
