/*
 * Starts, watches and stops processes. For the single-threaded supervisor only.
 */
#pragma once

#include "base/system/ctx.h"

#include <sys/types.h>

/* The user of the embedded servers: the current user, or a dedicated one if spark runs as root. */
struct service_user {
    uid_t uid;
    gid_t gid;
    const char *name;
    bool is_other; /* spark runs as root and must change to it */
};

struct process_spec {
    const char *const *argv;         /* NULL-terminated; argv[0] is the path of the program */
    const char *const *environment;  /* "NAME=value" added to the environment; NULL: nothing */
    const struct service_user *user; /* NULL: the current user */
    const char *log_path;            /* standard output and error are appended; NULL: inherited */
    int death_signal; /* sent to the child when this process dies, even by kill -9; 0: none */
    bool has_clean_environment; /* only PATH, LC_ALL and TZ: no secrets */
};

/* ERR_CONFIG with a message if the program cannot be started. */
Err process_start(struct ctx *ctx, const struct process_spec *spec, pid_t *ret);

/* Waits up to timeout_us for a child; false if it still runs. *ret_status as of waitpid. */
bool process_wait(pid_t pid, int64_t timeout_us, int *ret_status);

/* Starts a process and waits. ERR_CONFIG with the error in its log, and the log's path, if the exit
 * code is not 0. */
Err process_run(struct ctx *ctx, const struct process_spec *spec, int64_t timeout_us);

/* Signals a child, waits, and kills it after the timeout. */
void process_stop(pid_t pid, int signal, int64_t timeout_us);

/* For a process that is not a child: whether it runs `program` with `folder` as its directory. */
bool process_is(pid_t pid, const char *program, const char *folder);
/* Stops such a process; false if it still runs after the timeout. A zombie counts as ended. */
bool process_stop_stray(pid_t pid, int signal, int64_t timeout_us);

/* The size of a log; a process that starts now writes after this offset. */
int64_t process_log_size(const char *path);
/* The reason why the process that wrote the log after `from` ended: the last error of PostgreSQL,
 * Redis or Spark, else the last line. Never empty. */
Str process_log_error(struct ctx *ctx, const char *path, int64_t from);
