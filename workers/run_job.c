/*
 * Runs one claimed job: its fiber, its ctx, and the handling of its result.
 */
#include "access/grants/actor.h"
#include "access/identity/current.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/log.h"
#include "io/fiber/loop.h"
#include "workers/kinds.h"
#include "workers/worker.h"

#include <assert.h>

/* For writes after the job has timed out or was cancelled. */
enum { END_TIMEOUT_US = 5 * 1000 * 1000 };
/* Delay before a job of a disabled extension is tried again. */
enum { POSTPONE_US = 60 * 1000 * 1000 };

struct run {
    struct run *next;
    struct run **slot; /* the pointer to this run, for unlinking */
    struct worker *worker;
    struct arena *arena;
    struct fiber *fiber;
    struct job job;
    int64_t started_us;
};

static void run_job(void *arg);

static Str dup(struct arena *arena, Str s)
{
    return s.data == NULL ? s : str_dup(arena, s);
}

static void run_enter(struct worker *worker, struct run *run)
{
    run->next = worker->runs;
    run->slot = &worker->runs;
    if (run->next != NULL)
        run->next->slot = &run->next;
    worker->runs = run;
    worker->running++;
    counter_add(COUNTER_jobs_in_flight, 1);
}

static void run_leave(struct worker *worker, struct run *run)
{
    assert(worker->running > 0);
    *run->slot = run->next;
    if (run->next != NULL)
        run->next->slot = run->slot;
    worker->running--;
    counter_add(COUNTER_jobs_in_flight, -1);
}

static const struct actor *asker_dup(struct arena *arena, const struct actor *actor)
{
    if (actor == NULL)
        return NULL;
    struct actor *copy = arena_new(arena, struct actor);
    *copy = *actor;
    copy->ip = dup(arena, actor->ip);
    return copy;
}

void worker_start_job(struct worker *worker, const struct claimed *claimed)
{
    struct arena *arena = arena_create();
    struct run *run = arena_new(arena, struct run);
    run->worker = worker;
    run->arena = arena;
    run->job = claimed->job;
    run->started_us = loop_now_us(worker->reactor->loop);
    run->job.kind = dup(arena, claimed->job.kind);
    run->job.payload_text = dup(arena, claimed->job.payload_text);
    run->job.checkpoint = dup(arena, claimed->job.checkpoint);
    run->job.asked_by = asker_dup(arena, claimed->job.asked_by);
    run_enter(worker, run);
    fiber_spawn(worker->reactor->loop, "job", run_job, run);
}

void worker_cancel_resumable(struct worker *worker)
{
    for (struct run *run = worker->runs; run != NULL; run = run->next)
        if (run->job.resumes && run->fiber != NULL)
            fiber_cancel(run->fiber);
}

const int64_t *worker_running_ids(const struct worker *worker, struct arena *arena)
{
    int64_t *ids = arena_array(arena, int64_t, worker->running + 1);
    uint32_t count = 0;
    for (const struct run *run = worker->runs; run != NULL; run = run->next)
        ids[count++] = run->job.id;
    assert(count == worker->running);
    return ids;
}

void worker_report_ended(void *arg)
{
    struct worker *worker = arg;
    if (worker->ended_count == 0)
        return;
    arena_reset(worker->hook_arena);
    struct ctx ctx = {.arena = worker->hook_arena, .reactor = worker->reactor};
    queue_done(&ctx, worker->incarnation, worker->ended, worker->ended_count);
    worker->ended_count = 0;
}

static void ended(struct worker *worker, const struct job *job)
{
    if (worker->ended_count == QUEUE_CALL_MAX)
        worker_report_ended(worker);
    worker->ended[worker->ended_count++] = (struct queue_member){job->id, job->scope.site};
    loop_hurry(worker->reactor->loop);
}

static struct ctx ctx_of(const struct run *run, int64_t timeout_us)
{
    struct ctx ctx =
        reactor_ctx_for(run->worker->reactor, run->arena, timeout_us, run->job.scope, NULL);
    ctx.asked_by = run->job.asked_by;
    ctx.trace = str_printf(run->arena, "job-%jd", (intmax_t)run->job.id);
    return ctx;
}

static fiber_fn Err run_handler(struct run *run, struct ctx *ctx, const struct job_kind *kind)
{
    TRY(json_parse(ctx, run->job.payload_text, JSON_LIMITS_DEFAULT, &run->job.payload));
    TRY(job_scope_check(ctx, kind, &run->job));
    TRY(kind->run(ctx, &run->job));
    return run->job.is_finished ? OK : job_finish(ctx, &run->job, NULL, STR_NONE);
}

static Str reason_of(struct ctx *ctx, Err err)
{
    return ctx->diag.first != NULL ? diag_message(ctx, ctx->diag.first)
                                   : str_from_z(err_info(err)->name);
}

/*
 * ERR_FENCED: another attempt owns the job; nothing to record. ERR_CANCELLED while the worker
 * stops: jobs_hand_back requeues it with the others. Any other error is a failed try. If PostgreSQL
 * is unreachable and the failure cannot be recorded, the next audit requeues the job without
 * counting a try.
 */
static fiber_fn void fail_run(struct run *run, Err err, Str reason)
{
    struct worker *worker = run->worker;
    if (err == ERR_CANCELLED && (worker->is_draining || worker->has_lost_lease))
        return;
    struct ctx ctx = ctx_of(run, END_TIMEOUT_US);
    struct fiber_shield SCOPED_SHIELD shield = fiber_shield_begin(&ctx, ctx.deadline_us);
    bool is_dead_letter = false;
    Err written = err == ERR_FENCED ? OK : job_fail(&ctx, &run->job, err, reason, &is_dead_letter);
    log_event(is_dead_letter ? LOG_ERROR : LOG_WARN, "job_failed", LOG_I("job", run->job.id),
              LOG_S("kind", run->job.kind), LOG_I("attempt", run->job.attempt),
              LOG_Z("error", err_info(err)->name), LOG_S("reason", reason),
              LOG_B("dead", is_dead_letter), LOG_B("recorded", written == OK));
}

static void log_done(const struct run *run)
{
    if (!log_is_on(LOG_DEBUG))
        return;
    log_event(LOG_DEBUG, "job_done", LOG_I("job", run->job.id), LOG_S("kind", run->job.kind),
              LOG_I("attempt", run->job.attempt), LOG_I("us", clock_now_us() - run->started_us));
}

/* If the postponement cannot be recorded, the next audit requeues the job, as in fail_run. */
static fiber_fn void postpone(struct run *run, Str reason)
{
    struct ctx ctx = ctx_of(run, END_TIMEOUT_US);
    Err written = job_postpone(&ctx, &run->job, POSTPONE_US, reason);
    log_event(LOG_WARN, "job_postponed", LOG_I("job", run->job.id), LOG_S("kind", run->job.kind),
              LOG_S("reason", reason), LOG_B("recorded", written == OK));
}

static fiber_fn void run_known(struct run *run, const struct job_kind *kind)
{
    struct ctx ctx = ctx_of(run, kind->timeout_s * SECOND_US);
    Err err = access_settle(&ctx, run_handler(run, &ctx, kind), run->started_us);
    if (run->job.is_finished)
        log_done(run);
    else
        fail_run(run, err, reason_of(&ctx, err));
}

static fiber_fn void run_in_fiber(struct run *run)
{
    const struct job_kind *kind = job_kind_find(run->job.kind);
    Str off = kind == NULL ? kind_is_off(run->arena, run->job.kind) : STR_NONE;
    if (kind != NULL)
        run_known(run, kind);
    else if (off.len > 0)
        postpone(run, off);
    else /* a later try may reach a worker whose version knows it */
        fail_run(run, ERR_UNAVAILABLE,
                 str_printf(run->arena, "no worker knows the kind '%.*s'", STR_FMT(run->job.kind)));
}

static void run_job(void *arg)
{
    struct run *run = arg;
    struct worker *worker = run->worker;
    run->fiber = fiber_self();
    fiber_tag(run->job.id);
    fiber_own(run->job.scope.site);
    fiber_work(STR("job"), run->job.kind);
    run_in_fiber(run);
    ended(worker, &run->job);
    run_leave(worker, run);
    arena_destroy(run->arena);
    worker_slot_freed(worker);
}
