/*
 * Collections, fields and relations as the API shows them, with everything that the database and
 * the metadata say of them. Who may not see a collection or a field does not hear of it.
 *
 * Each function writes an array, or of one entry the object. ERR_FORBIDDEN with Directus' sentences
 * for what is not there or may not be seen.
 */
#pragma once

#include "base/json/json_writer.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

/* Collections among `names`, in their order of names; none given: all. */
struct catalog_names {
    const Str *list;
    uint32_t count;
};
fiber_fn Err catalog_collections(struct ctx *ctx, const struct catalog_names *names,
                                 struct json_writer *w);
fiber_fn Err catalog_collection(struct ctx *ctx, Str collection, struct json_writer *w);

/* Of all collections, or of one. */
fiber_fn Err catalog_fields(struct ctx *ctx, Str collection, struct json_writer *w);
fiber_fn Err catalog_field(struct ctx *ctx, Str collection, Str field, struct json_writer *w);

fiber_fn Err catalog_relations(struct ctx *ctx, Str collection, struct json_writer *w);
fiber_fn Err catalog_relation(struct ctx *ctx, Str collection, Str field, struct json_writer *w);

/* ERR_FORBIDDEN in the words of a read, unless the caller's scope has such a collection. */
fiber_fn Err catalog_require(struct ctx *ctx, Str collection);
