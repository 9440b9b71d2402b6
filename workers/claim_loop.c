/*
 * The claim loop. Only this fiber claims and starts jobs, so between two claims it knows exactly
 * which jobs this worker has; any others that PostgreSQL or Redis assign to it are handed back.
 *
 * With Redis: claims by id and waits on the wake-up list. Without: polls the table twice a second.
 * It never holds more jobs than it has slots.
 */
#include "base/system/clock.h"
#include "base/system/log.h"
#include "base/system/range.h"
#include "io/fiber/loop.h"
#include "workers/worker.h"

enum {
    POLL_US = 500 * 1000,
    CLAIM_TIMEOUT_US = 10 * 1000 * 1000,
    /* A claim costs two round trips however many jobs it returns, so wait until a quarter of the
     * slots is free, but not longer than a claim takes. */
    SHARE = 4,
    SHARE_WAIT_US = 5 * 1000,
    HELD_BACK_US = 10 * 1000,
    LOOK_UP_US = 1000 * 1000, /* how often a worker without free slots checks its lease */
    AUDIT_US = 10 * 1000 * 1000,
};

static uint32_t free_slots(const struct worker *worker)
{
    if (worker->running >= worker->slots)
        return 0;
    uint32_t free = worker->slots - worker->running;
    return min_u32(free, CLAIM_MAX);
}

static bool may_claim(const struct worker *worker)
{
    return !worker->is_draining && lease_is_held(worker->lease);
}

void worker_slot_freed(struct worker *worker)
{
    lease_report(worker->lease, worker->running, worker->is_draining);
    if (worker->slot_waiter != NULL && worker->slots - worker->running >= worker->slots_wanted) {
        struct wait *waiter = worker->slot_waiter;
        worker->slot_waiter = NULL;
        wait_end(waiter, OK);
    }
}

/* Waits until `wanted` slots are free, at most most_us; false if the loop was cancelled. */
static fiber_fn bool wait_for_slots(struct worker *worker, uint32_t wanted, int64_t most_us)
{
    if (worker->slots - worker->running >= wanted)
        return true;
    struct arena *arena = arena_create();
    struct ctx ctx = reactor_ctx(worker->reactor, arena, most_us);
    struct wait wait = wait_begin();
    worker->slot_waiter = &wait;
    worker->slots_wanted = wanted;
    Err err = fiber_wait(&ctx, &wait);
    worker->slot_waiter = NULL;
    arena_destroy(arena);
    return err != ERR_CANCELLED;
}

static void start(struct worker *worker, const struct claimed *claimed)
{
    worker_start_job(worker, claimed);
    lease_report(worker->lease, worker->running, worker->is_draining);
}

/*
 * A suspected job runs alone, and PostgreSQL knows which one it is: if the worker dies, the crash
 * is charged to it and not to the jobs that wait behind it.
 */
static fiber_fn void run_alone(struct worker *worker, struct ctx *ctx,
                               const struct claimed *claimed)
{
    struct platform platform = reactor_platform(ctx);
    while (worker->running > 0 && may_claim(worker))
        if (!wait_for_slots(worker, worker->slots, LOOK_UP_US))
            return;
    ctx->deadline_us = clock_now_us() + CLAIM_TIMEOUT_US;
    if (!may_claim(worker) || worker_suspects(platform, worker->incarnation, claimed->job.id) != OK)
        return; /* the audit, or the end of the drain, hands the job back */
    start(worker, claimed);
    while (worker->running > 0 && lease_is_held(worker->lease))
        if (!wait_for_slots(worker, worker->slots, LOOK_UP_US))
            return;
}

static fiber_fn void run_suspects(struct worker *worker, struct ctx *ctx,
                                  const struct claimed *claimed, uint32_t count)
{
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!claimed[i].is_quarantined)
            continue;
        run_alone(worker, ctx, &claimed[i]);
        any = true;
    }
    ctx->deadline_us = clock_now_us() + CLAIM_TIMEOUT_US;
    if (any)
        err_ignore(worker_suspects(reactor_platform(ctx), worker->incarnation, 0),
                   "the next claim detects the outage or the lost lease");
}

static fiber_fn Err claim_once(struct worker *worker, struct ctx *ctx, struct claims *ret)
{
    struct claimed *claimed = arena_array(ctx->arena, struct claimed, CLAIM_MAX);
    *ret = (struct claims){.jobs = claimed};
    worker_report_ended(worker);
    struct claim_room room = {.most = free_slots(worker), .slots = worker->slots};
    TRY(jobs_claim(reactor_platform(ctx), worker->incarnation, room, ret));
    if (worker->is_draining)
        return OK; /* hand_back_run hands the claimed jobs back */
    for (uint32_t i = 0; i < ret->count; i++)
        if (!claimed[i].is_quarantined)
            start(worker, &claimed[i]);
    run_suspects(worker, ctx, claimed, ret->count);
    return OK;
}

/* Replies can get lost: of a claim that succeeded, or of a job that ended. Hands back the jobs that
 * only PostgreSQL or Redis assign to this worker. */
static fiber_fn Err audit(struct worker *worker, struct ctx *ctx)
{
    const int64_t *ids = worker_running_ids(worker, ctx->arena);
    uint32_t count = worker->running;
    uint32_t rows = 0;
    uint32_t members = 0;
    TRY(jobs_hand_back(reactor_platform(ctx), worker->incarnation, ids, count, &rows));
    if (redis_is_up(worker->reactor->redis))
        TRY(queue_audit(ctx, worker->incarnation, ids, count, &members));
    if (rows > 0 || members > 0)
        log_event(LOG_WARN, "handed_back", LOG_I("rows", rows), LOG_I("members", members));
    return OK;
}

static fiber_fn void be_idle(struct worker *worker, struct ctx *ctx)
{
    if (redis_is_up(worker->wake_up) && queue_wait(ctx, worker->wake_up) == OK)
        return;
    err_ignore(fiber_sleep(ctx, POLL_US), "the loop decides whether to go on");
}

/* A site that has reached its share waits for one of its jobs to end. The wake-up list does not
 * signal that, so the index is polled every few milliseconds; this also finds jobs of other
 * sites. */
static fiber_fn void wait_for_others(struct worker *worker)
{
    (void)wait_for_slots(worker, worker->slots - worker->running + 1, HELD_BACK_US);
}

/* One turn; *audit_at_us says when the next audit is due. */
static fiber_fn Err turn(struct worker *worker, struct ctx *ctx, int64_t *audit_at_us)
{
    if (clock_now_us() >= *audit_at_us) {
        TRY(audit(worker, ctx));
        *audit_at_us = clock_now_us() + AUDIT_US;
    }
    uint32_t share = max_u32(worker->slots / SHARE, 1);
    if (free_slots(worker) == 0)
        (void)wait_for_slots(worker, 1, LOOK_UP_US);
    if (free_slots(worker) > 0 && worker->running > 0)
        (void)wait_for_slots(worker, share, SHARE_WAIT_US);
    if (free_slots(worker) == 0 || !may_claim(worker))
        return OK;
    struct claims claims;
    TRY(claim_once(worker, ctx, &claims));
    if (claims.count == 0 && claims.is_held_back)
        wait_for_others(worker);
    else if (claims.count == 0)
        be_idle(worker, ctx);
    return OK;
}

static void lose(struct worker *worker)
{
    log_event(LOG_ERROR, "lease_lost", LOG_S("worker", worker->incarnation));
    worker->has_lost_lease = true;
    loop_stop(worker->reactor->loop);
}

void worker_claim_run(void *arg)
{
    struct worker *worker = arg;
    struct arena *arena = arena_create();
    int64_t audit_at_us = clock_now_us() + AUDIT_US;
    bool was_failing = false;
    worker->is_claiming = true;
    while (may_claim(worker)) {
        arena_reset(arena);
        struct ctx ctx = reactor_ctx(worker->reactor, arena, CLAIM_TIMEOUT_US);
        Err err = turn(worker, &ctx, &audit_at_us);
        if (err != OK && !was_failing)
            log_event(LOG_WARN, "claim_failed", LOG_Z("error", err_info(err)->name),
                      LOG_S("reason", ctx.diag.first != NULL ? ctx.diag.first->reason : STR_NONE));
        was_failing = err != OK;
        if (err == OK)
            continue;
        audit_at_us = 0; /* the claim may have succeeded */
        ctx.deadline_us = 0;
        err_ignore(fiber_sleep(&ctx, POLL_US), "the loop decides whether to go on");
    }
    worker->is_claiming = false;
    if (!worker->is_draining)
        lose(worker);
    arena_destroy(arena);
}
