/*
 * Items: reading and writing rows of any collection under the actor's grants and the ctx's scope.
 * Each function is one sentence of the API document. The rows it answers with go into a sink; what
 * stands around them on the wire is the caller's business.
 *
 * System collections are refused here as Directus does (/items/directus_users is 403); the routes
 * of system collections use the same functions with ITEMS_SYSTEM.
 */
#pragma once

#include "base/json/json.h"
#include "content/query/query.h"
#include "content/run/row_sink.h"
#include "content/schema/schema.h"
#include "io/fiber/fiber.h"
#include "io/pg/db.h"

/* Rows of one write request, keys of one SEARCH. */
enum { ITEMS_WRITE_MAX = 1000 };

/* Where changes are published after the commit:
 * {"site":uuid|null,"collection":…,"action":"create|update|delete","keys":[…]}; no keys: more than
 * a thousand, or all. */
#define ITEMS_CHANNEL STR("spark:items")

/* A list; of a singleton its one row, or one of nulls before there is any. */
fiber_fn Err items_list(struct ctx *ctx, struct items_target target, const struct query *query,
                        struct row_sink *sink);
/* Missing, foreign and forbidden look the same: ERR_FORBIDDEN. */
fiber_fn Err items_read(struct ctx *ctx, struct items_target target, Str key,
                        const struct query *query, struct row_sink *sink);

/* SEARCH with keys: those of them that may be seen. */
fiber_fn Err items_read_many(struct ctx *ctx, struct items_target target, const Str *keys,
                             uint32_t count, const struct query *query, struct row_sink *sink);

/* Writes put the item, its activity and its revision into one durable group, then answer what
 * `query` selects. The sink does not even begin when that may not be read back. */
fiber_fn Err items_create(struct ctx *ctx, struct items_target target, const struct json *body,
                          const struct query *query, struct row_sink *sink);
fiber_fn Err items_update(struct ctx *ctx, struct items_target target, Str key,
                          const struct json *body, const struct query *query,
                          struct row_sink *sink);
/* Array of objects with key, {keys,data} or {query,data}; of a singleton: the row itself, made
 * if there is none. */
fiber_fn Err items_update_many(struct ctx *ctx, struct items_target target, const struct json *body,
                               const struct query *query, struct row_sink *sink);
fiber_fn Err items_delete(struct ctx *ctx, struct items_target target, Str key);
/* Array of keys, {keys} or {query}. */
fiber_fn Err items_delete_many(struct ctx *ctx, struct items_target target,
                               const struct json *body);

/*
 * The seam for extensions: called by core/content around every write, set once by the host. Single
 * items, many, nested ones, deletions and bulk loads come by here. Rows of other statements have no
 * `before`; `after` hears of them from the change feed (items_feed.c), without an actor.
 */

enum items_action { ITEMS_CREATE, ITEMS_UPDATE, ITEMS_DELETE };
Str items_action_name(enum items_action action); /* "create" … */

/* Rows of one collection and one site that were written together, or are about to be. */
struct items_change {
    enum items_action action;
    Str collection;
    Uuid site;       /* whose rows, once they are written; nil: nobody's */
    const Str *keys; /* of a create: once it is done */
    uint32_t count;
    bool is_audited; /* the work log has its line already */
};

struct items_hooks {
    /* Would `before` ask anybody? Then rows are written one by one. */
    bool (*is_filtered)(enum items_action action, Str collection);
    /* Before validation: may refuse, or put another payload in *ret (in ctx->arena), which is
     * judged like any that a client sends. Deletes have no payload. Several items of one request
     * share a transaction, which is open meanwhile. */
    fiber_fn Err (*before)(struct ctx *ctx, const struct items_change *change,
                           const struct json *payload, const struct json **ret);
    /* After the commit. Does not wait: what it starts goes its own way. */
    void (*after)(struct ctx *ctx, const struct items_change *change);
};

/* NULL takes them off. `hooks` must live as long as the process. */
void items_set_hooks(const struct items_hooks *hooks);
bool items_are_filtered(enum items_action action, Str collection);
fiber_fn Err items_filter(struct ctx *ctx, const struct items_change *change,
                          const struct json *payload, const struct json **ret);

/* Tells Redis (ITEMS_CHANNEL) and the hooks, after a commit. No keys: more than a thousand, or all.
 */
void items_announce(struct ctx *ctx, const struct items_change *change);
/* Whoever announces the rows of its statement itself, because it knows the actor, begins the
 * statement with this comment: spark.is_announced looks for it. Rows of other tables that the
 * statement changes (by cascades, by triggers) are not meant. */
void items_put_announced(struct buf *sql, enum items_action action, Str collection);
/* All other rows are announced from the change feed, by one process. Before the threads start. */
void items_announce_changes(void);

/*
 * Values that PostgreSQL cannot judge, checked by every write of a value into that field, nested,
 * in bulk and by blueprints too: those of a higher layer, and rules with patterns. `check` gets
 * the text of the value (JSON as text); its sentence reaches the client with the field's name. It
 * may breathe (fiber_breathe), and waits for nothing else.
 */

struct items_guard {
    Str collection;
    Str field;
    fiber_fn Err (*judge)(struct ctx *ctx, Str text);
};

/* Before the threads start; `guards` must live as long as the process. */
void items_set_guards(const struct items_guard *guards, uint32_t count);
/* NULL: none stands there. */
const struct items_guard *items_guard_find(Str collection, Str field);
/* OK when no guard stands there. */
fiber_fn Err items_guard_check(struct ctx *ctx, const struct field *field, Str text);
