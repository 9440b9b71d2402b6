#include "cli/supervise/supervisor.h"

#include "base/system/clock.h"
#include "base/system/range.h"
#include "cli/supervise/crash.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PAUSE_FIRST_MS = 100,
    PAUSE_LAST_S = 30,
    HEALTHY_S = 60, /* after running this long, the restart delay starts over */
    REDIS_STOP_S = 30,
    POSTGRES_STOP_S = 120,
    TICK_MS = 1000,
    REDIS_FAILURES_MAX = 3, /* then its data are set aside */
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

static bool is_front_end(const struct child *child)
{
    return child->kind == CHILD_SERVER || child->kind == CHILD_WORKER;
}

/* "server", "worker-1": the name of its crash page and its log. */
static const char *front_end_name(struct arena *arena, const struct child *child)
{
    assert(is_front_end(child));
    return child->kind == CHILD_SERVER ? "server" : path_format(arena, "worker-%u", child->slot);
}

static char *crashed_of(struct supervisor *supervisor, enum child_kind kind)
{
    return kind == CHILD_SERVER ? supervisor->server_crashed : supervisor->workers_crashed;
}

static Err launch_front_end(struct supervisor *supervisor, struct child *child)
{
    struct ctx *ctx = supervisor->ctx;
    const char *name = front_end_name(ctx->arena, child);
    const char *page;
    TRY(crash_page_make(ctx, supervisor->places, name, &page));
    const char *argv[] = {supervisor->self, child->kind == CHILD_SERVER ? "server" : "worker",
                          NULL};
    const char *environment[] = {
        path_format(ctx->arena, "SPARK_CRASH_PAGE=%s", page),
        path_format(ctx->arena, "SPARK_EXTENSIONS_CRASHED=%s", crashed_of(supervisor, child->kind)),
        /* workers only */
        child->slot > 0 ? path_format(ctx->arena, "SPARK_WORKER_SLOT=%u", child->slot) : NULL,
        NULL,
    };
    struct process_spec spec = {
        .argv = argv,
        .environment = environment,
        .log_path = path_format(ctx->arena, "%s/%s.log", supervisor->places->log, name),
        .death_signal = SIGTERM};
    child->is_renewed = false;
    child->log_from = process_log_size(spec.log_path);
    return process_start(ctx, &spec, &child->pid);
}

/* After repeated failures, its data are probably damaged: start it empty. */
static Err launch_redis(struct supervisor *supervisor, struct child *child)
{
    struct embedded_redis *redis = &supervisor->redis;
    if (child->failures < REDIS_FAILURES_MAX)
        return embedded_redis_launch(supervisor->ctx, redis, &child->pid);
    child->failures = 0;
    struct embedded_redis renewed = *redis; /* its new strings only live for this turn */
    TRY(embedded_redis_renew(supervisor->ctx, &renewed, &child->pid));
    supervisor_say_set_aside(supervisor->say, &renewed);
    return OK;
}

void supervisor_say_set_aside(const struct say *say, const struct embedded_redis *redis)
{
    if (redis->aside != NULL)
        say_bad(say,
                "%.*s; its data are in %s now, and it started empty: nothing in Redis is needed",
                STR_FMT(redis->damage), redis->aside);
}

static Err child_launch(struct supervisor *supervisor, struct child *child)
{
    child->started_us = clock_now_us();
    switch (child->kind) {
    case CHILD_POSTGRES:
        return embedded_postgres_launch(supervisor->ctx, &supervisor->postgres, &child->pid);
    case CHILD_REDIS:
        return launch_redis(supervisor, child);
    case CHILD_SERVER:
    case CHILD_WORKER:
        return launch_front_end(supervisor, child);
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

/* Schedules a restart with exponential backoff, so that a process that always dies does not use up
 * the CPU. */
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

/* The other workers have loaded that extension too; they drain and restart without it. */
static void renew_workers(struct supervisor *supervisor)
{
    for (uint32_t i = 0; i < supervisor->child_count; i++) {
        struct child *child = &supervisor->children[i];
        if (child->kind != CHILD_WORKER || child->pid <= 0 || child->is_renewed)
            continue;
        kill(child->pid, SIGTERM);
        child->is_renewed = true;
    }
}

/* Two workers may die of one extension before the list reaches them. */
static bool is_disabled(const char *list, const char *extension)
{
    Str rest = str_from_z(list), names = str_from_z(extension), file, part;
    if (!str_next(&names, ',', &file))
        return false;
    while (str_next(&rest, ',', &part))
        if (str_eq(part, file))
            return true;
    return false;
}

/* Disables the extension for this kind of child from now on. False: the list is full. */
static bool disable_extension(struct supervisor *supervisor, enum child_kind kind,
                              const char *extension)
{
    char *list = crashed_of(supervisor, kind);
    if (is_disabled(list, extension))
        return true;
    size_t used = strnlen(list, CRASHED_MAX - 1);
    int written = snprintf(list + used, CRASHED_MAX - used, "%s%s", used > 0 ? "," : "", extension);
    if (written > 0 && (size_t)written < CRASHED_MAX - used)
        return true;
    list[used] = '\0';
    return false;
}

static void say_disabled(const struct supervisor *supervisor, const struct child *child,
                         const struct crash *crash)
{
    say_bad(supervisor->say,
            "%s %s in the extension \"%s\"; %s without it until the next `spark up`",
            child_name(supervisor->ctx->arena, child), crash->how, crash->extension,
            child->kind == CHILD_SERVER ? "it starts again" : "the workers start again");
}

/* True: an extension was to blame, is now disabled, and this has been reported. */
static bool blame_extension(struct supervisor *supervisor, struct child *child,
                            const struct crash *crash)
{
    if (crash->extension == NULL || !disable_extension(supervisor, child->kind, crash->extension))
        return false;
    say_disabled(supervisor, child, crash);
    if (child->kind == CHILD_WORKER)
        renew_workers(supervisor);
    return true;
}

/* The error message of a child that exited with an error, after ": "; otherwise empty. */
static const char *why_it_ended(const struct supervisor *supervisor, const struct child *child,
                                int status)
{
    struct ctx *ctx = supervisor->ctx;
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 0)
        return "";
    const char *log = path_format(ctx->arena, "%s/%s.log", supervisor->places->log,
                                  front_end_name(ctx->arena, child));
    Str error = process_log_error(ctx, log, child->log_from);
    return path_format(ctx->arena, ": %.*s", STR_FMT(error));
}

static void front_end_died(struct supervisor *supervisor, struct child *child, int status)
{
    struct ctx *ctx = supervisor->ctx;
    const char *name = front_end_name(ctx->arena, child);
    bool was_renewed = child->is_renewed && status == 0;
    struct crash crash;
    crash_read(ctx, supervisor->places, name, status, &crash);
    if (child->kind == CHILD_WORKER && status != 0) {
        err_ignore(crash_report(ctx, supervisor->places, name, crash.how),
                   "the lease expires by itself");
        diag_clear(ctx);
    }
    child_postpone(child);
    if (!was_renewed && !blame_extension(supervisor, child, &crash))
        say_bad(supervisor->say, "%s %s%s; starts again in %.1f s", child_name(ctx->arena, child),
                crash.how, why_it_ended(supervisor, child, status),
                (double)child->pause_us / (double)SECOND_US);
}

static void backend_died(struct supervisor *supervisor, struct child *child, int status)
{
    struct arena *arena = supervisor->ctx->arena;
    bool has_failed = WIFEXITED(status) && WEXITSTATUS(status) != 0 &&
                      clock_now_us() - child->started_us < HEALTHY_S * SECOND_US;
    child->failures = has_failed ? child->failures + 1 : 0;
    child_postpone(child);
    const char *how = WIFSIGNALED(status)
                          ? path_format(arena, "was ended by signal %d (%s)", WTERMSIG(status),
                                        strsignal(WTERMSIG(status)))
                          : path_format(arena, "ended with code %d", WEXITSTATUS(status));
    say_bad(supervisor->say, "%s %s; starts again in %.1f s", child_name(arena, child), how,
            (double)child->pause_us / (double)SECOND_US);
}

static void child_died(struct supervisor *supervisor, struct child *child, int status)
{
    if (is_front_end(child))
        front_end_died(supervisor, child, status);
    else
        backend_died(supervisor, child, status);
}

Err supervisor_server_died(struct supervisor *supervisor, int status, bool *ret_started)
{
    struct ctx *ctx = supervisor->ctx;
    struct child *child = supervisor->children;
    while (child->kind != CHILD_SERVER)
        child++; /* there is always one */
    child->pid = 0;
    struct crash crash;
    crash_read(ctx, supervisor->places, front_end_name(ctx->arena, child), status, &crash);
    *ret_started = blame_extension(supervisor, child, &crash);
    return *ret_started ? child_launch(supervisor, child) : OK;
}

static void reap(struct supervisor *supervisor)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (uint32_t i = 0; i < supervisor->child_count; i++)
            if (supervisor->children[i].pid == pid)
                child_died(supervisor, &supervisor->children[i], status);
}

/* Starts the children that are due; returns the time until the next one is. */
static int64_t start_due(struct supervisor *supervisor)
{
    int64_t now_us = clock_now_us();
    int64_t next_us = now_us + TICK_MS * MS_US;
    for (uint32_t i = 0; i < supervisor->child_count; i++) {
        struct child *child = &supervisor->children[i];
        if (child->pid != 0)
            continue;
        if (child->due_us > now_us) {
            next_us = min_i64(child->due_us, next_us);
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

static uint32_t signal_front_ends(struct supervisor *supervisor, int signal)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < supervisor->child_count; i++) {
        struct child *child = &supervisor->children[i];
        if (is_front_end(child) && child->pid > 0) {
            kill(child->pid, signal);
            count++;
        }
    }
    return count;
}

static uint32_t reap_front_ends(struct supervisor *supervisor)
{
    uint32_t left = 0;
    int status;
    for (uint32_t i = 0; i < supervisor->child_count; i++) {
        struct child *child = &supervisor->children[i];
        if (!is_front_end(child) || child->pid <= 0)
            continue;
        if (process_wait(child->pid, 0, &status))
            child->pid = 0;
        else
            left++;
    }
    return left;
}

/* Drains server and workers in parallel: neither needs the other for that. */
static void drain_front_ends(struct supervisor *supervisor)
{
    int64_t started_us = clock_now_us();
    int64_t end_us = started_us + supervisor->drain_us;
    uint32_t count = signal_front_ends(supervisor, SIGTERM);
    sigset_t set = end_signals();
    bool is_cut = false;

    while (reap_front_ends(supervisor) > 0) {
        struct timespec wait = {.tv_nsec = 10 * MS_US * 1000};
        if (!is_cut && (sigtimedwait(&set, NULL, &wait) > 0 || clock_now_us() > end_us)) {
            is_cut = true;
            signal_front_ends(supervisor, SIGKILL);
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

/* Deletes the file with the addresses. */
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
        continue; /* discards the first signal, so that it does not count as the second one */

    drain_front_ends(supervisor);
    stop_one(supervisor, CHILD_REDIS, SIGTERM, REDIS_STOP_S * SECOND_US);
    stop_one(supervisor, CHILD_POSTGRES, EMBEDDED_POSTGRES_STOP, POSTGRES_STOP_S * SECOND_US);
    forget_addresses(supervisor);
}
