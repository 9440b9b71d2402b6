/*
 * Items: reading and writing rows of any collection under the actor's grants and the ctx's scope.
 * Each function is one sentence of the API document; bodies are written to `out` as they go to the
 * wire, envelope included ({"data":…}, with "meta" when asked).
 *
 * System collections are refused here as Directus does (/items/directus_users is 403); the routes
 * of system collections use the same functions with ITEMS_SYSTEM.
 */
#pragma once

#include "base/text/buf.h"
#include "content/query/query.h"
#include "io/fiber/fiber.h"

enum items_access { ITEMS_USER, ITEMS_SYSTEM };

struct items_target {
    Str collection;
    enum items_access access;
};

/* Rows of one write request, keys of one SEARCH. */
enum { ITEMS_WRITE_MAX = 1000 };

/* Where changes are published after the commit:
 * {"site":uuid|null,"collection":…,"action":"create|update|delete","keys":[…]} */
#define ITEMS_CHANNEL STR("spark:items")

fiber_fn Err items_list(struct ctx *ctx, struct items_target target, const struct query *query,
                        struct buf *out);
/* Missing, foreign and forbidden look the same: ERR_FORBIDDEN. */
fiber_fn Err items_read(struct ctx *ctx, struct items_target target, Str key,
                        const struct query *query, struct buf *out);

/* SEARCH with keys: those of them that may be seen. */
fiber_fn Err items_read_many(struct ctx *ctx, struct items_target target, const Str *keys,
                             uint32_t count, const struct query *query, struct buf *out);

/* Writes put the item, its activity and its revision into one durable group, then answer what
 * `query` selects; *ret_has_body is false (204) when it may not be read back. */
fiber_fn Err items_create(struct ctx *ctx, struct items_target target, const struct json *body,
                          const struct query *query, struct buf *out, bool *ret_has_body);
fiber_fn Err items_update(struct ctx *ctx, struct items_target target, Str key,
                          const struct json *body, const struct query *query, struct buf *out,
                          bool *ret_has_body);
/* Array of objects with key, {keys,data} or {query,data}; of a singleton: the row itself, made
 * if there is none. */
fiber_fn Err items_update_many(struct ctx *ctx, struct items_target target, const struct json *body,
                               const struct query *query, struct buf *out, bool *ret_has_body);
fiber_fn Err items_delete(struct ctx *ctx, struct items_target target, Str key);
/* Array of keys, {keys} or {query}. */
fiber_fn Err items_delete_many(struct ctx *ctx, struct items_target target,
                               const struct json *body);
