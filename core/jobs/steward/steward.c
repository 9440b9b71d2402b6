#include "jobs/steward/steward.h"

#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "jobs/queue/job.h"

#include <assert.h>

enum {
    LEADER_LEASE_S = 5,
    PAGE = 1000,
    PAGES_A_TURN = 100, /* bounds a turn, so that it ends well before the leader's lease expires */
    FULL_US = 30 * 1000 * 1000,
    /* Clock skew and late commits: a row can become visible shortly after its run_at. */
    OVERLAP_US = 3 * 1000 * 1000,
    /* A row that has been due for so long while every list is empty is missing in the index. */
    STUCK_US = 60 * 1000 * 1000,
    SWEEP_US = 60 * 1000 * 1000, /* pause between two passes over the table */
    SWEEP_PAGE = 5000,
    HEADS_OF_SITE = 50,
};

static fiber_fn Err reap(struct platform platform, bool only_certain);
static fiber_fn Err reconcile(struct platform platform, struct steward *steward);
static fiber_fn Err sweep(struct platform platform, struct steward *steward);

static fiber_fn Err leadership(struct platform platform, struct steward *steward, Str worker)
{
    assert(worker.len > 0);
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

fiber_fn Err steward_turn(struct ctx *ctx, struct steward *steward, Str worker)
{
    struct platform platform = reactor_platform(ctx);
    Err err = leadership(platform, steward, worker);
    if (err != OK) {
        /* While PostgreSQL was unreachable, workers could not renew their leases either. */
        steward->is_leader = false;
        return err;
    }
    if (!steward->is_leader)
        return OK;
    TRY(reap(platform, clock_now_us() < steward->reap_from_us));
    TRY(sweep(platform, steward));
    TRY(reconcile(platform, steward));
    return schedules_run(platform, steward->schedule_due_us);
}

/* The job that crashed a worker: the one that the supervisor recorded, the suspected one that ran
 * alone, or the only one that the worker ran. Otherwise NULL. */
static fiber_fn Err culprit_find(struct platform platform, Str worker, DbArg named, DbArg *ret)
{
    *ret = named;
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_JOBS_OF_WORKER, ARGS(db_text(worker)), &rows));
    if (rows.count == 1)
        *ret = db_int(row_int(&rows, 0, JOBS_OF_WORKER_ID));
    return OK;
}

static fiber_fn Err reap_worker(struct platform platform, Str worker, DbArg named, DbArg reason)
{
    DbArg culprit;
    TRY(culprit_find(platform, worker, named, &culprit));
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_JOBS_REAP, ARGS(db_text(worker), culprit, reason), &rows));
    counter_add(COUNTER_jobs_reaped, rows.count);
    TRY(db_query_platform(platform, &SQL_WORKER_FORGET, ARGS(db_text(worker)), NULL));
    if (queue_reap(platform.ctx, worker) != OK)
        diag_clear(platform.ctx); /* the full pass finds it among the holders */
    return OK;
}

static fiber_fn Err reap(struct platform platform, bool only_certain)
{
    struct rows dead;
    TRY(db_query_platform(platform, &SQL_WORKERS_DEAD, NO_ARGS, &dead));
    for (uint32_t i = 0; i < dead.count; i++) {
        if (only_certain && !row_bool(&dead, i, WORKERS_DEAD_IS_CERTAIN))
            continue;
        DbArg named = row_is_null(&dead, i, WORKERS_DEAD_CURRENT_JOB)
                          ? db_null()
                          : db_int(row_int(&dead, i, WORKERS_DEAD_CURRENT_JOB));
        DbArg reason = row_is_null(&dead, i, WORKERS_DEAD_CRASH_REASON)
                           ? db_null()
                           : db_text(row_text(&dead, i, WORKERS_DEAD_CRASH_REASON));
        TRY(reap_worker(platform, row_text(&dead, i, WORKERS_DEAD_ID), named, reason));
    }
    return OK;
}

/* Pushes up to `pages` pages of queued rows with since < run_at <= now, starting after (*run_at,
 * *id) and advancing both. *ret_is_end: there were no more. */
static fiber_fn Err push_due(struct platform platform, int64_t since_us, uint32_t pages,
                             int64_t *run_at, int64_t *id, bool *ret_is_end)
{
    struct ctx *ctx = platform.ctx;
    uint32_t count = PAGE;
    for (uint32_t p = 0; p < pages && count == PAGE; p++) {
        ArenaMark mark = arena_mark(ctx->arena);
        struct rows rows;
        TRY(db_query_platform(platform, &SQL_JOBS_DUE_SINCE,
                              ARGS(db_time(since_us), db_time(*run_at), db_int(*id)), &rows));
        count = rows.count;
        struct queue_member *members = arena_array(ctx->arena, struct queue_member, PAGE);
        for (uint32_t i = 0; i < count; i++) {
            FIBER_BREATHE_EVERY(ctx, i, 64);
            members[i].id = row_int(&rows, i, JOBS_DUE_SINCE_ID);
            members[i].site = row_uuid(&rows, i, JOBS_DUE_SINCE_SITE_ID);
        }
        if (count > 0) {
            uint32_t added;
            TRY(queue_push_missing(ctx, members, count, &added));
            counter_add(COUNTER_jobs_reconciled, added);
            *run_at = row_time(&rows, count - 1, JOBS_DUE_SINCE_RUN_AT);
            *id = members[count - 1].id;
        }
        arena_rewind(ctx->arena, mark);
    }
    *ret_is_end = count < PAGE;
    return OK;
}

/*
 * Rows are pushed in the order of run_at, and one site may have a million due rows. To keep other
 * sites from waiting behind it, every turn first pushes the first HEADS_OF_SITE rows of each site;
 * once those are claimed, the next ones take their place.
 */
static fiber_fn Err push_heads(struct platform platform)
{
    struct ctx *ctx = platform.ctx;
    ArenaMark mark = arena_mark(ctx->arena);
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_JOBS_DUE_HEADS, ARGS(db_int(HEADS_OF_SITE)), &rows));
    struct queue_member *members = arena_array(ctx->arena, struct queue_member, PAGE);
    uint32_t count = 0;
    for (uint32_t i = 0; i < rows.count; i++) {
        TRY(fiber_breathe(ctx));
        members[count].id = row_int(&rows, i, JOBS_DUE_HEADS_ID);
        members[count++].site = row_uuid(&rows, i, JOBS_DUE_HEADS_SITE_ID);
        if (count < PAGE && i + 1 < rows.count)
            continue;
        uint32_t added;
        TRY(queue_push_missing(ctx, members, count, &added));
        counter_add(COUNTER_jobs_reconciled, added);
        count = 0;
    }
    arena_rewind(ctx->arena, mark);
    return OK;
}

/* If every list is empty, a row that has been due for a minute is in none of them. */
static fiber_fn Err push_stuck(struct platform platform, int64_t now_us)
{
    bool is_empty;
    TRY(queue_is_empty(platform.ctx, &is_empty));
    if (!is_empty)
        return OK;
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_JOBS_STUCK, ARGS(db_time(now_us - STUCK_US)), &rows));
    assert(rows.count <= PAGE);
    struct queue_member *members = arena_array(platform.ctx->arena, struct queue_member, PAGE);
    for (uint32_t i = 0; i < rows.count; i++) {
        members[i].id = row_int(&rows, i, JOBS_STUCK_ID);
        members[i].site = row_uuid(&rows, i, JOBS_STUCK_SITE_ID);
    }
    if (rows.count == 0)
        return OK;
    return queue_push_stuck(platform.ctx, members, rows.count);
}

/* Redis may still list workers that PostgreSQL has deleted, if it was unreachable when they were
 * reaped. */
static fiber_fn Err reap_forgotten(struct platform platform)
{
    struct ctx *ctx = platform.ctx;
    const Str *names;
    uint32_t count;
    TRY(queue_holders(ctx, &names, &count));
    if (count == 0)
        return OK;
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_WORKERS_UNKNOWN,
                          ARGS(db_text_array(ctx->arena, names, count)), &rows));
    for (uint32_t i = 0; i < rows.count; i++)
        TRY(queue_reap(ctx, row_text(&rows, i, WORKERS_UNKNOWN_ID)));
    return OK;
}

/* The next part of the full pass; when it ends, Redis has every waiting job. */
static fiber_fn Err scan(struct platform platform, struct steward *steward, int64_t now_us)
{
    bool is_end;
    TRY(push_due(platform, 0, PAGES_A_TURN, &steward->scan_run_at, &steward->scan_id, &is_end));
    if (!is_end)
        return push_heads(platform);
    TRY(queue_mark_filled(platform.ctx));
    TRY(reap_forgotten(platform));
    TRY(push_stuck(platform, now_us));
    steward->is_scanning = false;
    steward->full_at_us = clock_now_us() + FULL_US;
    return OK;
}

static fiber_fn Err database_now(struct platform platform, int64_t *ret_us)
{
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_JOBS_NOW, NO_ARGS, &rows));
    assert(rows.count == 1);
    *ret_us = row_time(&rows, 0, JOBS_NOW_NOW);
    return OK;
}

/* A full pass starts when Redis may have lost data, and every FULL_US. */
static fiber_fn Err scan_if_due(struct ctx *ctx, struct steward *steward)
{
    bool remembers;
    TRY(queue_remembers(ctx, &remembers));
    uint64_t incarnation = redis_incarnation(ctx->reactor->redis);
    bool is_other = incarnation != steward->redis_incarnation;
    bool is_due = !remembers || clock_now_us() >= steward->full_at_us;
    if (is_other || (is_due && !steward->is_scanning)) {
        steward->is_scanning = true;
        steward->scan_run_at = 0;
        steward->scan_id = 0;
        steward->redis_incarnation = incarnation;
    }
    return OK;
}

static fiber_fn Err reconcile(struct platform platform, struct steward *steward)
{
    int64_t now_us;
    TRY(database_now(platform, &now_us));
    TRY(scan_if_due(platform.ctx, steward));
    if (steward->is_scanning)
        TRY(scan(platform, steward, now_us));
    int64_t since_us = steward->due_since_us - OVERLAP_US;
    int64_t run_at = since_us;
    int64_t id = 0;
    bool is_end = true;
    if (steward->due_since_us != 0)
        TRY(push_due(platform, since_us, PAGES_A_TURN, &run_at, &id, &is_end));
    if (!is_end)
        TRY(push_heads(platform));
    /* If one turn cannot push all of them, the next turn continues from here. */
    steward->due_since_us = is_end ? now_us : run_at;
    return OK;
}

/* Deletes one page per turn, starting with the oldest row; the pass ends at a page with a job that
 * must be kept. */
static fiber_fn Err sweep(struct platform platform, struct steward *steward)
{
    if (clock_now_us() < steward->sweep_at_us)
        return OK;
    struct rows rows;
    int64_t hours = platform.ctx->reactor->settings->job_retention_h;
    TRY(db_query_platform(
        platform, &SQL_JOBS_SWEEP,
        ARGS(db_int(SWEEP_PAGE), db_int(steward->sweep_id), db_int4((int32_t)hours)), &rows));
    counter_add(COUNTER_jobs_swept, row_int(&rows, 0, JOBS_SWEEP_REMOVED));
    steward->sweep_id = row_int(&rows, 0, JOBS_SWEEP_LAST_ID);
    if (row_int(&rows, 0, JOBS_SWEEP_LOOKED_AT) == SWEEP_PAGE &&
        !row_bool(&rows, 0, JOBS_SWEEP_IS_YOUNG))
        return OK;
    steward->sweep_id = 0;
    steward->sweep_at_us = clock_now_us() + SWEEP_US;
    return OK;
}
