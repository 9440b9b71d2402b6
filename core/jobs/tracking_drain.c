#include "base/counters.h"
#include "gen/sql.h"
#include "io/reactor.h"
#include "jobs/keys.h"
#include "jobs/tracking.h"

enum { DRAIN_BYTES_MAX = 256 * 1024 * 1024 };
#define KEY_TAKERS "{t}:takers"

/* The taker is on record before it takes anything, so that its list can be found after it. */
static fiber_fn Err take(struct ctx *ctx, Str worker, Str list, struct redis_value *ret)
{
    struct redis *redis = ctx->reactor->redis;
    struct redis_value added;
    TRY(REDIS_CALL(ctx, redis, &added, STR("SADD"), STR(KEY_TAKERS), worker));
    return REDIS_CALL(ctx, redis, ret, STR("FCALL"), STR("cq_take"), STR("2"),
                      STR(KEY_TRACKING_PAGEVIEWS), list,
                      str_printf(ctx->arena, "%d", TRACKING_DRAIN_MAX));
}

static fiber_fn Err store(struct platform platform, Str lines, int64_t *ret_stored)
{
    SCOPED_TX struct db_tx tx = {0};
    int64_t loaded;
    struct rows rows;
    TRY(db_begin_platform(platform, &tx));
    TRY(db_copy_in(&tx, STR("copy spark.load_pageviews (" PAGEVIEW_COLUMNS ") from stdin"), lines,
                   &loaded));
    TRY(db_tx_query(&tx, &SQL_PAGEVIEWS_STORE, NO_ARGS, &rows));
    *ret_stored = rows.affected;
    TRY(db_tx_query(&tx, &SQL_PAGEVIEWS_UNLOAD, NO_ARGS, NULL));
    return db_commit(&tx);
}

static fiber_fn Err drain_list(struct platform platform, Str list, const struct redis_value *taken)
{
    struct ctx *ctx = platform.ctx;
    struct buf *lines = buf_in_arena(ctx->arena, DRAIN_BYTES_MAX);
    for (uint32_t i = 0; i < taken->count; i++)
        buf_put(lines, taken->items[i].text);
    TRY(buf_check(ctx, lines, "A drain"));
    int64_t stored;
    TRY(store(platform, buf_str(lines), &stored));
    counter_add(COUNTER_tracking_stored, stored);
    struct redis_value removed;
    return REDIS_CALL(ctx, ctx->reactor->redis, &removed, STR("DEL"), list);
}

/* Takers that are no workers any more: their lists are drained like our own. */
static fiber_fn Err adopt_orphans(struct platform platform, Str worker)
{
    struct ctx *ctx = platform.ctx;
    struct redis *redis = ctx->reactor->redis;
    struct redis_value takers;
    TRY(REDIS_CALL(ctx, redis, &takers, STR("SMEMBERS"), STR(KEY_TAKERS)));
    for (uint32_t i = 0; i < takers.count; i++) {
        Str taker = takers.items[i].text;
        struct rows rows;
        if (str_eq(taker, worker))
            continue;
        TRY(db_query_platform(platform, &SQL_WORKER_EXISTS, ARGS(db_text(taker)), &rows));
        if (rows.count > 0)
            continue;
        Str list = key_tracking_taken(ctx->arena, taker);
        struct redis_value left;
        TRY(REDIS_CALL(ctx, redis, &left, STR("LRANGE"), list, STR("0"), STR("-1")));
        if (left.count > 0)
            TRY(drain_list(platform, list, &left));
        TRY(REDIS_CALL(ctx, redis, &left, STR("SREM"), STR(KEY_TAKERS), taker));
    }
    return OK;
}

fiber_fn Err pageviews_drain(struct platform platform, Str worker, uint64_t *ret_stored)
{
    struct ctx *ctx = platform.ctx;
    Str list = key_tracking_taken(ctx->arena, worker);
    struct redis_value taken;
    TRY(take(ctx, worker, list, &taken));
    *ret_stored = taken.count;
    if (taken.count == 0)
        return adopt_orphans(platform, worker);
    return drain_list(platform, list, &taken);
}
