/*
 * The parent process of everything that `spark up` starts: restarts what dies, with growing delays,
 * and stops everything in the order of dependencies.
 */
#pragma once

#include "cli/backends/embedded_postgres.h"
#include "cli/backends/embedded_redis.h"
#include "cli/console/say.h"

enum child_kind { CHILD_POSTGRES, CHILD_REDIS, CHILD_SERVER, CHILD_WORKER };

/* 64 workers, a server, PostgreSQL and Redis. */
enum { CHILDREN_MAX = 67 };

struct child {
    enum child_kind kind;
    uint32_t slot; /* workers, from 1 */
    pid_t pid;     /* 0 while it waits for its restart */
    int64_t started_us;
    int64_t due_us; /* if pid is 0: earliest restart */
    int64_t pause_us;
    int64_t log_from;  /* of server and workers: where the lines of this process begin */
    uint32_t failures; /* of Redis: consecutive exits with an error soon after the start */
    bool is_renewed;   /* asked to stop, to restart without an extension */
};

/* Room for the names of crashed extensions; one that does not fit stays enabled. */
enum { CRASHED_MAX = 8192 };

struct supervisor {
    struct ctx *ctx;
    const struct say *say;
    const struct places *places;
    const char *self; /* path of this binary */
    struct embedded_postgres postgres;
    struct embedded_redis redis;
    int64_t drain_us; /* time for server and workers to drain */
    struct child children[CHILDREN_MAX];
    uint32_t child_count;
    /* Comma-separated extensions that the server or the workers start without, because they crashed
     * in one; kept for the lifetime of this process. */
    char server_crashed[CRASHED_MAX];
    char workers_crashed[CRASHED_MAX];
};

/* Blocks the termination signals, so that they stay pending for supervisor_run and
 * supervisor_is_asked_to_stop. Call first. */
void supervisor_hold_signals(void);
/* True after SIGTERM, SIGINT or SIGHUP. */
bool supervisor_is_asked_to_stop(void);

/* Reports where unreadable data of Redis were set aside. */
void supervisor_say_set_aside(const struct say *say, const struct embedded_redis *redis);

/* Takes over a child that is already running. */
void supervisor_adopt(struct supervisor *supervisor, enum child_kind kind, pid_t pid);

/* Starts the server, or the worker of a slot. */
Err supervisor_start(struct supervisor *supervisor, enum child_kind kind, uint32_t slot);

/* Call when the server died while the caller waited for it. If an extension was to blame, restarts
 * the server without it and sets *ret_started; otherwise its pid is forgotten. */
Err supervisor_server_died(struct supervisor *supervisor, int status, bool *ret_started);

/* The pid of the first child of that kind; 0 if it does not run. */
pid_t supervisor_pid(const struct supervisor *supervisor, enum child_kind kind);

/* Supervises until asked to stop. */
void supervisor_run(struct supervisor *supervisor);

/* Drains server and workers, then stops Redis, then PostgreSQL. A second signal aborts the
 * draining. */
void supervisor_stop(struct supervisor *supervisor);
