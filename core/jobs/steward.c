#include "jobs/steward.h"

#include "base/clock.h"
#include "base/counters.h"
#include "gen/sql.h"
#include "io/reactor.h"

enum { LEADER_LEASE_S = 5, PAGE = 1000, FULL_US = 30 * 1000 * 1000 };
/* Clocks and commits: a row can become visible a little after its run_at. */
enum { OVERLAP_US = 3 * 1000 * 1000 };
/* A due row that nobody took for this long while every list is empty has been forgotten. */
enum { STUCK_US = 60 * 1000 * 1000 };

static fiber_fn Err reap(struct platform platform);

static fiber_fn Err leadership(struct platform platform, struct steward *steward, Str worker)
{
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_LEASE_TAKE,
                          ARGS(db_text(STR("queue")), db_text(worker), db_real(LEADER_LEASE_S)),
                          &rows));
    bool is_leader = rows.count == 1;
    if (is_leader && !steward->is_leader) {
        steward->full_at_us = 0;
        steward->reap_from_us =
            clock_now_us() + platform.ctx->reactor->settings->worker_lease_s * SECOND_US;
    }
    steward->is_leader = is_leader;
    return OK;
}

typedef Err PageFn(struct ctx *ctx, const struct queue_member *members, uint32_t count);

static fiber_fn Err push_page(struct ctx *ctx, const struct queue_member *members, uint32_t count)
{
    uint32_t added;
    TRY(queue_push_missing(ctx, members, count, &added));
    counter_add(COUNTER_jobs_reconciled, added);
    return OK;
}

/* Every queued row with since < run_at <= now, a page at a time. */
static fiber_fn Err each_due(struct platform platform, int64_t since_us, PageFn *page)
{
    struct ctx *ctx = platform.ctx;
    int64_t last_run_at = 0;
    int64_t last_id = 0;
    for (;;) {
        ArenaMark mark = arena_mark(ctx->arena);
        struct rows rows;
        TRY(db_query_platform(platform, &SQL_JOBS_DUE_SINCE,
                              ARGS(db_time(since_us), db_time(last_run_at), db_int(last_id)),
                              &rows));
        struct queue_member *members = arena_array(ctx->arena, struct queue_member, PAGE);
        for (uint32_t i = 0; i < rows.count; i++) {
            members[i].id = row_int(&rows, i, JOBS_DUE_SINCE_ID);
            members[i].site = row_uuid(&rows, i, JOBS_DUE_SINCE_SITE_ID);
        }
        uint32_t count = rows.count;
        if (count > 0) {
            last_run_at = row_time(&rows, count - 1, JOBS_DUE_SINCE_RUN_AT);
            last_id = members[count - 1].id;
            TRY(page(ctx, members, count));
        }
        arena_rewind(ctx->arena, mark);
        if (count < PAGE)
            return OK;
    }
}

static fiber_fn Err database_now(struct platform platform, int64_t *ret_us)
{
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_JOBS_NOW, NO_ARGS, &rows));
    *ret_us = row_time(&rows, 0, JOBS_NOW_NOW);
    return OK;
}

/* When every list is empty, a row that has been due for a minute is in none of them. */
static fiber_fn Err push_stuck(struct platform platform, int64_t now_us)
{
    bool is_empty;
    TRY(queue_is_empty(platform.ctx, &is_empty));
    if (!is_empty)
        return OK;
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_JOBS_STUCK, ARGS(db_time(now_us - STUCK_US)), &rows));
    struct queue_member *members = arena_array(platform.ctx->arena, struct queue_member, PAGE);
    for (uint32_t i = 0; i < rows.count; i++) {
        members[i].id = row_int(&rows, i, JOBS_STUCK_ID);
        members[i].site = row_uuid(&rows, i, JOBS_STUCK_SITE_ID);
    }
    if (rows.count == 0)
        return OK;
    return queue_push_stuck(platform.ctx, members, rows.count);
}

static fiber_fn Err reconcile_fully(struct platform platform, struct steward *steward,
                                    int64_t now_us)
{
    TRY(each_due(platform, 0, push_page));
    TRY(queue_mark_filled(platform.ctx));
    TRY(push_stuck(platform, now_us));
    steward->full_at_us = clock_now_us() + FULL_US;
    return OK;
}

static fiber_fn Err reconcile(struct platform platform, struct steward *steward)
{
    struct ctx *ctx = platform.ctx;
    int64_t now_us;
    TRY(database_now(platform, &now_us));
    bool remembers;
    TRY(queue_remembers(ctx, &remembers));
    uint64_t incarnation = redis_incarnation(ctx->reactor->redis);
    bool is_full = !remembers || incarnation != steward->redis_incarnation ||
                   clock_now_us() >= steward->full_at_us;
    if (is_full)
        TRY(reconcile_fully(platform, steward, now_us));
    else
        TRY(each_due(platform, steward->due_since_us - OVERLAP_US, push_page));
    steward->redis_incarnation = incarnation;
    steward->due_since_us = now_us;
    return OK;
}

fiber_fn Err steward_turn(struct ctx *ctx, struct steward *steward, Str worker)
{
    struct platform platform = reactor_platform(ctx);
    Err err = leadership(platform, steward, worker);
    if (err != OK) {
        /* PostgreSQL was away: leases could not be renewed either. */
        steward->is_leader = false;
        return err;
    }
    if (!steward->is_leader)
        return OK;
    if (clock_now_us() >= steward->reap_from_us)
        TRY(reap(platform));
    return reconcile(platform, steward);
}

/* The culprit is known when the supervisor named it, or when the dead worker ran one job only. */
static fiber_fn Err culprit_find(struct platform platform, Str worker, DbArg named, DbArg *ret)
{
    *ret = named;
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_JOBS_OF_WORKER, ARGS(db_text(worker)), &rows));
    if (rows.count == 1)
        *ret = db_int(row_int(&rows, 0, JOBS_OF_WORKER_ID));
    return OK;
}

static fiber_fn Err reap_worker(struct platform platform, Str worker, DbArg named)
{
    DbArg culprit;
    TRY(culprit_find(platform, worker, named, &culprit));
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_JOBS_REAP, ARGS(db_text(worker), culprit), &rows));
    counter_add(COUNTER_jobs_reaped, rows.count);
    TRY(db_query_platform(platform, &SQL_WORKER_FORGET, ARGS(db_text(worker)), NULL));
    err_ignore(queue_reap(platform.ctx, worker), "the reconcile finds the rows without Redis");
    return OK;
}

static fiber_fn Err reap(struct platform platform)
{
    struct rows dead;
    TRY(db_query_platform(platform, &SQL_WORKERS_DEAD, NO_ARGS, &dead));
    for (uint32_t i = 0; i < dead.count; i++) {
        DbArg named = row_is_null(&dead, i, WORKERS_DEAD_CURRENT_JOB)
                          ? db_null()
                          : db_int(row_int(&dead, i, WORKERS_DEAD_CURRENT_JOB));
        TRY(reap_worker(platform, row_text(&dead, i, WORKERS_DEAD_ID), named));
    }
    return OK;
}
