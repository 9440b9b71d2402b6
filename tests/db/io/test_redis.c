/*
 * Redis, against real servers: the one of SPARK_TEST_REDIS_URL, or one started here; those that
 * are killed, stopped or want a password are always started here.
 */
#include "../../unit/io/io_test.h"
#include "io/redis/redis.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A redis-server of our own, on a unix socket in a folder of its own. */
struct server {
    pid_t pid;
    char folder[64];
    char socket[96];
    char url[128];
};

static void server_run(struct server *s, const char *const *options)
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

static void server_make(struct server *s)
{
    const char *tmp = getenv("TMPDIR");
    *s = (struct server){0};
    snprintf(s->folder, sizeof(s->folder), "%.40s/spark-redis-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->socket, sizeof(s->socket), "%s/s", s->folder);
    snprintf(s->url, sizeof(s->url), "unix://%s", s->socket);
}

static void server_kill(struct server *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
}

static void server_remove(struct server *s)
{
    server_kill(s);
    unlink(s->socket);
    rmdir(s->folder);
}

static struct server shared;

static Str shared_url(void)
{
    const char *url = getenv("SPARK_TEST_REDIS_URL");
    return str_from_z(url != NULL && url[0] != '\0' ? url : shared.url);
}

static int start_shared(void **state)
{
    (void)state;
    server_make(&shared);
    server_start(&shared, NO_PORT);
    return 0;
}

static int stop_shared(void **state)
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

static Err ready_then_body(struct ctx *ctx, void *arg)
{
    struct with_redis *with = arg;
    TRY(redis_wait_ready(ctx, with->redis));
    return with->body(ctx, with);
}

static Err run_with(struct fixture *f, struct redis *redis, struct server *server,
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

static Err all_kinds(struct ctx *ctx, struct with_redis *with)
{
    struct redis_value v;
    TRY(REDIS_CALL(ctx, with->redis, &v, STR("SET"), STR("k{kinds}"), STR("v\r\n\0w")));
    assert_int_equal(v.kind, REDIS_STR);
    assert_true(str_eq(v.text, STR("OK")));
    TRY(REDIS_CALL(ctx, with->redis, &v, STR("GET"), STR("k{kinds}")));
    assert_true(str_eq(v.text, STR("v\r\n\0w")));
    TRY(REDIS_CALL(ctx, with->redis, &v, STR("DEL"), STR("k{kinds}"), STR("l{kinds}")));
    assert_int_equal(v.kind, REDIS_INT);
    assert_int_equal(v.integer, 1);
    TRY(REDIS_CALL(ctx, with->redis, &v, STR("GET"), STR("k{kinds}")));
    assert_int_equal(v.kind, REDIS_NIL);
    TRY(REDIS_CALL(ctx, with->redis, &v, STR("EVAL"), STR("return {1,{'a',{}},false}"), STR("0")));
    assert_int_equal(v.kind, REDIS_ARRAY);
    assert_int_equal(v.count, 3);
    assert_true(str_eq(v.items[1].items[0].text, STR("a")));
    assert_int_equal(v.items[1].items[1].count, 0);
    assert_int_equal(v.items[2].kind, REDIS_NIL);
    return OK;
}

static void replies_of_all_kinds_arrive(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_with(f, redis_new(f->loop, shared_url()), NULL, all_kinds), OK);
}

static Err wrong_commands(struct ctx *ctx, struct with_redis *with)
{
    struct redis_value v = {.integer = 7};
    assert_int_equal(REDIS_CALL(ctx, with->redis, &v, STR("NOSUCH")), ERR_INTERNAL);
    assert_true(str_find(ctx->diag.last->reason, STR("NOSUCH")) >= 0);
    assert_int_equal(v.integer, 7); /* untouched */
    Str script = STR("return redis.error_reply('OOM command not allowed')");
    assert_int_equal(REDIS_CALL(ctx, with->redis, NULL, STR("EVAL"), script, STR("0")),
                     ERR_UNAVAILABLE);
    diag_clear(ctx);
    return OK;
}

static void error_replies_become_errors(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_with(f, redis_new(f->loop, shared_url()), NULL, wrong_commands), OK);
}

static Err big_value(struct ctx *ctx, struct with_redis *with)
{
    enum { SIZE = 20 << 20 };
    char *bytes = arena_alloc(ctx->arena, SIZE);
    memset(bytes, 'x', SIZE);
    bytes[SIZE - 1] = 'y';
    struct redis_value v;
    TRY(REDIS_CALL(ctx, with->redis, NULL, STR("SET"), STR("big"), str_of(bytes, SIZE)));
    TRY(REDIS_CALL(ctx, with->redis, &v, STR("GET"), STR("big")));
    assert_true(str_eq(v.text, str_of(bytes, SIZE)));
    return REDIS_CALL(ctx, with->redis, NULL, STR("DEL"), STR("big"));
}

static void value_larger_than_the_socket_buffer_goes_both_ways(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_with(f, redis_new(f->loop, shared_url()), NULL, big_value), OK);
}

static Err too_much(struct ctx *ctx, struct with_redis *with)
{
    enum { SIZE = 65 << 20 };
    char *bytes = arena_alloc(ctx->arena, SIZE);
    assert_int_equal(
        REDIS_CALL(ctx, with->redis, NULL, STR("SET"), STR("big"), str_of(bytes, SIZE)),
        ERR_UNAVAILABLE);
    uint32_t sent = 0;
    while (sent < 200000 && redis_send(with->redis, (const Str[]){STR("PING")}, 1))
        sent++;
    assert_int_equal(sent, 100000);
    TRY(fiber_sleep(ctx, 1000));
    diag_clear(ctx);
    while (REDIS_CALL(ctx, with->redis, NULL, STR("PING")) != OK)
        TRY(fiber_sleep(ctx, 1000));
    return OK;
}

static void output_and_commands_in_flight_are_bounded(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_with(f, redis_new(f->loop, shared_url()), NULL, too_much), OK);
}

struct many {
    struct redis *redis;
    uint32_t done;
};

static Err one_of_many(struct ctx *ctx, void *arg)
{
    struct many *many = arg;
    for (int i = 0; i < 5; i++) {
        Str text = str_printf(ctx->arena, "%d", i * 1000 + (int)many->done);
        struct redis_value v;
        TRY(REDIS_CALL(ctx, many->redis, &v, STR("ECHO"), text));
        assert_true(str_eq(v.text, text));
    }
    many->done++;
    return OK;
}

static Err a_thousand(struct ctx *ctx, struct with_redis *with)
{
    struct many many = {.redis = with->redis};
    struct group group;
    group_init(&group, ctx);
    for (int i = 0; i < 1000; i++)
        group_spawn(&group, ctx, "one", one_of_many, &many);
    TRY(group_join(ctx, &group));
    assert_int_equal(many.done, 1000);
    return OK;
}

static void thousand_fibers_share_one_connection(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_with(f, redis_new(f->loop, shared_url()), NULL, a_thousand), OK);
}

/* The caller of the n-th command goes away; the others get their own answers. */
static Err abandon(struct ctx *ctx, struct with_redis *with)
{
    struct redis_value v;
    struct ctx hasty = *ctx;
    hasty.deadline_us = clock_now_us() + 2000;
    Str slow = STR("local t = redis.call('TIME'); local e = t[1]*1e6+t[2]+20000; repeat t = "
                   "redis.call('TIME') until t[1]*1e6+t[2] > e; return 'slow'");
    assert_int_equal(REDIS_CALL(&hasty, with->redis, &v, STR("EVAL"), slow, STR("0")), ERR_TIMEOUT);
    TRY(REDIS_CALL(ctx, with->redis, &v, STR("ECHO"), STR("mine")));
    assert_true(str_eq(v.text, STR("mine")));
    return OK;
}

static void abandoned_command_leaves_the_order_of_replies(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_with(f, redis_new(f->loop, shared_url()), NULL, abandon), OK);
}

static Err five_calls(struct ctx *ctx, struct with_redis *with)
{
    for (int i = 0; i < 5; i++)
        TRY(REDIS_CALL(ctx, with->redis, NULL, STR("PING")));
    return OK;
}

struct victim {
    struct in_fiber run;
    struct fiber *fiber;
};

static void victim_main(void *arg)
{
    struct victim *victim = arg;
    victim->fiber = fiber_self();
    in_fiber_main(&victim->run);
    victim->fiber = NULL;
}

static void call_can_be_cancelled_at_each_wait(void **state)
{
    struct fixture *f = *state;
    struct redis *redis = redis_new(f->loop, shared_url());
    for (int turns = 0; turns < 12; turns++) {
        struct with_redis with = {f, redis, NULL, five_calls};
        struct victim victim = {.run = in_fiber_make(f, ready_then_body, &with)};
        fiber_spawn(f->loop, "victim", victim_main, &victim);
        for (int i = 0; i < turns && victim.fiber != NULL; i++)
            loop_turn(f->loop, 1000);
        if (victim.fiber != NULL)
            fiber_cancel(victim.fiber);
        turn_until_empty(f->loop);
        assert_true(victim.run.result == OK || victim.run.result == ERR_CANCELLED);
    }
    assert_int_equal(run_with(f, redis, NULL, five_calls), OK);
}

static Err call_library(struct ctx *ctx, struct with_redis *with)
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

static Err library_when_up(struct ctx *ctx, struct with_redis *with)
{
    redis_use_library(with->redis, STR("spark_test"), LIBRARY);
    return call_library(ctx, with);
}

static void library_can_be_called_at_once(void **state)
{
    struct fixture *f = *state;
    struct redis *redis = redis_new(f->loop, shared_url());
    redis_use_library(redis, STR("spark_test"), LIBRARY);
    assert_int_equal(run_with(f, redis, NULL, call_library), OK);
    assert_int_equal(run_with(f, redis_new(f->loop, shared_url()), NULL, library_when_up), OK);
}

static Err never_ready(struct ctx *ctx, struct with_redis *with)
{
    (void)with;
    return fail(ctx, ERR_INTERNAL, "it must not come so far");
}

static void unfit_library_keeps_it_from_being_ready(void **state)
{
    struct fixture *f = *state;
    struct redis *redis = redis_new(f->loop, shared_url());
    redis_use_library(redis, STR("bad"), STR("#!lua name=bad\nthis is no lua"));
    struct with_redis with = {f, redis, NULL, never_ready};
    struct in_fiber run = in_fiber_make(f, ready_then_body, &with);
    run.ctx.deadline_us = clock_now_us() + 300 * MS_US;
    fiber_spawn(f->loop, "redis", in_fiber_main, &run);
    turn_until_empty(f->loop);
    assert_int_equal(run.result, ERR_UNAVAILABLE);
    assert_true(str_find(run.ctx.diag.last->reason, STR("ompil")) >= 0);
    redis_free(redis);
}

/* Calls until Redis answers again; what it says meanwhile must be ERR_UNAVAILABLE, at once. */
static Err call_until_up(struct ctx *ctx, struct redis *redis)
{
    Err err;
    while ((err = REDIS_CALL(ctx, redis, NULL, STR("PING"))) != OK) {
        if (err != ERR_UNAVAILABLE)
            return err;
        TRY(fiber_sleep(ctx, 5000));
    }
    return OK;
}

static Err die_and_come_back(struct ctx *ctx, struct with_redis *with)
{
    uint64_t before = redis_incarnation(with->redis);
    TRY(call_library(ctx, with));
    server_kill(with->server);
    assert_int_equal(REDIS_CALL(ctx, with->redis, NULL, STR("PING")), ERR_UNAVAILABLE);
    assert_false(redis_is_up(with->redis));
    assert_int_equal(REDIS_CALL(ctx, with->redis, NULL, STR("PING")), ERR_UNAVAILABLE);
    assert_false(redis_send(with->redis, (const Str[]){STR("PING")}, 1));

    server_start(with->server, NO_PORT);
    TRY(call_until_up(ctx, with->redis));
    assert_int_equal(redis_incarnation(with->redis), before + 1);
    return call_library(ctx, with); /* the new server has it too */
}

static void killed_server_is_found_again(void **state)
{
    struct fixture *f = *state;
    struct server server;
    server_make(&server);
    server_start(&server, NO_PORT);
    struct redis *redis = redis_new(f->loop, str_from_z(server.url));
    redis_use_library(redis, STR("spark_test"), LIBRARY);
    assert_int_equal(run_with(f, redis, &server, die_and_come_back), OK);
    server_remove(&server);
}

static Err dies_meanwhile(struct ctx *ctx, void *arg)
{
    struct with_redis *with = arg;
    return REDIS_CALL(ctx, with->redis, NULL, STR("DEBUG"), STR("SLEEP"), STR("60"));
}

static Err in_flight_when_it_dies(struct ctx *ctx, struct with_redis *with)
{
    struct group group;
    group_init(&group, ctx);
    group_spawn(&group, ctx, "in flight", dies_meanwhile, with);
    TRY(fiber_sleep(ctx, 20 * MS_US));
    server_kill(with->server);
    assert_int_equal(group_join(ctx, &group), ERR_UNAVAILABLE);
    diag_clear(ctx);
    return OK;
}

static void command_in_flight_fails_when_the_server_dies(void **state)
{
    struct fixture *f = *state;
    struct server server;
    server_make(&server);
    server_start(&server, NO_PORT, "--enable-debug-command", "yes");
    struct redis *redis = redis_new(f->loop, str_from_z(server.url));
    assert_int_equal(run_with(f, redis, &server, in_flight_when_it_dies), OK);
    server_remove(&server);
}

static Err block_then_give_up(struct ctx *ctx, struct with_redis *with)
{
    struct redis_value v;
    uint64_t before = redis_incarnation(with->redis);
    struct ctx hasty = *ctx;
    hasty.deadline_us = clock_now_us() + 5 * MS_US;
    assert_int_equal(
        REDIS_CALL(&hasty, with->redis, &v, STR("BLPOP"), STR("spark-test-bell"), STR("0")),
        ERR_TIMEOUT);
    TRY(redis_wait_ready(ctx, with->redis));
    assert_int_equal(redis_incarnation(with->redis), before + 1);
    TRY(REDIS_CALL(ctx, with->redis, &v, STR("BLPOP"), STR("spark-test-bell"), STR("0.01")));
    assert_int_equal(v.kind, REDIS_NIL);
    return OK;
}

static void blocking_command_can_be_given_up(void **state)
{
    struct fixture *f = *state;
    struct redis *redis = redis_new_blocking(f->loop, shared_url());
    assert_int_equal(run_with(f, redis, NULL, block_then_give_up), OK);
}

struct inbox {
    uint32_t messages;
    uint32_t lost;
    char last[32];
};

static void on_message(void *arg, Str payload)
{
    struct inbox *inbox = arg;
    inbox->messages++;
    snprintf(inbox->last, sizeof(inbox->last), "%.*s", STR_FMT(payload));
}

static void on_lost(void *arg)
{
    ((struct inbox *)arg)->lost++;
}

struct pubsub {
    struct with_redis with;
    struct inbox inbox;
};

static Err publish_and_die(struct ctx *ctx, struct with_redis *with)
{
    struct inbox *inbox = &((struct pubsub *)(void *)with)->inbox;
    while (inbox->lost < 1)
        TRY(fiber_sleep(ctx, MS_US));
    for (int i = 0; i < 3; i++)
        TRY(REDIS_CALL(ctx, with->redis, NULL, STR("PUBLISH"), STR("spark-test"), STR("hello")));
    while (inbox->messages < 3)
        TRY(fiber_sleep(ctx, MS_US));
    assert_string_equal(inbox->last, "hello");

    server_kill(with->server);
    server_start(with->server, NO_PORT);
    while (inbox->lost < 2)
        TRY(fiber_sleep(ctx, MS_US));
    TRY(call_until_up(ctx, with->redis));
    TRY(REDIS_CALL(ctx, with->redis, NULL, STR("PUBLISH"), STR("spark-test"), STR("again")));
    while (inbox->messages < 4)
        TRY(fiber_sleep(ctx, MS_US));
    assert_string_equal(inbox->last, "again");
    return OK;
}

static void subscription_outlives_the_server(void **state)
{
    struct fixture *f = *state;
    struct server server;
    server_make(&server);
    server_start(&server, NO_PORT);
    Str url = str_from_z(server.url);
    struct pubsub p = {.with = {f, redis_new(f->loop, url), &server, publish_and_die}};
    struct redis_subscriber *subscriber =
        redis_subscribe(f->loop, url, STR("spark-test"), on_message, on_lost, &p.inbox);
    struct in_fiber run = in_fiber_make(f, ready_then_body, &p.with);
    fiber_spawn(f->loop, "redis", in_fiber_main, &run);
    turn_until_empty(f->loop);
    assert_int_equal(run.result, OK);
    redis_subscriber_free(subscriber);
    redis_free(p.with.redis);
    server_remove(&server);
}

static uint16_t free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(in);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    close(fd);
    return ntohs(in.sin_port);
}

/* The Err and the reason of redis_wait_ready for a server that never lets us in. */
static Err wait_in_vain(struct fixture *f, const char *url, Str *ret_reason)
{
    struct with_redis with = {f, redis_new(f->loop, str_from_z(url)), NULL, never_ready};
    struct in_fiber run = in_fiber_make(f, ready_then_body, &with);
    run.ctx.deadline_us = clock_now_us() + 300 * MS_US;
    fiber_spawn(f->loop, "redis", in_fiber_main, &run);
    turn_until_empty(f->loop);
    redis_free(with.redis);
    *ret_reason = run.ctx.diag.last->reason;
    return run.result;
}

static Err is_in_database_three(struct ctx *ctx, struct with_redis *with)
{
    struct redis_value v;
    TRY(REDIS_CALL(ctx, with->redis, &v, STR("CLIENT"), STR("INFO")));
    assert_true(str_find(v.text, STR(" db=3 ")) >= 0);
    return OK;
}

static void name_password_and_database_of_the_url_are_used(void **state)
{
    struct fixture *f = *state;
    struct server server;
    server_make(&server);
    char port[8], url[128];
    snprintf(port, sizeof(port), "%u", free_port());
    server_start(&server, "--port", port, "--requirepass", "p@ss:w");

    snprintf(url, sizeof(url), "redis://:p%%40ss%%3Aw@localhost:%s/3", port);
    Str with_name = str_from_z(url); /* a thread resolves it */
    assert_int_equal(run_with(f, redis_new(f->loop, with_name), NULL, is_in_database_three), OK);
    snprintf(url, sizeof(url), "redis://default:p@ss:w@127.0.0.1:%s/3", port);
    Str with_user = str_from_z(url);
    assert_int_equal(run_with(f, redis_new(f->loop, with_user), NULL, is_in_database_three), OK);

    Str reason;
    assert_int_equal(wait_in_vain(f, server.url, &reason), ERR_UNAVAILABLE);
    assert_true(str_find(reason, STR("NOAUTH")) >= 0);
    snprintf(url, sizeof(url), "redis://:wrong@127.0.0.1:%s", port);
    assert_int_equal(wait_in_vain(f, url, &reason), ERR_UNAVAILABLE);
    assert_true(str_find(reason, STR("WRONGPASS")) >= 0);
    assert_true(str_find(reason, STR("wrong@")) < 0);
    server_remove(&server);
}

static void unreachable_server_is_told_at_the_deadline(void **state)
{
    char url[64];
    Str reason;
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", free_port());
    assert_int_equal(wait_in_vain(*state, url, &reason), ERR_UNAVAILABLE);
    assert_true(str_find(reason, STR("refused")) >= 0);
}

static void bad_url_is_a_configuration_error(void **state)
{
    Str reason;
    assert_int_equal(wait_in_vain(*state, "", &reason), ERR_CONFIG);
    assert_int_equal(wait_in_vain(*state, "http://127.0.0.1", &reason), ERR_CONFIG);
    assert_true(str_find(reason, STR("REDIS_URL")) >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        io_test(replies_of_all_kinds_arrive),
        io_test(error_replies_become_errors),
        io_test(value_larger_than_the_socket_buffer_goes_both_ways),
        io_test(output_and_commands_in_flight_are_bounded),
        io_test(thousand_fibers_share_one_connection),
        io_test(abandoned_command_leaves_the_order_of_replies),
        io_test(call_can_be_cancelled_at_each_wait),
        io_test(library_can_be_called_at_once),
        io_test(unfit_library_keeps_it_from_being_ready),
        io_test(killed_server_is_found_again),
        io_test(command_in_flight_fails_when_the_server_dies),
        io_test(blocking_command_can_be_given_up),
        io_test(subscription_outlives_the_server),
        io_test(name_password_and_database_of_the_url_are_used),
        io_test(unreachable_server_is_told_at_the_deadline),
        io_test(bad_url_is_a_configuration_error),
    };
    return cmocka_run_group_tests_name("redis", tests, start_shared, stop_shared);
}
