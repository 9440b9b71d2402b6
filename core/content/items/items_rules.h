/*
 * Rules of collections: what a write of some collections demands beyond its columns, grants and
 * validation, as with accounts, roles and versions. The layer above registers them; every write of
 * the collection calls them, nested ones too. Bulk loads refuse collections with rules.
 */
#pragma once

#include "content/items/items.h"

/* A write of one or more rows by one body. */
struct rules_write {
    enum items_action action;
    const struct schema *schema;
    const struct collection *collection;
    const Str *keys; /* of the rows; before a create: none */
    uint32_t count;
    const struct json *body; /* NULL: a deletion */
    struct db_tx *tx;        /* of the write; never NULL */
};

struct collection_rules {
    Str collection;
    /* May refuse the write, or set *ret to another body (in ctx->arena). NULL: nothing to check. */
    fiber_fn Err (*before)(struct ctx *ctx, const struct rules_write *write,
                           const struct json **ret);
    /* In the same transaction, after the rows and their nested rows. NULL: nothing to do. */
    fiber_fn Err (*complete)(struct ctx *ctx, const struct rules_write *write);
};

/* Call before the threads start; `list` must live as long as the process. */
void items_set_rules(const struct collection_rules *list, uint32_t count);
/* NULL: the collection has none. */
const struct collection_rules *items_rules_find(const struct collection *collection);
