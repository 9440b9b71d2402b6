/*
 * One job, from claim to end: its fiber, its ctx, what becomes of its result.
 */
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "workers/handlers.h"
#include "workers/worker.h"

#include <assert.h>
#include <stdlib.h>

/* For what must be written after the job itself ran out of time or was cancelled. */
enum { END_TIMEOUT_US = 5 * 1000 * 1000 };

struct run {
    struct worker *worker;
    struct arena *arena;
    struct job job;
    bool is_quarantined;
    int64_t started_us;
};

static void run_job(void *arg);

static Str dup(struct arena *arena, Str s)
{
    return s.data == NULL ? s : str_dup(arena, s);
}

void worker_start_job(struct worker *worker, const struct claimed *claimed)
{
    struct arena *arena = arena_create();
    struct run *run = arena_new(arena, struct run);
    *run = (struct run){
        .worker = worker,
        .arena = arena,
        .job = claimed->job,
        .is_quarantined = claimed->is_quarantined,
        .started_us = clock_now_us(),
    };
    run->job.kind = dup(arena, claimed->job.kind);
    run->job.payload_text = dup(arena, claimed->job.payload_text);
    run->job.checkpoint = dup(arena, claimed->job.checkpoint);
    worker->running++;
    counter_add(COUNTER_jobs_in_flight, 1);
    fiber_spawn(worker->reactor->loop, "job", run_job, run);
}

static struct ctx ctx_of(const struct run *run, int64_t timeout_us)
{
    struct ctx ctx = reactor_ctx(run->worker->reactor, run->arena, timeout_us);
    ctx.scope = run->job.scope;
    ctx.trace = str_printf(run->arena, "job-%jd", (intmax_t)run->job.id);
    return ctx;
}

/* A job in quarantine runs while nothing else does. */
static fiber_fn Err alone(struct run *run, struct ctx *ctx)
{
    run->worker->runs_alone = true;
    while (run->worker->running > 1)
        TRY(fiber_sleep(ctx, 10 * MS_US));
    return OK;
}

static fiber_fn Err run_handler(struct run *run, struct ctx *ctx, const struct job_kind *kind)
{
    if (run->is_quarantined)
        TRY(alone(run, ctx));
    TRY(json_parse(ctx, run->job.payload_text, JSON_LIMITS_DEFAULT, &run->job.payload));
    TRY(kind->handler(ctx, &run->job));
    return run->job.is_finished ? OK : job_finish(ctx, &run->job, NULL, STR_NONE);
}

static Str reason_of(struct ctx *ctx, Err err)
{
    return ctx->diag.first != NULL ? diag_message(ctx, ctx->diag.first)
                                   : str_from_z(err_info(err)->name);
}

/* ERR_FENCED: somebody else has it. ERR_CANCELLED: the worker stops, the job goes back. Anything
 * else is a failed try. */
static fiber_fn void end_badly(struct run *run, Err err, Str reason)
{
    struct ctx ctx = ctx_of(run, END_TIMEOUT_US);
    struct fiber_shield SCOPED_SHIELD shield =
        fiber_shield_begin(&ctx, clock_now_us() + END_TIMEOUT_US);
    bool is_dead = false;
    Err written = OK;
    if (err == ERR_CANCELLED)
        written = job_release(&ctx, &run->job);
    else if (err != ERR_FENCED)
        written = job_fail(&ctx, &run->job, err, reason, &is_dead);
    log_event(is_dead ? LOG_ERROR : LOG_WARN, "job_failed", LOG_I("job", run->job.id),
              LOG_S("kind", run->job.kind), LOG_I("attempt", run->job.attempt),
              LOG_Z("error", err_info(err)->name), LOG_S("reason", reason), LOG_B("dead", is_dead),
              LOG_B("recorded", written == OK));
}

static fiber_fn void run_in_fiber(struct run *run)
{
    const struct job_kind *kind = job_kind_find(run->job.kind);
    struct ctx ctx = ctx_of(run, kind != NULL ? kind->timeout_us : END_TIMEOUT_US);
    Err err;
    if (kind != NULL)
        err = run_handler(run, &ctx, kind);
    else
        err = fail(&ctx, ERR_NOT_FOUND, "no worker knows the kind '%.*s'", STR_FMT(run->job.kind));
    if (err != OK && !run->job.is_finished) {
        end_badly(run, err, reason_of(&ctx, err));
        return;
    }
    log_event(LOG_DEBUG, "job_done", LOG_I("job", run->job.id), LOG_S("kind", run->job.kind),
              LOG_I("attempt", run->job.attempt), LOG_I("us", clock_now_us() - run->started_us));
}

static void run_job(void *arg)
{
    struct run *run = arg;
    struct worker *worker = run->worker;
    fiber_tag(run->job.id);
    run_in_fiber(run);

    struct ctx ctx = ctx_of(run, END_TIMEOUT_US);
    struct queue_member member = {run->job.id, run->job.scope.site};
    queue_done(&ctx, worker->incarnation, &member, 1);
    if (run->is_quarantined)
        worker->runs_alone = false;
    worker->running--;
    counter_add(COUNTER_jobs_in_flight, -1);
    arena_destroy(run->arena);
    worker_slot_freed(worker);
}
