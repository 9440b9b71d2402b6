/*
 * Announces changes that the writer of the rows did not announce: rows of the factory's statements,
 * of imports, of psql. Each process that reads the feed claims the changes; the process whose claim
 * succeeds notifies Redis and the hooks.
 */
#include "content/changes/changes.h"
#include "content/items/items.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"

#include <assert.h>

static fiber_fn Err announce_rest(struct ctx *ctx, const struct changes *changes, void *arg);
static fiber_fn Err claim(struct ctx *ctx, const struct changes *changes, struct rows *ret);
static void announce(struct ctx *ctx, const struct change *change);

void items_announce_changes(void)
{
    changes_subscribe("announcements", CHANGES_UNANNOUNCED, announce_rest, NULL);
}

static fiber_fn Err announce_rest(struct ctx *ctx, const struct changes *changes, void *arg)
{
    (void)arg;
    struct rows claimed = {0};
    TRY(claim(ctx, changes, &claimed));
    uint32_t next = 0;
    for (uint32_t i = 0; next < claimed.count; i++) {
        TRY(fiber_breathe(ctx));
        assert(i < changes->count); /* both are in the order of seq */
        if (changes->list[i].seq != row_int(&claimed, next, CHANGES_CLAIM_SEQ))
            continue;
        announce(ctx, &changes->list[i]);
        next++;
    }
    return OK;
}

static fiber_fn Err claim(struct ctx *ctx, const struct changes *changes, struct rows *ret)
{
    Str *xids = arena_array(ctx->arena, Str, changes->count + 1);
    int64_t *seqs = arena_array(ctx->arena, int64_t, changes->count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < changes->count; i++) {
        if (changes->list[i].is_announced)
            continue;
        xids[count] = changes->list[i].xid;
        seqs[count++] = changes->list[i].seq;
    }
    if (count == 0)
        return OK;
    return db_query_platform(
        reactor_platform(ctx), &SQL_CHANGES_CLAIM,
        ARGS(db_text_array(ctx->arena, xids, count), db_int_array(ctx->arena, seqs, count)), ret);
}

/* Acts as the machinery in the scope of the rows: the writer is not known. */
static void announce(struct ctx *ctx, const struct change *change)
{
    static_assert((int)CHANGE_CREATE == ITEMS_CREATE && (int)CHANGE_UPDATE == ITEMS_UPDATE &&
                  (int)CHANGE_DELETE == ITEMS_DELETE);
    const struct items_change announced = {.action = (enum items_action)change->action,
                                           .collection = change->collection,
                                           .site = change->site,
                                           .keys = change->keys,
                                           .count = change->count,
                                           .is_audited = true};
    if (uuid_is_nil(change->site) || uuid_eq(change->site, UUID_LIBRARY_SITE)) {
        items_announce(ctx, &announced);
        return;
    }
    SCOPED_CTX struct ctx own =
        ctx_for_site(ctx, change->site, "hooks run in the scope of the rows");
    items_announce(&own, &announced);
}
