/*
 * Items: reading and writing rows of any collection under the actor's grants and the ctx's scope.
 * The rows of an answer go into a sink; the caller writes the envelope around them.
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
/* ERR_FORBIDDEN alike for a missing row, a row of another site and a forbidden one. */
fiber_fn Err items_read(struct ctx *ctx, struct items_target target, Str key,
                        const struct query *query, struct row_sink *sink);

/* SEARCH with keys: returns those that the actor may read. */
fiber_fn Err items_read_many(struct ctx *ctx, struct items_target target, const Str *keys,
                             uint32_t count, const struct query *query, struct row_sink *sink);

/* Writes commit the item, its activity and its revision together, then return what `query` selects.
 * If the actor may not read the result, nothing reaches the sink. */
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
 * Hooks of extensions, set once by the plugin host and called around every write: single items,
 * many, nested ones, deletions and bulk loads. Rows that other statements write have no `before`;
 * `after` receives them from the change feed (items_feed.c), without an actor.
 */

enum items_action { ITEMS_CREATE, ITEMS_UPDATE, ITEMS_DELETE };
Str items_action_name(enum items_action action); /* "create" … */

/* Rows of one collection and one site that were written together, or are about to be. */
struct items_change {
    enum items_action action;
    Str collection;
    Uuid site;       /* the site of the rows, once they are written; nil: none */
    const Str *keys; /* of a create: known after it */
    uint32_t count;
    bool is_audited; /* the work log already has its line */
};

struct items_hooks {
    /* Does `before` have a hook to call? Then rows are written one by one. */
    bool (*is_filtered)(enum items_action action, Str collection);
    /* Before validation: may refuse, or set *ret to another payload (in ctx->arena), which is then
     * validated like that of a client. Deletes have no payload. Several items of one request share
     * a transaction, which stays open during the call. */
    fiber_fn Err (*before)(struct ctx *ctx, const struct items_change *change,
                           const struct json *payload, const struct json **ret);
    /* After the commit. Must not wait; what it starts runs independently. */
    void (*after)(struct ctx *ctx, const struct items_change *change);
};

/* NULL removes them. `hooks` must live as long as the process. */
void items_set_hooks(const struct items_hooks *hooks);
bool items_are_filtered(enum items_action action, Str collection);
fiber_fn Err items_filter(struct ctx *ctx, const struct items_change *change,
                          const struct json *payload, const struct json **ret);

/* Notifies Redis (ITEMS_CHANNEL) and the hooks, after a commit. No keys: more than a thousand, or
 * all.
 */
void items_announce(struct ctx *ctx, const struct items_change *change);
/* A statement whose caller announces its rows itself, because it knows the actor, begins with this
 * comment, which spark.is_announced detects. This does not cover rows of other tables that the
 * statement changes (by cascades, by triggers). */
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
