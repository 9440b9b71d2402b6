/*
 * What is done with a version besides writing its row: compare it with the item, save changes into
 * it, make them the item's, and read the item as it would be.
 */
#pragma once

#include "content/items/items.h"

/* The largest item that these operations hold in memory. */
enum { VERSION_ITEM_MAX = 16 * 1024 * 1024 };

struct version_comparison {
    bool is_outdated; /* the item has changed since the version was made */
    Str main_hash;
    const struct json *current; /* what the version changes */
    const struct json *main;
};
/* ERR_FORBIDDEN unless the caller reads the version and the item. */
fiber_fn Err version_compare(struct ctx *ctx, Str id, struct version_comparison *ret);
/* Adds to the draft; *ret: the item with the draft's members. */
fiber_fn Err version_save(struct ctx *ctx, Str id, const struct json *changes,
                          const struct json **ret);
/* Writes the draft, or these `fields` of it (NULL: all), as the caller; *ret_key: of the item.
 * ERR_UNPROCESSABLE when the item is not the one with this hash any more, and when there is nothing
 * to write. */
fiber_fn Err version_promote(struct ctx *ctx, Str id, Str main_hash, const struct json *fields,
                             Str *ret_key);
/* The item with one of its drafts; also the row of a singleton, whose key is STR_NONE. */
struct version_reading {
    struct items_target target;
    Str key;
    Str name;    /* of the draft: the key of its version */
    bool is_raw; /* the members as they were saved */
    const struct query *query;
    struct row_sink *sink;
    const struct json *raw; /* set if is_raw; then the sink receives nothing */
};
fiber_fn Err version_read(struct ctx *ctx, struct version_reading *reading);
