/*
 * The parent of everything `spark up` starts: starts again what dies, with growing pauses, and
 * stops everything in the order in which it leans on each other.
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
    pid_t pid;     /* 0 while it waits for its next start */
    int64_t started_us;
    int64_t due_us; /* when pid is 0: not before */
    int64_t pause_us;
    int64_t log_from;  /* of server and workers: where its own lines begin */
    uint32_t failures; /* of Redis: ends with an error code in a row, each soon after its start */
    bool is_renewed;   /* asked to end, to start again without an extension */
};

/* Room for the names of the extensions that crashed; what does not fit stays on. */
enum { CRASHED_MAX = 8192 };

struct supervisor {
    struct ctx *ctx;
    const struct say *say;
    const struct places *places;
    const char *self; /* path of this binary */
    struct embedded_postgres postgres;
    struct embedded_redis redis;
    int64_t drain_us; /* how long server and workers may finish what they do */
    struct child children[CHILDREN_MAX];
    uint32_t child_count;
    /* The extensions that servers and that workers start without, since one of them crashed in one;
     * for as long as this process lives. Comma-separated. */
    char server_crashed[CRASHED_MAX];
    char workers_crashed[CRASHED_MAX];
};

/* Blocks the signals that end us, so that they wait until supervisor_run or _is_asked_to_stop
 * look. First of all. */
void supervisor_hold_signals(void);
/* True once SIGTERM, SIGINT or SIGHUP came. */
bool supervisor_is_asked_to_stop(void);

/* Where Redis' data went, if it could not read them. */
void supervisor_say_set_aside(const struct say *say, const struct embedded_redis *redis);

/* Takes over a child that already runs. */
void supervisor_adopt(struct supervisor *supervisor, enum child_kind kind, pid_t pid);

/* Starts the server, or the worker of one slot. */
Err supervisor_start(struct supervisor *supervisor, enum child_kind kind, uint32_t slot);

/* A server that was waited for elsewhere has died. If an extension was to blame, the server is
 * started again without it, and true is returned; else nobody signals its number any more. */
Err supervisor_server_died(struct supervisor *supervisor, int status, bool *ret_started);

/* The process of the first child of that kind; 0 if it does not run. */
pid_t supervisor_pid(const struct supervisor *supervisor, enum child_kind kind);

/* Watches until asked to stop. */
void supervisor_run(struct supervisor *supervisor);

/* Drains server and workers, then ends Redis, then PostgreSQL. A second signal cuts the draining
 * short. */
void supervisor_stop(struct supervisor *supervisor);
