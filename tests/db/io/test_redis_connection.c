/* The connection to Redis, against real servers: its URL, libraries, servers that die and come
 * back. */
#include "../redis_test.h"

#include <arpa/inet.h>
#include <sys/socket.h>

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
        io_test(unfit_library_keeps_it_from_being_ready),
        io_test(killed_server_is_found_again),
        io_test(command_in_flight_fails_when_the_server_dies),
        io_test(subscription_outlives_the_server),
        io_test(name_password_and_database_of_the_url_are_used),
        io_test(unreachable_server_is_told_at_the_deadline),
        io_test(bad_url_is_a_configuration_error),
    };
    return cmocka_run_group_tests_name("redis_connection", tests, start_shared, stop_shared);
}
