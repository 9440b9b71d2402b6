/* The reactor: one thread's loop, database lanes and Redis, made, used and taken down. */
#include "../db_test.h"

struct reactor_test {
    struct reactor *reactor;
    struct arena *arena;
    Err result;
};

static struct settings settings_for(struct arena *arena, const char *database, const char *redis)
{
    struct ctx ctx = {.arena = arena};
    struct settings settings;
    setenv("DATABASE_URL", database, 1);
    setenv("REDIS_URL", redis, 1);
    assert_int_equal(settings_load(&ctx, STR_NONE, &settings), OK);
    return settings;
}

static void use(void *arg)
{
    struct reactor_test *t = arg;
    struct ctx ctx = reactor_ctx(t->reactor, t->arena, 10 * SECOND_US);
    assert_int_equal(ctx.scope.kind, SCOPE_NONE);
    assert_ptr_equal(reactor_platform(&ctx).ctx, &ctx);
    t->result = redis_wait_ready(&ctx, t->reactor->redis);
    if (t->result == OK)
        t->result = db_wait_ready(&ctx, t->reactor->db);
    if (t->result != OK)
        print_message("%.*s\n", STR_FMT(ctx.diag.last->reason));
}

static void reactor_reaches_both_servers(void **state)
{
    (void)state;
    const char *redis = getenv("SPARK_TEST_REDIS_URL");
    if (redis == NULL)
        give_up("set SPARK_TEST_REDIS_URL");
    struct reactor_test t = {.arena = arena_create()};
    struct settings settings = settings_for(t.arena, test_url, redis);
    struct offload *offload = offload_new(4, 64);
    t.reactor = reactor_new(&settings, offload, 0, "test_reactor");
    assert_ptr_equal(loop_offload(t.reactor->loop), offload);
    fiber_spawn(t.reactor->loop, "use", use, &t);
    turn_until_empty(t.reactor->loop);
    reactor_free(t.reactor);
    offload_free(offload);
    arena_destroy(t.arena);
    assert_int_equal(t.result, OK);
}

static void reactor_can_be_taken_down_while_it_connects(void **state)
{
    (void)state;
    for (int turns = 0; turns < 4; turns++) {
        struct arena *arena = arena_create();
        struct settings settings =
            settings_for(arena, "postgresql://nobody@127.0.0.1:1/none", "redis://127.0.0.1:1");
        struct offload *offload = offload_new(2, 64);
        struct reactor *reactor = reactor_new(&settings, offload, 0, "test_reactor");
        for (int i = 0; i < turns; i++)
            loop_turn(reactor->loop, 20);
        reactor_free(reactor);
        offload_free(offload);
        arena_destroy(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reactor_reaches_both_servers),
        cmocka_unit_test(reactor_can_be_taken_down_while_it_connects),
    };
    return cmocka_run_group_tests_name("reactor", tests, database_setup, database_teardown);
}
