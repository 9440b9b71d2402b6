/*
 * Starting, watching and ending other processes. For the single-threaded supervisor only.
 */
#pragma once

#include "base/system/ctx.h"

#include <sys/types.h>

/* Who the embedded servers run as: ourselves, or a user of their own when we are root. */
struct service_user {
    uid_t uid;
    gid_t gid;
    const char *name;
    bool is_other; /* we are root and must change to it */
};

struct process_spec {
    const char *const *argv;         /* NULL-terminated; argv[0] is the path of the program */
    const char *const *environment;  /* "NAME=value" added to ours; NULL: nothing */
    const struct service_user *user; /* NULL: stay who we are */
    const char *log_path;            /* standard output and error are appended; NULL: inherited */
    int death_signal;                /* sent when this process dies, by kill -9 too; 0: none */
    bool has_clean_environment;      /* only PATH, LC_ALL and TZ: none of our secrets */
};

/* ERR_CONFIG with a sentence if the program cannot be started. */
Err process_start(struct ctx *ctx, const struct process_spec *spec, pid_t *ret);

/* Waits up to timeout_us for our child; false if it still runs. *ret_status as of waitpid. */
bool process_wait(pid_t pid, int64_t timeout_us, int *ret_status);

/* Starts and waits. ERR_CONFIG with the error of its log, and the log's name, when it did not end
 * with 0. */
Err process_run(struct ctx *ctx, const struct process_spec *spec, int64_t timeout_us);

/* Signals our child, waits, and kills it when the time is over. */
void process_stop(pid_t pid, int signal, int64_t timeout_us);

/* A process that is not our child: true when it runs `program` with `folder` as its directory. */
bool process_is(pid_t pid, const char *program, const char *folder);
/* Ends such a process; false if it still runs after the time. What nobody reaps has ended too. */
bool process_stop_stray(pid_t pid, int signal, int64_t timeout_us);

/* How long a log is; what a process writes that is started now comes behind that. */
int64_t process_log_size(const char *path);
/* The sentence by which whoever wrote behind `from` said why it ended: the last error of
 * PostgreSQL, Redis or Spark, else the last line. Never empty. */
Str process_log_error(struct ctx *ctx, const char *path, int64_t from);
