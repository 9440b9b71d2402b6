/* The fibers that every worker runs besides its jobs. */
#include "base/system/clock.h"
#include "base/system/log.h"
#include "base/system/range.h"
#include "jobs/steward/steward.h"
#include "visitors/tracking/tracking.h"
#include "workers/worker.h"

enum {
    TURN_TIMEOUT_US = 30 * 1000 * 1000,
    DRAIN_PAUSE_US = 200 * 1000,
    ADOPT_US = 5 * 1000 * 1000,
};

void worker_steward_run(void *arg)
{
    struct worker *worker = arg;
    struct arena *arena = arena_create();
    struct steward steward = {0};
    bool was_failing = false;
    Err slept = OK;
    while (!worker->is_draining && slept == OK) {
        arena_reset(arena);
        struct ctx ctx = reactor_ctx(worker->reactor, arena, TURN_TIMEOUT_US);
        Err err = steward_turn(&ctx, &steward, worker->incarnation);
        if (err != OK && !was_failing)
            log_event(LOG_WARN, "steward_failed", LOG_Z("error", err_info(err)->name));
        was_failing = err != OK;
        ctx.deadline_us = 0;
        slept = fiber_sleep(&ctx, STEWARD_TURN_US);
    }
    arena_destroy(arena);
}

/* One turn of the drain. Every ADOPT_US it first adopts the lists of dead workers, under load
 * too. */
static fiber_fn Err drain_turn(struct worker *worker, struct ctx *ctx, int64_t *adopt_at_us,
                               uint64_t *ret_taken)
{
    struct platform platform = reactor_platform(ctx);
    *ret_taken = 0;
    if (!redis_is_up(worker->reactor->redis))
        return OK;
    if (clock_now_us() >= *adopt_at_us) {
        TRY(tracking_adopt(platform));
        *adopt_at_us = clock_now_us() + ADOPT_US;
    }
    for (int kind = 0; kind < TRACKING_KINDS; kind++) {
        uint64_t taken;
        TRY(tracking_drain(platform, (enum tracking_kind)kind, worker->incarnation, &taken));
        *ret_taken = max_u64(taken, *ret_taken);
    }
    return OK;
}

/* Drains until the lists are empty, then pauses. When the worker stops, events that it has taken
 * are either stored or stay in its list until another worker adopts them. */
void worker_drain_tracking_run(void *arg)
{
    struct worker *worker = arg;
    struct arena *arena = arena_create();
    int64_t adopt_at_us = 0;
    bool was_failing = false;
    Err slept = OK;
    while (!worker->is_draining && slept == OK) {
        arena_reset(arena);
        struct ctx ctx = reactor_ctx(worker->reactor, arena, TURN_TIMEOUT_US);
        uint64_t taken = 0;
        Err err = drain_turn(worker, &ctx, &adopt_at_us, &taken);
        if (err != OK && !was_failing)
            log_event(LOG_WARN, "tracking_drain_failed", LOG_Z("error", err_info(err)->name),
                      LOG_S("reason", ctx.diag.first != NULL ? ctx.diag.first->reason : STR_NONE));
        was_failing = err != OK;
        ctx.deadline_us = 0;
        if (err != OK || taken < TRACKING_DRAIN_MAX)
            slept = fiber_sleep(&ctx, DRAIN_PAUSE_US);
    }
    arena_destroy(arena);
}
