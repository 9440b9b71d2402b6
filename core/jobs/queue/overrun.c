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
    SAMPLE_US = 100 * 1000,
    /* The most that one sample counts: while the whole process is stopped (SIGSTOP, a suspended
     * machine), the job does not use the CPU either. */
    SAMPLE_MAX_US = 2 * SAMPLE_US,
    REPORT_US = 1000 * 1000,
};

struct watch {
    int64_t job;
    uint64_t turns;
    int64_t sampled_us;
    int64_t held_us; /* how long this job has held the CPU without yielding */
};

static void sample(struct watch *watch, const struct fiber_shown *shown)
{
    int64_t job = atomic_load_explicit(&shown->tag, memory_order_relaxed);
    uint64_t turns = atomic_load_explicit(&shown->turns, memory_order_relaxed);
    int64_t now_us = clock_now_us();
    assert(now_us >= watch->sampled_us);
    int64_t passed_us = now_us - watch->sampled_us;
    bool is_same = job != 0 && job == watch->job && turns == watch->turns;
    watch->held_us = is_same ? watch->held_us + min_i64(passed_us, SAMPLE_MAX_US) : 0;
    watch->job = job;
    watch->turns = turns;
    watch->sampled_us = now_us;
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
               "the supervisor reports the crash, or the lease expires");
    abort();
}

fiber_fn void overrun_watch(struct reactor *reactor, Str incarnation, const _Atomic bool *must_stop)
{
    const struct fiber_shown *shown = &crash_page()->threads[0];
    int64_t limit_s = reactor->settings->job_hard_timeout_s;
    struct arena *arena = arena_create();
    struct ctx ctx = reactor_ctx(reactor, arena, REPORT_US);
    ctx.deadline_us = 0;
    struct watch watch = {.sampled_us = clock_now_us()};
    assert(limit_s > 0);
    while (!atomic_load(must_stop)) {
        err_ignore(fiber_sleep(&ctx, SAMPLE_US), "the watchdog is never cancelled");
        sample(&watch, shown);
        if (watch.held_us >= limit_s * SECOND_US) {
            ctx.deadline_us = clock_now_us() + REPORT_US;
            end_process(&ctx, incarnation, watch.job, limit_s);
        }
    }
    arena_destroy(arena);
}
