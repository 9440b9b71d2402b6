#include "workers/main.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "workers/worker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { OFFLOAD_THREADS = 2, OFFLOAD_QUEUE = 64, EXIT_LEASE_LOST = 3 };

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

static void startup_run(void *arg)
{
    struct startup *startup = arg;
    struct arena *arena = arena_create();
    int64_t timeout_us = startup->reactor->settings->startup_timeout_s * SECOND_US;
    struct ctx ctx = reactor_ctx(startup->reactor, arena, timeout_us);
    startup->result = db_wait_ready(&ctx, startup->reactor->db);
    if (startup->result == OK)
        startup->result = redis_wait_ready(&ctx, startup->reactor->redis);
    if (startup->result != OK && ctx.diag.first != NULL)
        log_event(LOG_ERROR, "startup_failed", LOG_S("reason", ctx.diag.first->reason));
    loop_stop(startup->reactor->loop);
    arena_destroy(arena);
}

static bool startup(struct reactor *reactor)
{
    struct startup startup = {reactor, OK};
    fiber_spawn(reactor->loop, "startup", startup_run, &startup);
    loop_run(reactor->loop);
    return startup.result == OK && !must_stop;
}

/* Running jobs may finish; what has not by WORKER_DRAIN is cancelled and handed back. */
static void drain(struct worker *worker)
{
    struct loop *loop = worker->reactor->loop;
    worker->is_draining = true;
    lease_report(worker->lease, worker->running, true);
    log_event(LOG_INFO, "draining", LOG_I("running", worker->running));
    int64_t deadline_us = clock_now_us() + worker->reactor->settings->worker_drain_s * SECOND_US;
    while (worker->running > 0 && clock_now_us() < deadline_us)
        loop_turn(loop, 50);
    fiber_cancel_all(loop);
    for (int i = 0; i < 600 && fiber_count(loop) > 0; i++)
        loop_turn(loop, 10);
}

static int work(struct worker *worker)
{
    struct loop *loop = worker->reactor->loop;
    queue_use(worker->reactor->redis);
    fiber_show_tags(&worker->page->job);
    fiber_spawn(loop, "claim", worker_claim_run, worker);
    fiber_spawn(loop, "steward", worker_steward_run, worker);
    fiber_spawn(loop, "tracking", worker_drain_tracking_run, worker);
    log_event(LOG_INFO, "working", LOG_S("worker", worker->incarnation),
              LOG_I("slots", worker->slots));
    loop_run(loop);
    bool is_lost = !must_stop;
    drain(worker);
    return is_lost ? EXIT_LEASE_LOST : 0;
}

static int run(struct ctx *ctx, const struct settings *settings)
{
    struct offload *offload = offload_new(OFFLOAD_THREADS, OFFLOAD_QUEUE);
    struct worker worker = {
        .reactor = reactor_new(settings, offload, 0, "spark-worker"),
        .slots = (uint32_t)settings->worker_concurrency,
    };
    stop_loop = worker.reactor->loop;
    worker.bell = redis_new_blocking(worker.reactor->loop, settings->redis_url);
    int exit_code = 1;
    if (startup(worker.reactor)) {
        Err err =
            lease_start(ctx, settings, settings->startup_timeout_s * SECOND_US, &worker.lease);
        if (err == OK) {
            worker.incarnation = lease_incarnation(worker.lease);
            worker.page = crash_page_map(worker.incarnation);
            exit_code = work(&worker);
            lease_stop(worker.lease);
        }
    } else if (must_stop) {
        exit_code = 0;
    }
    redis_free(worker.bell);
    reactor_free(worker.reactor);
    offload_free(offload);
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
        exit_code = run(&ctx, &settings);
    }
    arena_destroy(arena);
    return exit_code;
}
