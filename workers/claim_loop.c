/*
 * The claim loop. With Redis: claim by id, wait at the bell. Without: poll the table twice a
 * second. It never holds more jobs than it has slots.
 */
#include "base/clock.h"
#include "base/log.h"
#include "workers/worker.h"

enum { POLL_US = 500 * 1000, CLAIM_TIMEOUT_US = 10 * 1000 * 1000 };

static uint32_t free_slots(const struct worker *worker)
{
    if (worker->runs_alone || worker->running >= worker->slots)
        return 0;
    uint32_t free = worker->slots - worker->running;
    return free < CLAIM_MAX ? free : CLAIM_MAX;
}

static bool may_claim(const struct worker *worker)
{
    return !worker->is_draining && lease_is_held(worker->lease);
}

void worker_slot_freed(struct worker *worker)
{
    lease_report(worker->lease, worker->running, worker->is_draining);
    if (worker->slot_waiter != NULL && free_slots(worker) > 0) {
        struct wait *waiter = worker->slot_waiter;
        worker->slot_waiter = NULL;
        wait_end(waiter, OK);
    }
}

/* Until a slot is free; in between it looks up now and then, for the drain. */
static fiber_fn void wait_for_slot(struct worker *worker, struct ctx *ctx)
{
    if (free_slots(worker) > 0)
        return;
    struct wait wait = wait_begin();
    worker->slot_waiter = &wait;
    err_ignore(fiber_wait(ctx, &wait), "a timeout only means another look");
    worker->slot_waiter = NULL;
}

/* *ret_idle: there was nothing to do. */
static fiber_fn Err claim_once(struct worker *worker, struct ctx *ctx, bool *ret_idle)
{
    struct platform platform = reactor_platform(ctx);
    struct claimed *claimed = arena_array(ctx->arena, struct claimed, CLAIM_MAX);
    uint32_t most = free_slots(worker);
    uint32_t count = 0;
    Err err = jobs_claim(platform, worker->incarnation, most, claimed, &count);
    if (err == ERR_UNAVAILABLE && !redis_is_up(worker->reactor->redis)) {
        diag_clear(ctx);
        TRY(jobs_claim_polling(platform, worker->incarnation, most, claimed, &count));
    } else {
        TRY(err);
    }
    for (uint32_t i = 0; i < count; i++)
        worker_start_job(worker, &claimed[i]);
    lease_report(worker->lease, worker->running, worker->is_draining);
    *ret_idle = count == 0;
    return OK;
}

static fiber_fn void be_idle(struct worker *worker, struct ctx *ctx)
{
    if (redis_is_up(worker->bell) && queue_wait(ctx, worker->bell) == OK)
        return;
    err_ignore(fiber_sleep(ctx, POLL_US), "the loop decides whether to go on");
}

void worker_claim_run(void *arg)
{
    struct worker *worker = arg;
    struct arena *arena = arena_create();
    bool was_failing = false;
    while (may_claim(worker)) {
        arena_reset(arena);
        struct ctx ctx = reactor_ctx(worker->reactor, arena, CLAIM_TIMEOUT_US);
        if (free_slots(worker) == 0) {
            wait_for_slot(worker, &ctx);
            continue;
        }
        bool is_idle = true;
        Err err = claim_once(worker, &ctx, &is_idle);
        if (err != OK && !was_failing)
            log_event(LOG_WARN, "claim_failed", LOG_Z("error", err_info(err)->name));
        was_failing = err != OK;
        if (err != OK)
            err_ignore(fiber_sleep(&ctx, POLL_US), "the loop decides whether to go on");
        else if (is_idle)
            be_idle(worker, &ctx);
    }
    if (!worker->is_draining) {
        log_event(LOG_ERROR, "lease_lost", LOG_S("worker", worker->incarnation));
        fiber_cancel_all(worker->reactor->loop);
        loop_stop(worker->reactor->loop);
    }
    arena_destroy(arena);
}
