#include "workers/main.h"

#include "base/system/clock.h"
#include "base/system/log.h"
#include "base/system/process.h"
#include "content/changes/changes.h"
#include "io/fiber/loop.h"
#include "io/fiber/offload.h"
#include "io/setup/setup.h"
#include "jobs/queue/crash_page.h"
#include "workers/kinds.h"
#include "workers/worker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { OFFLOAD_THREADS = 2, OFFLOAD_QUEUE = 64, HAND_BACK_US = 5 * 1000 * 1000 };
/* What ends by itself may, before what can go on elsewhere is cancelled. */
enum { RESUMABLE_US = 500 * 1000 };

static struct loop *stop_loop;
static volatile sig_atomic_t must_stop;

static void on_signal(int number)
{
    (void)number;
    must_stop = 1;
    if (stop_loop != NULL)
        loop_stop(stop_loop);
}

struct startup {
    struct reactor *reactor;
    Err result;
};

static fiber_fn Err start_in_order(struct ctx *ctx)
{
    TRY(db_wait_ready(ctx, ctx->reactor->db));
    TRY(db_check_migrations(reactor_platform(ctx)));
    TRY(kinds_report(reactor_platform(ctx)));
    TRY(redis_wait_ready(ctx, ctx->reactor->redis));
    return queue_check(ctx);
}

static void startup_run(void *arg)
{
    struct startup *startup = arg;
    struct arena *arena = arena_create();
    int64_t timeout_us = startup->reactor->settings->startup_timeout_s * SECOND_US;
    struct ctx ctx = reactor_ctx(startup->reactor, arena, timeout_us);
    startup->result = start_in_order(&ctx);
    if (startup->result != OK && startup->result != ERR_CANCELLED) {
        Str reason = process_reason(&ctx, startup->result);
        log_event(LOG_ERROR, "startup_failed", LOG_S("reason", reason));
        process_complain("worker", reason);
    }
    loop_stop(startup->reactor->loop);
    arena_destroy(arena);
}

static bool startup(struct reactor *reactor)
{
    struct startup startup = {reactor, OK};
    fiber_spawn(reactor->loop, "startup", startup_run, &startup);
    loop_run(reactor->loop);
    fiber_cancel_all(reactor->loop); /* a signal came first */
    while (fiber_count(reactor->loop) > 0)
        loop_turn(reactor->loop, 10);
    return startup.result == OK && !must_stop;
}

/* Until the incarnation is in spark.workers; PostgreSQL may go away and come back meanwhile. */
static bool lease_wait(struct worker *worker)
{
    while (!lease_is_held(worker->lease) && !lease_has_failed(worker->lease) && !must_stop)
        loop_turn(worker->reactor->loop, 20);
    return lease_is_held(worker->lease) && !must_stop;
}

static void hand_back_run(void *arg)
{
    struct worker *worker = arg;
    struct arena *arena = arena_create();
    struct ctx ctx = reactor_ctx(worker->reactor, arena, HAND_BACK_US);
    uint32_t rows = 0;
    Err err = jobs_hand_back(reactor_platform(&ctx), worker->incarnation, NULL, 0, &rows);
    if (err == OK && redis_is_up(worker->reactor->redis))
        err = queue_reap(&ctx, worker->incarnation);
    if (err != OK || rows > 0)
        log_event(LOG_INFO, "handed_back", LOG_I("rows", rows),
                  LOG_Z("error", err_info(err)->name));
    arena_destroy(arena);
}

/* Running jobs may finish; what has not by WORKER_DRAIN is cancelled and handed back. Of a worker
 * without a lease nothing can finish. */
static void drain(struct worker *worker)
{
    struct loop *loop = worker->reactor->loop;
    worker->is_draining = true;
    lease_report(worker->lease, worker->running, true);
    log_event(LOG_INFO, "draining", LOG_I("running", worker->running));
    int64_t drain_us =
        worker->has_lost_lease ? 0 : worker->reactor->settings->worker_drain_s * SECOND_US;
    int64_t begun_us = clock_now_us();
    while ((worker->running > 0 || worker->is_claiming || !host_is_idle(worker->reactor)) &&
           clock_now_us() < begun_us + drain_us) {
        loop_turn(loop, 50);
        if (clock_now_us() >= begun_us + RESUMABLE_US)
            worker_cancel_resumable(worker);
    }
    fiber_cancel_all(loop);
    while (fiber_count(loop) > 0)
        loop_turn(loop, 10);
    worker_tell_ended(worker);
    fiber_spawn(loop, "hand back", hand_back_run, worker);
    while (fiber_count(loop) > 0)
        loop_turn(loop, 10);
}

/* One incarnation, from its lease to its end; false when the lease was lost. */
static bool work(struct ctx *ctx, struct worker *worker)
{
    struct loop *loop = worker->reactor->loop;
    worker->is_draining = false;
    worker->has_lost_lease = false;
    worker->lease = lease_start(ctx, worker->reactor->settings);
    worker->incarnation = lease_incarnation(worker->lease);
    if (lease_wait(worker)) {
        crash_page_begin(worker->incarnation);
        fiber_spawn(loop, "claim", worker_claim_run, worker);
        fiber_spawn(loop, "steward", worker_steward_run, worker);
        fiber_spawn(loop, "tracking", worker_drain_tracking_run, worker);
        changes_start(worker->reactor);
        log_event(LOG_INFO, "working", LOG_S("worker", worker->incarnation),
                  LOG_I("slots", worker->slots));
        loop_run(loop);
        drain(worker);
    }
    bool is_lost = worker->has_lost_lease || lease_has_failed(worker->lease);
    lease_stop(worker->lease);
    return !is_lost;
}

/* A worker that was cut off for longer than its lease begins again under another name. */
static int run(struct ctx *ctx, const struct settings *settings)
{
    struct offload *offload = offload_new(OFFLOAD_THREADS, OFFLOAD_QUEUE);
    struct worker worker = {
        .reactor = reactor_new(settings, offload, 0, "spark-worker"),
        .slots = (uint32_t)settings->worker_concurrency,
        .hook = {.after_turn = worker_tell_ended, .arg = &worker},
        .hook_arena = arena_create(),
    };
    stop_loop = worker.reactor->loop;
    loop_add_hook(worker.reactor->loop, &worker.hook);
    worker.wake_up = redis_new_blocking(worker.reactor->loop, settings->redis_url);
    queue_use(worker.reactor->redis);
    bool is_up = startup(worker.reactor);
    while (is_up && !must_stop)
        if (!work(ctx, &worker))
            log_event(LOG_WARN, "begins_again");
    redis_free(worker.wake_up);
    loop_remove_hook(worker.reactor->loop, &worker.hook);
    reactor_free(worker.reactor);
    arena_destroy(worker.hook_arena);
    offload_free(offload);
    int exit_code = is_up || must_stop ? 0 : 1;
    log_event(LOG_INFO, "stopped", LOG_I("exit_code", exit_code));
    return exit_code;
}

int worker_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct arena *arena = arena_create();
    struct ctx ctx = {.arena = arena};
    struct settings settings;
    int exit_code = PROCESS_MISUSED;
    if (process_begin(&ctx, "worker", &settings)) {
        process_on_stop(on_signal);
        crash_page_show(0);
        if (setpriority(PRIO_PROCESS, 0, (int)settings.worker_nice) != 0)
            log_event(LOG_WARN, "priority_unchanged", LOG_I("nice", settings.worker_nice));
        struct host *host = host_load(&settings, NULL);
        kinds_add_extensions(arena, host);
        /* While its lease holds, a job waits out a restart of PostgreSQL: better than once more. */
        if (settings.database_outage_timeout_ms < settings.worker_lease_s * 1000)
            settings.database_outage_timeout_ms = settings.worker_lease_s * 1000;
        exit_code = run(&ctx, &settings);
        host_free(host);
        crash_page_hide();
    }
    arena_destroy(arena);
    return exit_code;
}
