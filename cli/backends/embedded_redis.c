#include "cli/backends/embedded_redis.h"

#include "base/system/clock.h"
#include "cli/backends/set_aside.h"
#include "cli/backends/sync_redis.h"
#include "cli/places/environment.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VERSION_MIN = 7, STOP_S = 30, START_S = 120 };

static Err find_program(struct ctx *ctx, struct embedded_redis *redis)
{
    Str rest = str_from_z(getenv("PATH"));
    Str part;
    while (str_next(&rest, ':', &part)) {
        redis->program = path_format(ctx->arena, "%.*s/redis-server", STR_FMT(part));
        if (access(redis->program, X_OK) == 0)
            return OK;
    }
    return fail(ctx, ERR_CONFIG,
                "no redis-server is installed: run tools/install.sh, or name a "
                "server with REDIS_URL");
}

static Err clear_stray(struct ctx *ctx, const struct embedded_redis *redis)
{
    const char *pid_file = path_format(ctx->arena, "%s/redis.pid", redis->folder);
    FILE *file = fopen(pid_file, "re");
    char line[32];
    int64_t pid = 0;
    if (file != NULL && fgets(line, sizeof(line), file) != NULL)
        str_to_i64(str_trim(str_from_z(line)), &pid);
    if (file != NULL)
        fclose(file);
    if (pid > 0 && process_is((pid_t)pid, "redis", redis->folder) &&
        !process_stop_stray((pid_t)pid, SIGTERM, STOP_S * SECOND_US))
        return fail(ctx, ERR_CONFIG,
                    "a Redis of an earlier start (process %d) does not end: stop it by hand",
                    (int)pid);
    unlink(pid_file);
    return OK;
}

static Err configure(struct ctx *ctx, const struct embedded_redis *redis)
{
    const char *path = path_format(ctx->arena, "%s/redis.conf", redis->folder);
    const struct service_user *user = &redis->places->user;
    Str text = str_printf(ctx->arena,
                          "# Written at each start of spark up.\n"
                          "port 0\n"
                          "unixsocket %s/redis.sock\n"
                          "unixsocketperm 700\n"
                          "dir \"%s\"\n"
                          "pidfile \"%s/redis.pid\"\n"
                          "daemonize no\n"
                          "supervised no\n"
                          "appendonly yes\n"
                          "appendfsync everysec\n"
                          "save \"\"\n"
                          "maxmemory-policy noeviction\n"
                          "loglevel notice\n"
                          "always-show-logo no\n",
                          redis->places->sockets, redis->folder, redis->folder);
    TRY(environment_write(ctx, path, text));
    if (user->is_other && lchown(path, user->uid, user->gid) != 0)
        return fail(ctx, ERR_CONFIG, "cannot change the owner of %s to %s: %s", path, user->name,
                    strerror(errno));
    return OK;
}

Err embedded_redis_launch(struct ctx *ctx, const struct embedded_redis *redis, pid_t *ret_pid)
{
    const char *argv[] = {redis->program, path_format(ctx->arena, "%s/redis.conf", redis->folder),
                          NULL};
    struct process_spec spec = {.argv = argv,
                                .user = &redis->places->user,
                                .log_path = redis->log,
                                .death_signal = SIGTERM,
                                .has_clean_environment = true};
    return process_start(ctx, &spec, ret_pid);
}

/* Redis answers -LOADING while it loads its data. */
static bool answers(struct ctx *ctx, const struct embedded_redis *redis, Str *ret_version)
{
    const char *info[] = {"INFO", "server"};
    const char *ping[] = {"PING"};
    struct sync_redis *connection;
    Str text;
    if (sync_redis_open(ctx, str_from_z(redis->url), &connection) != OK ||
        sync_redis_command(ctx, connection, ping, 1, NULL) != OK ||
        sync_redis_command(ctx, connection, info, 2, &text) != OK) {
        diag_clear(ctx);
        return false;
    }
    *ret_version = str_trim(sync_redis_info(text, STR("redis_version")));
    return true;
}

/* Whether it exited because of an error. Exit code 0 (asked to stop while loading) and being killed
 * by a signal say nothing about its data. */
static bool gave_up(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status) != 0;
    return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGTERM &&
           WTERMSIG(status) != SIGINT && WTERMSIG(status) != SIGHUP;
}

/* *ret_has_ended: it exited with an error; otherwise it timed out. */
static Err wait_ready(struct ctx *ctx, struct embedded_redis *redis, pid_t pid, int64_t log_from,
                      bool *ret_has_ended)
{
    int64_t end_us = clock_now_us() + START_S * SECOND_US;
    int status = 0;
    bool has_ended = false;
    while (!has_ended && clock_now_us() < end_us) {
        if (answers(ctx, redis, &redis->version))
            return OK;
        has_ended = process_wait(pid, 10 * MS_US, &status);
    }
    if (!has_ended)
        process_stop(pid, SIGTERM, SECOND_US);
    *ret_has_ended = has_ended && gave_up(status);
    Str error = process_log_error(ctx, redis->log, log_from);
    return fail(ctx, ERR_CONFIG, "Redis does not start: %.*s (its log: %s)", STR_FMT(error),
                redis->log);
}

static Err launch_and_wait(struct ctx *ctx, struct embedded_redis *redis, pid_t *ret_pid,
                           bool *ret_has_ended)
{
    *ret_has_ended = false;
    TRY(places_make_owned(ctx, redis->places, redis->folder));
    TRY(configure(ctx, redis));
    int64_t log_from = process_log_size(redis->log);
    TRY(embedded_redis_launch(ctx, redis, ret_pid));
    return wait_ready(ctx, redis, *ret_pid, log_from, ret_has_ended);
}

static bool has_data(struct ctx *ctx, const struct embedded_redis *redis)
{
    return access(path_format(ctx->arena, "%s/appendonlydir", redis->folder), F_OK) == 0 ||
           access(path_format(ctx->arena, "%s/dump.rdb", redis->folder), F_OK) == 0;
}

static Str words_of(const struct ctx *ctx)
{
    return ctx->diag.first != NULL ? ctx->diag.first->reason : STR_NONE;
}

/* If an empty Redis starts, its data were to blame; if it does not start either, they are
 * restored. */
static Err start_without_data(struct ctx *ctx, struct embedded_redis *redis, pid_t *ret_pid)
{
    struct diag story = ctx->diag;
    redis->damage = words_of(ctx);
    TRY(set_aside(ctx, redis->folder, &redis->aside));
    bool has_ended;
    Err err = launch_and_wait(ctx, redis, ret_pid, &has_ended);
    if (err == OK)
        return OK;
    TRY(set_aside_undo(ctx, redis->folder, redis->aside));
    redis->aside = NULL;
    ctx->diag = story;
    return err;
}

Err embedded_redis_renew(struct ctx *ctx, struct embedded_redis *redis, pid_t *ret_pid)
{
    Str error = process_log_error(ctx, redis->log, 0);
    err_ignore(fail(ctx, ERR_CONFIG, "Redis does not start: %.*s", STR_FMT(error)),
               "reported once it is known that the data are damaged");
    return start_without_data(ctx, redis, ret_pid);
}

static Err check_version(struct ctx *ctx, const struct embedded_redis *redis)
{
    Str rest = redis->version;
    Str major;
    int64_t number = 0;
    if (str_next(&rest, '.', &major) && str_to_i64(major, &number) && number >= VERSION_MIN)
        return OK;
    return fail(ctx, ERR_CONFIG, "%s is Redis %.*s; Spark needs %d or newer", redis->program,
                STR_FMT(redis->version), VERSION_MIN);
}

Err embedded_redis_start(struct ctx *ctx, const struct places *places, struct embedded_redis *ret,
                         pid_t *ret_pid)
{
    struct embedded_redis redis = {.places = places};
    redis.folder = path_format(ctx->arena, "%s/redis", places->store);
    redis.log = path_format(ctx->arena, "%s/redis.log", places->log);
    redis.url = path_format(ctx->arena, "unix://%s/redis.sock", places->sockets);

    TRY(find_program(ctx, &redis));
    TRY(places_make_owned(ctx, places, redis.folder));
    TRY(clear_stray(ctx, &redis));
    bool has_ended;
    Err err = launch_and_wait(ctx, &redis, ret_pid, &has_ended);
    if (err != OK && has_ended && has_data(ctx, &redis))
        err = start_without_data(ctx, &redis, ret_pid);
    TRY(err);
    err = check_version(ctx, &redis);
    if (err != OK)
        process_stop(*ret_pid, SIGTERM, SECOND_US);
    *ret = redis;
    return err;
}
