/*
 * What a share leads to: the rows of which collections, as conditions. As in Directus, that is the
 * item; what refers to it and what it refers to; and so on from there, never through one collection
 * twice. Behind a reference the way goes on only where the relation has an alias, and behind a
 * to-any reference not at all. Nor does it go on from the site of a row, to which everything of the
 * site refers. Private to access/.
 *
 * The conditions follow relations, so they mean rows of the scope of whoever reads with them: a row
 * of another site is never on the way.
 */
#pragma once

#include "base/json/json.h"
#include "io/fiber/fiber.h"

/* Longer ways, and more of them to one collection, are left out; the nearest come first. */
enum { SHARE_WAY_MAX = 6, SHARE_WAYS_MAX = 16 };

struct share_reach {
    struct share_reach *next;
    Str collection;
    const struct json *filter;
};

/* Whether the token may know the field at all; field STR_NONE: the collection. */
typedef bool ShareMayFn(const void *arg, Str collection, Str field);

/* The first is the item's collection; NULL: that has no key, or is gone. */
fiber_fn Err share_reach_find(struct ctx *ctx, Uuid share, ShareMayFn *may, const void *arg,
                              struct share_reach **ret);
