#include "jobs/queue/overrun.h"

#include "base/system/clock.h"
#include "base/system/log.h"
#include "base/system/range.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"
#include "jobs/queue/crash_page.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    LOOK_US = 100 * 1000,
    /* What a look counts for at most: while the whole process stands still (SIGSTOP, a machine that
     * sleeps), the job has not had the CPU either. */
    LOOK_MAX_US = 2 * LOOK_US,
    TELL_US = 1000 * 1000,
};

struct watch {
    int64_t job;
    uint64_t turns;
    int64_t looked_us;
    int64_t held_us; /* how long this job has been seen in this turn */
};

static void look(struct watch *watch, const struct fiber_shown *shown)
{
    int64_t job = atomic_load_explicit(&shown->tag, memory_order_relaxed);
    uint64_t turns = atomic_load_explicit(&shown->turns, memory_order_relaxed);
    int64_t now_us = clock_now_us();
    assert(now_us >= watch->looked_us);
    int64_t passed_us = now_us - watch->looked_us;
    bool is_same = job != 0 && job == watch->job && turns == watch->turns;
    watch->held_us = is_same ? watch->held_us + min_i64(passed_us, LOOK_MAX_US) : 0;
    watch->job = job;
    watch->turns = turns;
    watch->looked_us = now_us;
}

/* The page comes first: the supervisor has it whatever becomes of the rest. */
static fiber_fn void end_process(struct ctx *ctx, Str incarnation, int64_t job, int64_t limit_s)
{
    assert(job != 0 && limit_s > 0);
    struct crash_page *page = crash_page();
    atomic_store(&page->overrun_s, limit_s);
    atomic_store(&page->overrun_job, job);
    Str reason = crash_page_overrun_reason(ctx->arena, limit_s);
    log_event(LOG_ERROR, "hard_timeout", LOG_I("job", job), LOG_I("limit_s", limit_s),
              LOG_S("worker", incarnation));
    err_ignore(db_query_platform(reactor_platform(ctx), &SQL_WORKER_CRASHED,
                                 ARGS(db_text(incarnation), db_int(job), db_text(reason)), NULL),
               "the supervisor tells it, or the lease runs out");
    abort();
}

fiber_fn void overrun_watch(struct reactor *reactor, Str incarnation, const _Atomic bool *must_stop)
{
    const struct fiber_shown *shown = &crash_page()->threads[0];
    int64_t limit_s = reactor->settings->job_hard_timeout_s;
    struct arena *arena = arena_create();
    struct ctx ctx = reactor_ctx(reactor, arena, TELL_US);
    ctx.deadline_us = 0;
    struct watch watch = {.looked_us = clock_now_us()};
    assert(limit_s > 0);
    while (!atomic_load(must_stop)) {
        err_ignore(fiber_sleep(&ctx, LOOK_US), "nobody cancels it");
        look(&watch, shown);
        if (watch.held_us >= limit_s * SECOND_US) {
            ctx.deadline_us = clock_now_us() + TELL_US;
            end_process(&ctx, incarnation, watch.job, limit_s);
        }
    }
    arena_destroy(arena);
}
