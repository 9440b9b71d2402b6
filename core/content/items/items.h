/*
 * Items: reading and writing rows of any collection under the actor's grants and the ctx's scope.
 * The rows of an answer go into a sink; the caller writes the envelope around them.
 *
 * System collections are refused, as in Directus (/items/directus_users is 403); the routes of
 * system collections use the same functions with ITEMS_SYSTEM.
 */
#pragma once

#include "base/json/json.h"
#include "content/query/query.h"
#include "content/run/row_sink.h"
#include "content/schema/schema.h"
#include "io/fiber/fiber.h"
#include "io/pg/db.h"

/* Maximum rows of one write request, and keys of one SEARCH. */
enum { ITEMS_WRITE_MAX = 1000 };

/* Changes are published here after the commit:
 * {"site":uuid|null,"collection":…,"action":"create|update|delete","keys":[…]}. Without keys: more
 * than a thousand rows, or all. */
#define ITEMS_CHANNEL STR("spark:items")

/* A list; for a singleton its one row, or a row of nulls if it does not exist yet. */
fiber_fn Err items_list(struct ctx *ctx, struct items_target target, const struct query *query,
                        struct row_sink *sink);
/* ERR_FORBIDDEN without distinction for a missing row, a row of another site and a forbidden
 * row. */
fiber_fn Err items_read(struct ctx *ctx, struct items_target target, Str key,
                        const struct query *query, struct row_sink *sink);

/* Whether the collection has one row, which is read without a key; refused like a list. */
fiber_fn Err items_are_singleton(struct ctx *ctx, struct items_target target, bool *ret);

/* SEARCH with keys: returns those that the actor may read. */
fiber_fn Err items_read_many(struct ctx *ctx, struct items_target target, const Str *keys,
                             uint32_t count, const struct query *query, struct row_sink *sink);

/* The array of such a body: strings and integers. */
Err items_keys_read(struct ctx *ctx, const struct json *list, const Str **ret, uint32_t *ret_count);

/* A write commits the item, its activity and its revision together, then returns what `query`
 * selects. If the actor may not read the result, the sink receives nothing. */
fiber_fn Err items_create(struct ctx *ctx, struct items_target target, const struct json *body,
                          const struct query *query, struct row_sink *sink);
fiber_fn Err items_update(struct ctx *ctx, struct items_target target, Str key,
                          const struct json *body, const struct query *query,
                          struct row_sink *sink);
/* An array of objects with keys, {keys,data} or {query,data}; for a singleton: the row itself,
 * which is created if it does not exist. */
fiber_fn Err items_update_many(struct ctx *ctx, struct items_target target, const struct json *body,
                               const struct query *query, struct row_sink *sink);
/* The same change without an answer; of singletons, too. */
fiber_fn Err items_change(struct ctx *ctx, struct items_target target, Str key,
                          const struct json *body);
/* Rows that come one after the other, in memory of ctx that is released before the next one. */
struct items_source {
    /* NULL: there are no more. */
    fiber_fn Err (*next)(struct items_source *source, struct ctx *ctx, const struct json **ret);
};
/* Makes each row, or changes it if its key exists: all of them or none. Faults of fields are
 * reported with the numbers of their rows. Needs grants to create and to update. */
fiber_fn Err items_import(struct ctx *ctx, struct items_target target, struct items_source *source);
/* The row gets the values of the revision. */
fiber_fn Err items_revert(struct ctx *ctx, Str revision);
/* The row takes the place of the row `to` in the order of the collection; those between shift by
 * one. Rows without a place get one first. */
fiber_fn Err items_move(struct ctx *ctx, struct items_target target, Str moved, Str to);
fiber_fn Err items_delete(struct ctx *ctx, struct items_target target, Str key);
/* An array of keys, {keys} or {query}. */
fiber_fn Err items_delete_many(struct ctx *ctx, struct items_target target,
                               const struct json *body);

/*
 * Hooks of extensions, set once by the plugin host and called around every write: single items,
 * many items, nested items, deletions and bulk loads. `before` is not called for rows that other
 * statements write; `after` receives them from the change feed (items_feed.c), without an actor.
 */

enum items_action { ITEMS_CREATE, ITEMS_UPDATE, ITEMS_DELETE };
Str items_action_name(enum items_action action); /* "create" … */

/* Rows of one collection and one site that were written together, or are about to be written. */
struct items_change {
    enum items_action action;
    Str collection;
    Uuid site;       /* the site of the rows, set after the write; nil: none */
    const Str *keys; /* for a create: set after the write */
    uint32_t count;
    bool is_audited; /* the work log already has an entry */
};

struct items_hooks {
    /* Whether `before` has hooks for this. Then rows are written one by one. */
    bool (*is_filtered)(enum items_action action, Str collection);
    /* Called before validation. May refuse, or set *ret to another payload (in ctx->arena), which
     * is validated like a client's. Deletes have no payload. Several items of one request share a
     * transaction, which stays open during the call. */
    fiber_fn Err (*before)(struct ctx *ctx, const struct items_change *change,
                           const struct json *payload, const struct json **ret);
    /* Called after the commit. Must not wait; work that it starts runs independently. */
    void (*after)(struct ctx *ctx, const struct items_change *change);
};

/* NULL unsets them. `hooks` must live as long as the process. */
void items_set_hooks(const struct items_hooks *hooks);
bool items_are_filtered(enum items_action action, Str collection);
fiber_fn Err items_filter(struct ctx *ctx, const struct items_change *change,
                          const struct json *payload, const struct json **ret);

/* Notifies Redis (ITEMS_CHANNEL) and the hooks. Call after the commit. Without keys: more than a
 * thousand rows, or all. */
void items_announce(struct ctx *ctx, const struct items_change *change);
/* Prefixes a statement whose caller announces the rows itself, because it knows the actor, with a
 * comment that spark.is_announced detects. Rows of other tables that the statement changes (by
 * cascades or triggers) are not covered. */
void items_put_announced(struct buf *sql, enum items_action action, Str collection);
/* Announces all other rows from the change feed; one process announces each change. Call before the
 * threads start. */
void items_announce_changes(void);

/*
 * Value checks: for values that PostgreSQL cannot check, such as types of a higher layer and rules
 * with patterns. Every write of the field calls them, including nested writes, bulk loads and
 * blueprints. `check` receives the text of the value (JSON as text); its message reaches the client
 * with the field's name. It may yield (fiber_breathe) but must not wait.
 */

struct items_guard {
    Str collection;
    Str field;
    fiber_fn Err (*judge)(struct ctx *ctx, Str text);
};

/* Call before the threads start; `guards` must live as long as the process. */
void items_set_guards(const struct items_guard *guards, uint32_t count);
/* NULL: the field has no check. */
const struct items_guard *items_guard_find(Str collection, Str field);
/* OK when the field has no check. */
fiber_fn Err items_guard_check(struct ctx *ctx, const struct field *field, Str text);
