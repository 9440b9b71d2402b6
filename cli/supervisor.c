#include "cli/supervisor.h"

#include "base/clock.h"
#include "cli/crash.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PAUSE_FIRST_MS = 100,
    PAUSE_LAST_S = 30,
    HEALTHY_S = 60, /* ran this long: the next death is a new story */
    REDIS_STOP_S = 30,
    POSTGRES_STOP_S = 120,
    TICK_MS = 1000,
};

static const char *child_name(struct arena *arena, const struct child *child)
{
    switch (child->kind) {
    case CHILD_POSTGRES:
        return "PostgreSQL";
    case CHILD_REDIS:
        return "Redis";
    case CHILD_SERVER:
        return "server";
    case CHILD_WORKER:
        return path_format(arena, "worker %u", child->slot);
    }
    return "?";
}

static sigset_t end_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

void supervisor_hold_signals(void)
{
    sigset_t set = end_signals();
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

bool supervisor_is_asked_to_stop(void)
{
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1 ||
           sigismember(&pending, SIGHUP) == 1;
}

void supervisor_adopt(struct supervisor *supervisor, enum child_kind kind, pid_t pid)
{
    assert(supervisor->child_count < CHILDREN_MAX);
    supervisor->children[supervisor->child_count++] =
        (struct child){.kind = kind, .pid = pid, .started_us = clock_now_us()};
}

static Err launch_worker(struct supervisor *supervisor, struct child *child)
{
    struct ctx *ctx = supervisor->ctx;
    const char *page;
    TRY(crash_page_make(ctx, supervisor->places, child->slot, &page));
    const char *argv[] = {supervisor->self, "worker", NULL};
    const char *environment[] = {path_format(ctx->arena, "SPARK_WORKER_SLOT=%u", child->slot),
                                 path_format(ctx->arena, "SPARK_WORKER_PAGE=%s", page), NULL};
    struct process_spec spec = {.argv = argv,
                                .environment = environment,
                                .log_path = path_format(ctx->arena, "%s/worker-%u.log",
                                                        supervisor->places->log, child->slot),
                                .death_signal = SIGTERM};
    return process_start(ctx, &spec, &child->pid);
}

static Err launch_server(struct supervisor *supervisor, struct child *child)
{
    struct ctx *ctx = supervisor->ctx;
    const char *argv[] = {supervisor->self, "server", NULL};
    struct process_spec spec = {
        .argv = argv,
        .log_path = path_format(ctx->arena, "%s/server.log", supervisor->places->log),
        .death_signal = SIGTERM};
    return process_start(ctx, &spec, &child->pid);
}

static Err child_launch(struct supervisor *supervisor, struct child *child)
{
    child->started_us = clock_now_us();
    switch (child->kind) {
    case CHILD_POSTGRES:
        return embedded_postgres_launch(supervisor->ctx, &supervisor->postgres, &child->pid);
    case CHILD_REDIS:
        return embedded_redis_launch(supervisor->ctx, &supervisor->redis, &child->pid);
    case CHILD_SERVER:
        return launch_server(supervisor, child);
    case CHILD_WORKER:
        return launch_worker(supervisor, child);
    }
    return OK;
}

Err supervisor_start(struct supervisor *supervisor, enum child_kind kind, uint32_t slot)
{
    assert(supervisor->child_count < CHILDREN_MAX);
    struct child *child = &supervisor->children[supervisor->child_count];
    *child = (struct child){.kind = kind, .slot = slot};
    TRY(child_launch(supervisor, child));
    supervisor->child_count++;
    return OK;
}

pid_t supervisor_pid(const struct supervisor *supervisor, enum child_kind kind)
{
    for (uint32_t i = 0; i < supervisor->child_count; i++)
        if (supervisor->children[i].kind == kind)
            return supervisor->children[i].pid;
    return 0;
}

void supervisor_forget(struct supervisor *supervisor, pid_t pid)
{
    for (uint32_t i = 0; i < supervisor->child_count; i++)
        if (supervisor->children[i].pid == pid)
            supervisor->children[i].pid = 0;
}

/* Plans the next start: at once would burn the CPU if it dies each time. */
static void child_postpone(struct child *child)
{
    int64_t lived_us = clock_now_us() - child->started_us;
    if (child->pause_us == 0 || lived_us > HEALTHY_S * SECOND_US)
        child->pause_us = PAUSE_FIRST_MS * MS_US;
    else if (child->pause_us < PAUSE_LAST_S * SECOND_US)
        child->pause_us *= 2;
    child->pid = 0;
    child->due_us = clock_now_us() + child->pause_us;
}

static void child_died(struct supervisor *supervisor, struct child *child, int status)
{
    struct arena *arena = supervisor->ctx->arena;
    if (child->kind == CHILD_WORKER && status != 0) {
        err_ignore(crash_report(supervisor->ctx, supervisor->places, child->slot),
                   "the lease runs out by itself");
        diag_clear(supervisor->ctx);
    }

    child_postpone(child);
    const char *how = WIFSIGNALED(status)
                          ? path_format(arena, "was ended by signal %d (%s)", WTERMSIG(status),
                                        strsignal(WTERMSIG(status)))
                          : path_format(arena, "ended with code %d", WEXITSTATUS(status));
    say_bad(supervisor->say, "%s %s; starts again in %.1f s", child_name(arena, child), how,
            (double)child->pause_us / (double)SECOND_US);
}

static void reap(struct supervisor *supervisor)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (uint32_t i = 0; i < supervisor->child_count; i++)
            if (supervisor->children[i].pid == pid)
                child_died(supervisor, &supervisor->children[i], status);
}

/* Starts what is due; returns how long nothing will be. */
static int64_t start_due(struct supervisor *supervisor)
{
    int64_t now_us = clock_now_us();
    int64_t next_us = now_us + TICK_MS * MS_US;
    for (uint32_t i = 0; i < supervisor->child_count; i++) {
        struct child *child = &supervisor->children[i];
        if (child->pid != 0)
            continue;
        if (child->due_us > now_us) {
            next_us = child->due_us < next_us ? child->due_us : next_us;
            continue;
        }
        if (child_launch(supervisor, child) == OK)
            continue;
        const struct diag_entry *entry = supervisor->ctx->diag.first;
        say_bad(supervisor->say, "%.*s", STR_FMT(entry->reason));
        diag_clear(supervisor->ctx);
        child_postpone(child);
    }
    return next_us - now_us;
}

void supervisor_run(struct supervisor *supervisor)
{
    sigset_t set = end_signals();
    sigaddset(&set, SIGCHLD);
    for (;;) {
        ArenaMark mark = arena_mark(supervisor->ctx->arena);
        reap(supervisor);
        int64_t wait_us = start_due(supervisor);
        arena_rewind(supervisor->ctx->arena, mark);

        struct timespec wait = {.tv_sec = wait_us / SECOND_US,
                                .tv_nsec = wait_us % SECOND_US * 1000};
        int signal = sigtimedwait(&set, NULL, &wait);
        if (signal > 0 && signal != SIGCHLD)
            return;
    }
}

static bool is_face(const struct child *child)
{
    return child->kind == CHILD_SERVER || child->kind == CHILD_WORKER;
}

static uint32_t signal_faces(struct supervisor *supervisor, int signal)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < supervisor->child_count; i++) {
        struct child *child = &supervisor->children[i];
        if (is_face(child) && child->pid > 0) {
            kill(child->pid, signal);
            count++;
        }
    }
    return count;
}

static uint32_t reap_faces(struct supervisor *supervisor)
{
    uint32_t left = 0;
    int status;
    for (uint32_t i = 0; i < supervisor->child_count; i++) {
        struct child *child = &supervisor->children[i];
        if (!is_face(child) || child->pid <= 0)
            continue;
        if (process_wait(child->pid, 0, &status))
            child->pid = 0;
        else
            left++;
    }
    return left;
}

/* Server and workers together: a draining worker does not need the server, nor the other way. */
static void drain_faces(struct supervisor *supervisor)
{
    int64_t started_us = clock_now_us();
    int64_t end_us = started_us + supervisor->drain_us;
    uint32_t count = signal_faces(supervisor, SIGTERM);
    sigset_t set = end_signals();
    bool is_cut = false;

    while (reap_faces(supervisor) > 0) {
        struct timespec wait = {.tv_nsec = 10 * MS_US * 1000};
        if (!is_cut && (sigtimedwait(&set, NULL, &wait) > 0 || clock_now_us() > end_us)) {
            is_cut = true;
            signal_faces(supervisor, SIGKILL);
        } else if (is_cut) {
            nanosleep(&wait, NULL);
        }
    }
    if (count > 0 && is_cut)
        say_bad(supervisor->say, "server and workers did not finish in time and were killed");
    else if (count > 0)
        say_done(supervisor->say, started_us, "server and workers finished");
}

static void stop_one(struct supervisor *supervisor, enum child_kind kind, int signal,
                     int64_t timeout_us)
{
    for (uint32_t i = 0; i < supervisor->child_count; i++) {
        struct child *child = &supervisor->children[i];
        if (child->kind != kind || child->pid <= 0)
            continue;
        int64_t started_us = clock_now_us();
        process_stop(child->pid, signal, timeout_us);
        child->pid = 0;
        say_done(supervisor->say, started_us, "%s stopped",
                 child_name(supervisor->ctx->arena, child));
    }
}

/* What nobody answers at any more. */
static void forget_addresses(const struct supervisor *supervisor)
{
    const struct places *places = supervisor->places;
    if (places == NULL || places->run == NULL)
        return;
    unlink(path_format(supervisor->ctx->arena, "%s/addresses.env", places->run));
    if (places->sockets != NULL)
        rmdir(places->sockets);
}

void supervisor_stop(struct supervisor *supervisor)
{
    sigset_t set = end_signals();
    while (sigtimedwait(&set, NULL, &(struct timespec){.tv_sec = 0}) > 0)
        continue; /* the signal that brought us here is not the impatient second one */

    drain_faces(supervisor);
    stop_one(supervisor, CHILD_REDIS, SIGTERM, REDIS_STOP_S * SECOND_US);
    stop_one(supervisor, CHILD_POSTGRES, EMBEDDED_POSTGRES_STOP, POSTGRES_STOP_S * SECOND_US);
    forget_addresses(supervisor);
}
