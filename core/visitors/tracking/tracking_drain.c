#include "base/memory/array.h"
#include "base/system/counters.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"
#include "visitors/tracking/tracking_store.h"

#include <assert.h>

enum { DRAIN_BYTES_MAX = 256 * 1024 * 1024 };

/* One row per kind: its Redis lists, and how its lines are stored. */
struct track {
    Str list;
    Str taken; /* key prefix of the lists that workers have taken */
    Str copy;
    const struct statement *store;
    const struct statement *unload;
};

static const struct track TRACKS[TRACKING_KINDS] = {
    [TRACKING_PAGEVIEWS] = {STR_INIT(KEY_TRACKING_PAGEVIEWS),
                            STR_INIT(KEY_TRACKING_PAGEVIEWS_TAKEN),
                            STR_INIT("copy spark.load_pageviews (" PAGEVIEW_COLUMNS ") from stdin"),
                            &SQL_PAGEVIEWS_STORE, &SQL_PAGEVIEWS_UNLOAD},
    [TRACKING_EVENTS] = {STR_INIT(KEY_TRACKING_EVENTS), STR_INIT(KEY_TRACKING_EVENTS_TAKEN),
                         STR_INIT("copy spark.load_events (" EVENT_COLUMNS ") from stdin"),
                         &SQL_EVENTS_STORE, &SQL_EVENTS_UNLOAD},
};

struct lines {
    const struct track *track;
    const Str *items;
    Err *refused; /* the error of each line; NULL: not needed */
    uint32_t count;
};

/* The key of the lines of one kind that a worker has taken. */
static Str taken_key(struct arena *arena, Str prefix, Str worker)
{
    return str_printf(arena, "%.*s%.*s", STR_FMT(prefix), STR_FMT(worker));
}

/* Registers the worker before it takes lines, so that its lists can be found if it dies. */
static fiber_fn Err take(struct ctx *ctx, const struct track *track, Str worker, Str list,
                         struct redis_value *ret)
{
    struct redis *redis = ctx->reactor->redis;
    const Str add[] = {STR("SADD"), STR(KEY_TRACKING_TAKERS), worker};
    (void)redis_send(redis, add, COUNT_OF(add));
    return REDIS_CALL(ctx, redis, ret, STR("FCALL"), STR("cq_take"), STR("2"), track->list, list,
                      str_printf(ctx->arena, "%d", TRACKING_DRAIN_MAX));
}

static fiber_fn Err store_text(struct platform platform, const struct track *track, Str text,
                               int64_t *ret_stored)
{
    SCOPED_TX struct db_tx tx = {0};
    int64_t loaded;
    struct rows rows;
    TRY(db_begin_platform(platform, &tx));
    TRY(db_copy_in(&tx, track->copy, text, &loaded));
    TRY(db_tx_query(&tx, track->store, NO_ARGS, &rows));
    *ret_stored = rows.affected;
    TRY(db_tx_query(&tx, track->unload, NO_ARGS, NULL));
    return db_commit(&tx);
}

/* Whether the error is caused by a line. Then the other lines are stored without it; after any
 * other error, the batch is retried. */
static bool is_line_error(Err err)
{
    switch (err) {
    case ERR_INVALID_PAYLOAD:
    case ERR_VALUE_TOO_LONG:
    case ERR_VALUE_OUT_OF_RANGE:
    case ERR_NOT_NULL:
    case ERR_FAILED_VALIDATION:
    case ERR_INVALID_FOREIGN_KEY:
        return true;
    default:
        return false;
    }
}

static fiber_fn Err store_lines(struct platform platform, struct lines lines, int64_t *ret_stored)
{
    struct ctx *ctx = platform.ctx;
    struct buf *text = buf_in_arena(ctx->arena, DRAIN_BYTES_MAX);
    for (uint32_t i = 0; i < lines.count; i++)
        buf_put(text, lines.items[i]);
    TRY(buf_check(ctx, text, "A drain"));
    return store_text(platform, lines.track, buf_str(text), ret_stored);
}

static struct lines lines_part(struct lines lines, uint32_t from, uint32_t to)
{
    return (struct lines){
        .track = lines.track,
        .items = lines.items + from,
        .refused = lines.refused == NULL ? NULL : lines.refused + from,
        .count = to - from,
    };
}

/* Bisects lines that PostgreSQL refuses until the invalid line is alone; that one is dropped. */
static fiber_fn Err store(struct platform platform, struct lines lines, uint32_t depth,
                          int64_t *stored)
{
    struct ctx *ctx = platform.ctx;
    ArenaMark mark = arena_mark(ctx->arena);
    int64_t count = 0;
    Err err = store_lines(platform, lines, &count);
    if (err != OK && !is_line_error(err))
        return err;
    diag_clear(ctx);
    arena_rewind(ctx->arena, mark);
    *stored += count;
    if (err == OK)
        return OK;
    if (lines.count == 1) {
        counter_inc(tracking_dropped);
        if (lines.refused != NULL)
            lines.refused[0] = err;
        return OK;
    }
    assert(depth > 0);
    uint32_t half = lines.count / 2;
    TRY(store(platform, lines_part(lines, 0, half), depth - 1, stored));
    return store(platform, lines_part(lines, half, lines.count), depth - 1, stored);
}

enum { HALVINGS_MAX = 16 };
static_assert(TRACKING_DRAIN_MAX <= 1 << (HALVINGS_MAX - 1));

fiber_fn Err tracking_store_lines(struct platform platform, enum tracking_kind kind,
                                  const Str *items, uint32_t count, Err *refused)
{
    assert(kind < TRACKING_KINDS && count > 0 && count <= 1 << (HALVINGS_MAX - 1));
    int64_t stored = 0;
    struct lines lines = {&TRACKS[kind], items, refused, count};
    Err err = store(platform, lines, HALVINGS_MAX, &stored);
    counter_add(COUNTER_tracking_stored, stored);
    return err;
}

static fiber_fn Err drain_list(struct platform platform, enum tracking_kind kind, Str list,
                               const struct redis_value *taken)
{
    struct ctx *ctx = platform.ctx;
    Str *items = arena_array(ctx->arena, Str, taken->count);
    for (uint32_t i = 0; i < taken->count; i++)
        items[i] = taken->items[i].text;
    TRY(tracking_store_lines(platform, kind, items, taken->count, NULL));
    struct redis_value removed;
    return REDIS_CALL(ctx, ctx->reactor->redis, &removed, STR("DEL"), list);
}

static fiber_fn Err adopt(struct platform platform, Str taker)
{
    struct ctx *ctx = platform.ctx;
    struct redis *redis = ctx->reactor->redis;
    struct redis_value left;
    for (int kind = 0; kind < TRACKING_KINDS; kind++) {
        Str list = taken_key(ctx->arena, TRACKS[kind].taken, taker);
        TRY(REDIS_CALL(ctx, redis, &left, STR("LRANGE"), list, STR("0"), STR("-1")));
        if (left.count > 0)
            TRY(drain_list(platform, (enum tracking_kind)kind, list, &left));
    }
    return REDIS_CALL(ctx, redis, &left, STR("SREM"), STR(KEY_TRACKING_TAKERS), taker);
}

fiber_fn Err tracking_adopt(struct platform platform)
{
    struct ctx *ctx = platform.ctx;
    struct redis_value takers;
    TRY(REDIS_CALL(ctx, ctx->reactor->redis, &takers, STR("SMEMBERS"), STR(KEY_TRACKING_TAKERS)));
    if (takers.count == 0)
        return OK;
    Str *names = arena_array(ctx->arena, Str, takers.count);
    for (uint32_t i = 0; i < takers.count; i++)
        names[i] = takers.items[i].text;
    struct rows gone;
    TRY(db_query_platform(platform, &SQL_WORKERS_UNKNOWN,
                          ARGS(db_text_array(ctx->arena, names, takers.count)), &gone));
    for (uint32_t i = 0; i < gone.count; i++)
        TRY(adopt(platform, row_text(&gone, i, WORKERS_UNKNOWN_ID)));
    return OK;
}

fiber_fn Err tracking_drain(struct platform platform, enum tracking_kind kind, Str worker,
                            uint64_t *ret_taken)
{
    assert(kind < TRACKING_KINDS);
    struct ctx *ctx = platform.ctx;
    const struct track *track = &TRACKS[kind];
    Str list = taken_key(ctx->arena, track->taken, worker);
    struct redis_value taken;
    TRY(take(ctx, track, worker, list, &taken));
    *ret_taken = taken.count;
    if (taken.count == 0)
        return OK;
    return drain_list(platform, kind, list, &taken);
}

static int64_t retention_days(const struct settings *settings)
{
    return settings->analytics_retention_d;
}

const struct retention_table TRACKING_RETENTION[3] = {
    {STR_INIT("pageviews"), retention_days, NULL},
    {STR_INIT("events"), retention_days, NULL},
    {STR_INIT("conversions"), retention_days, NULL},
};
