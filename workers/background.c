/* The fibers that every worker runs beside its jobs. */
#include "base/clock.h"
#include "base/log.h"
#include "jobs/steward.h"
#include "jobs/tracking.h"
#include "workers/worker.h"

enum { TURN_TIMEOUT_US = 30 * 1000 * 1000, DRAIN_PAUSE_US = 200 * 1000 };

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

/* Drains as long as there is something, then rests. The last turn of a stopping worker counts
 * too: what it had taken is stored or stays in its list for the next. */
void worker_drain_tracking_run(void *arg)
{
    struct worker *worker = arg;
    struct arena *arena = arena_create();
    bool was_failing = false;
    Err slept = OK;
    while (!worker->is_draining && slept == OK) {
        arena_reset(arena);
        struct ctx ctx = reactor_ctx(worker->reactor, arena, TURN_TIMEOUT_US);
        uint64_t stored = 0;
        Err err = pageviews_drain(reactor_platform(&ctx), worker->incarnation, &stored);
        if (err != OK && !was_failing)
            log_event(LOG_WARN, "tracking_drain_failed", LOG_Z("error", err_info(err)->name),
                      LOG_S("reason", ctx.diag.first != NULL ? ctx.diag.first->reason : STR_NONE));
        was_failing = err != OK;
        ctx.deadline_us = 0;
        if (stored < TRACKING_DRAIN_MAX)
            slept = fiber_sleep(&ctx, DRAIN_PAUSE_US);
    }
    arena_destroy(arena);
}
