/*
 * The seam for extensions: called by core/content around every write, set once by the host. Single
 * items, many, nested ones, deletions and bulk loads come by here; statements of the factory's own
 * do not, unless they tell it with items_announce.
 */
#pragma once

#include "base/json/json.h"
#include "content/schema/schema.h"
#include "io/fiber/fiber.h"
#include "io/pg/db.h"

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

/* Tells Redis (ITEMS_CHANNEL) and the hooks, after a commit. Keys beyond 10,000 go untold. */
void items_announce(struct ctx *ctx, const struct items_change *change);
/* The same when, and only when, this transaction has committed: for one row that a statement of our
 * own has written. */
void items_announce_after(struct db_tx *tx, enum items_action action, Str collection, Uuid key);
