/*
 * What somebody may do, as JSON: /permissions/me, and the explanation of one decision.
 */
#pragma once

#include "access/identity/explained.h"
#include "base/json/json_writer.h"
#include "content/query/query.h"
#include "content/schema/schema.h"
#include "io/fiber/fiber.h"

/* {collection: {action: {access, fields, presets}}}: everything that the caller may do. */
fiber_fn Err rights_put_mine(struct ctx *ctx, struct json_writer *w);
/* {update: {access}, delete: {access}, share: {access}}: what the caller may do with one row. An
 * empty key: with the collection, or the row of a singleton. */
fiber_fn Err rights_put_item(struct ctx *ctx, Str collection, Str key, struct json_writer *w);
/* Whether the caller may do this with the row; of a row that does not exist, nobody may. */
fiber_fn Err rights_may(struct ctx *ctx, const struct schema *schema,
                        const struct collection *collection, enum action action, Str key,
                        bool *ret);
/* The rules of the app-access minimum that a filter over directus_permissions selects (NULL: all),
 * each as an object, into an open array. */
fiber_fn Err rights_put_minimum(struct ctx *ctx, const struct filter_value *filter,
                                struct json_writer *w);

/* A decision to explain. */
struct rights_case {
    struct subject_spec subject;
    Str collection;
    enum action action;
    Str key;   /* empty: the collection as a whole */
    Str field; /* empty: none in particular */
};
/* Called by an administrator in PLATFORM scope. */
fiber_fn Err rights_explain(struct ctx *ctx, const struct rights_case *what, struct json_writer *w);
