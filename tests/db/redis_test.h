/*
 * Redis for tests: the one of SPARK_TEST_REDIS_URL, or one started here; those that are killed,
 * stopped or want a password are always started here. And fibers to run bodies in.
 */
#pragma once

#include "../unit/io/io_test.h"
#include "io/redis/redis.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A redis-server of our own, on a unix socket in a folder of its own. */
struct server {
    pid_t pid;
    char folder[64];
    char socket[96];
    char url[128];
};

static inline void server_run(struct server *s, const char *const *options)
{
    const char *argv[32] = {"redis-server", "--unixsocket", s->socket, "--save", "",
                            "--appendonly", "no",           "--dir",   s->folder};
    for (int i = 0, n = 9; options[i] != NULL; i++)
        argv[n++] = options[i];
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that aborts leaves no server behind */
    dup2(open("/dev/null", O_RDWR), 1);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}
#define server_start(s, ...) server_run((s), (const char *const[]){__VA_ARGS__, NULL})
#define NO_PORT "--port", "0"

static inline void server_make(struct server *s)
{
    const char *tmp = getenv("TMPDIR");
    *s = (struct server){0};
    snprintf(s->folder, sizeof(s->folder), "%.40s/spark-redis-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->socket, sizeof(s->socket), "%s/s", s->folder);
    snprintf(s->url, sizeof(s->url), "unix://%s", s->socket);
}

static inline void server_kill(struct server *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
}

static inline void server_remove(struct server *s)
{
    server_kill(s);
    unlink(s->socket);
    rmdir(s->folder);
}

static struct server shared;

static inline Str shared_url(void)
{
    const char *url = getenv("SPARK_TEST_REDIS_URL");
    return str_from_z(url != NULL && url[0] != '\0' ? url : shared.url);
}

static inline int start_shared(void **state)
{
    (void)state;
    server_make(&shared);
    server_start(&shared, NO_PORT);
    return 0;
}

static inline int stop_shared(void **state)
{
    (void)state;
    server_remove(&shared);
    return 0;
}

/* Runs a body with a redis of its own. */
struct with_redis {
    struct fixture *f;
    struct redis *redis;
    struct server *server;
    Err (*body)(struct ctx *ctx, struct with_redis *with);
};

static inline Err ready_then_body(struct ctx *ctx, void *arg)
{
    struct with_redis *with = arg;
    TRY(redis_wait_ready(ctx, with->redis));
    return with->body(ctx, with);
}

static inline Err run_with(struct fixture *f, struct redis *redis, struct server *server,
                           Err (*body)(struct ctx *ctx, struct with_redis *with))
{
    struct with_redis with = {f, redis, server, body};
    struct in_fiber run = in_fiber_make(f, ready_then_body, &with);
    fiber_spawn(f->loop, "redis", in_fiber_main, &run);
    turn_until_empty(f->loop);
    if (run.result != OK && run.ctx.diag.last != NULL)
        print_message("%.*s\n", STR_FMT(run.ctx.diag.last->reason));
    redis_free(redis);
    return run.result;
}

static inline Err call_library(struct ctx *ctx, struct with_redis *with)
{
    struct redis_value v;
    TRY(REDIS_CALL(ctx, with->redis, &v, STR("FCALL"), STR("spark_test_add"), STR("0"), STR("40"),
                   STR("2")));
    assert_int_equal(v.integer, 42);
    return OK;
}

static const Str LIBRARY = STR_INIT("#!lua name=spark_test\n"
                                    "redis.register_function('spark_test_add', "
                                    "function(keys, args) return args[1] + args[2] end)");
