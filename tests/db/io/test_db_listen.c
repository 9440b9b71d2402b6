/* LISTEN on a connection of its own, and migrations as a process meets them. */
#include "../db_test.h"

struct ear {
    char heard[256];
    int lost;
};

static void on_notify(void *arg, Str payload)
{
    struct ear *ear = arg;
    size_t len = strlen(ear->heard);
    snprintf(ear->heard + len, sizeof(ear->heard) - len, "%.*s;", STR_FMT(payload));
}

static void on_lost(void *arg)
{
    ((struct ear *)arg)->lost++;
}

static void notifications_arrive_and_a_gap_is_told(void **state)
{
    struct db_fixture *f = *state;
    struct ear ear = {0};
    struct db_listener *listener =
        db_listen(f->loop, &f->settings, "spark_Test", on_notify, on_lost, &ear);
    while (ear.lost == 0)
        loop_turn(f->loop, 1000);
    must_run(test_admin, "notify \"spark_Test\", 'one'; notify \"spark_Test\", 'two'");
    while (strcmp(ear.heard, "one;two;") != 0)
        loop_turn(f->loop, 1000);

    must_run(test_admin,
             "select pg_terminate_backend(pid) from pg_stat_activity "
             "where application_name = 'spark listen' and datname = current_database()");
    while (ear.lost == 1)
        loop_turn(f->loop, 1000);
    assert_int_equal(ear.lost, 2);
    must_run(test_admin, "notify \"spark_Test\", 'three'");
    while (strcmp(ear.heard, "one;two;three;") != 0)
        loop_turn(f->loop, 1000);
    db_listener_free(listener);
}

static void a_listener_may_go_while_it_connects(void **state)
{
    struct db_fixture *f = *state;
    struct ear ear = {0};
    db_listener_free(db_listen(f->loop, &f->settings, "x", on_notify, on_lost, &ear));
    f->settings.database_direct_url = STR("host=/nonexistent");
    struct db_listener *listener = db_listen(f->loop, &f->settings, "x", on_notify, on_lost, &ear);
    for (int i = 0; i < 10; i++)
        loop_turn(f->loop, 10);
    db_listener_free(listener);
    assert_int_equal(ear.lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(notifications_arrive_and_a_gap_is_told),
        db_test(a_listener_may_go_while_it_connects),
    };
    return RUN_DB_TESTS(tests);
}
