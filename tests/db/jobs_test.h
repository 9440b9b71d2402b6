/*
 * For tests of the queue: the database of db_test.h, a Redis of our own, and a reactor with both.
 * `ask` and `tell` speak SQL as the platform, which is how a test sees what no job may.
 */
#pragma once

#include "db_test.h"
#include "gen/sql.h"
#include "io/redis/redis.h"
#include "jobs/queue/claim.h"
#include "jobs/queue/job.h"
#include "jobs/queue/keys.h"
#include "jobs/queue/queue.h"
#include "jobs/steward/steward.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static struct {
    pid_t pid;
    char folder[64];
    char socket[96];
    char url[128];
} redis_server;

static PGconn *jobs_admin;

#define W1 STR("worker:1")
#define W2 STR("worker:2")

static inline void redis_server_start(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(redis_server.folder, sizeof(redis_server.folder), "%.40s/spark-jobs-XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(redis_server.folder));
    snprintf(redis_server.socket, sizeof(redis_server.socket), "%s/s", redis_server.folder);
    snprintf(redis_server.url, sizeof(redis_server.url), "unix://%s", redis_server.socket);
    redis_server.pid = fork();
    assert_true(redis_server.pid >= 0);
    if (redis_server.pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that aborts leaves no server behind */
    dup2(open("/dev/null", O_RDWR), 1);
    execlp("redis-server", "redis-server", "--unixsocket", redis_server.socket, "--save", "",
           "--appendonly", "no", "--dir", redis_server.folder, "--port", "0", (char *)NULL);
    _exit(127);
}

static inline void redis_server_stop(void)
{
    kill(redis_server.pid, SIGKILL);
    waitpid(redis_server.pid, NULL, 0);
    unlink(redis_server.socket);
    rmdir(redis_server.folder);
}

static inline int jobs_database_setup(void **state)
{
    redis_server_start();
    if (database_setup(state) != 0)
        return 1;
    jobs_admin = must_connect(test_url);
    must_run(jobs_admin, "set role spark_owner; set spark.scope = 'platform'");
    return 0;
}

static inline int jobs_database_teardown(void **state)
{
    PQfinish(jobs_admin);
    redis_server_stop();
    return database_teardown(state);
}

static inline void tell(const char *sql)
{
    must_run(jobs_admin, sql);
}

static inline int64_t ask(const char *sql)
{
    return strtoll(must_ask(jobs_admin, sql), NULL, 10);
}

static inline Err empty_redis(struct ctx *ctx, void *arg)
{
    (void)arg;
    TRY(redis_wait_ready(ctx, ctx->reactor->redis));
    return REDIS_CALL(ctx, ctx->reactor->redis, NULL, STR("FLUSHALL"));
}

static inline int jobs_setup(void **state)
{
    reset_rows();
    tell("delete from spark.jobs; delete from spark.workers; delete from spark.leases");
    struct settings settings = test_settings();
    settings.redis_url = str_from_z(redis_server.url);
    settings.worker_lease_s = 15;
    settings.worker_concurrency = 8;
    settings.job_retry_base_ms = 1000;
    settings.job_retention_h = 72;
    struct db_fixture *f = fixture_open(settings);
    f->reactor.redis = redis_new(f->loop, f->settings.redis_url);
    queue_use(f->reactor.redis);
    *state = f;
    assert_int_equal(act(f, AS_NONE, empty_redis, NULL), OK);
    return 0;
}

static inline int jobs_teardown(void **state)
{
    struct db_fixture *f = *state;
    redis_free(f->reactor.redis);
    fixture_close(f);
    return 0;
}

#define jobs_test(name) cmocka_unit_test_setup_teardown(name, jobs_setup, jobs_teardown)
#define RUN_JOBS_TESTS(tests)                                                                      \
    cmocka_run_group_tests(tests, jobs_database_setup, jobs_database_teardown)

static inline struct platform as_platform(struct ctx *ctx)
{
    return reactor_platform(ctx);
}

/* One job of the ctx's scope, in a transaction of its own. */
static inline Err enqueue_one(struct ctx *ctx, void *arg)
{
    int64_t *ret_id = arg;
    return job_enqueue_now(ctx, &(struct job_spec){.kind = STR("test")}, ret_id);
}

/* What a claim of `most` by a worker brought; the jobs stay in the actor's arena. */
struct claim_call {
    Str worker;
    uint32_t most;
    uint32_t slots; /* 0: more than anybody has */
    bool is_polling;
    struct claimed claimed[CLAIM_MAX];
    uint32_t count;
    bool is_held_back;
};

static inline Err claim_some(struct ctx *ctx, void *arg)
{
    struct claim_call *call = arg;
    struct claim_room room = {.most = call->most, .slots = call->slots > 0 ? call->slots : 1000000};
    struct claims claims = {.jobs = call->claimed};
    Err err = call->is_polling ? jobs_claim_polling(as_platform(ctx), call->worker, room, &claims)
                               : jobs_claim(as_platform(ctx), call->worker, room, &claims);
    call->count = claims.count;
    call->is_held_back = claims.is_held_back;
    return err;
}

static inline uint32_t claim(struct db_fixture *f, struct claim_call *call, Str worker,
                             uint32_t most)
{
    *call = (struct claim_call){
        .worker = worker, .most = most, .slots = call->slots, .is_polling = call->is_polling};
    assert_int_equal(act(f, AS_NONE, claim_some, call), OK);
    return call->count;
}

/* Turns of one steward, which remembers between them. */
struct steward_call {
    struct steward steward;
    Str worker;
};

static inline Err turn_steward(struct ctx *ctx, void *arg)
{
    struct steward_call *call = arg;
    return steward_turn(ctx, &call->steward, call->worker);
}

static inline void steward(struct db_fixture *f, struct steward_call *call)
{
    assert_int_equal(act(f, AS_NONE, turn_steward, call), OK);
}

/* An integer that a Redis command answers. */
struct redis_question {
    const Str *words;
    uint32_t count;
    int64_t answer;
};

static inline Err ask_redis(struct ctx *ctx, void *arg)
{
    struct redis_question *question = arg;
    struct redis_value value;
    TRY(redis_call(ctx, ctx->reactor->redis, question->words, question->count, &value));
    question->answer = value.kind == REDIS_INT ? value.integer : (int64_t)value.count;
    return OK;
}

static inline int64_t redis_answer(struct db_fixture *f, const Str *words, uint32_t count)
{
    struct redis_question question = {words, count, -1};
    assert_int_equal(act(f, AS_NONE, ask_redis, &question), OK);
    return question.answer;
}
#define REDIS_ANSWER(f, ...)                                                                       \
    redis_answer((f), (const Str[]){__VA_ARGS__}, sizeof((const Str[]){__VA_ARGS__}) / sizeof(Str))
