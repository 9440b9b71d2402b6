/*
 * Asking the catalogs. Private to catalog.
 */
#pragma once

#include "content/catalog/catalog.h"
#include "io/pg/db.h"

/* The statement with the names that are not empty, the others null; rows of all tenants' tables. */
fiber_fn Err catalog_query(struct ctx *ctx, const struct statement *statement, Str first,
                           Str second, struct rows *ret);
fiber_fn Err catalog_query_one(struct ctx *ctx, const struct statement *statement, Str name,
                               struct rows *ret);

/* "key": the JSON text, or null. */
void catalog_put_json(struct json_writer *w, const char *key, Str text);
