/* Calls of Redis, against real servers: replies, errors, bounds, callers that go away. */
#include "../redis_test.h"

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
        io_test(blocking_command_can_be_given_up),
    };
    return cmocka_run_group_tests_name("redis", tests, start_shared, stop_shared);
}
