/* Who waits for whom: reads that nobody wants any more, reads that stand still, a server that is
 * away. The locks are real. */
#include "../db_test.h"
#include "io/pg/db_internal.h"

static const struct statement ONE = {.name = "test_one", .sql = "select 1", .lane = DB_READ};

static Err read_one(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct rows rows;
    TRY(db_query(ctx, &ONE, NO_ARGS, &rows));
    assert_int_equal(row_int(&rows, 0, 0), 1);
    return OK;
}

/* Waits as long as somebody holds a lock on the table; *arg: for how long at most, or NULL. */
static Err read_locked(struct ctx *ctx, void *arg)
{
    if (arg != NULL)
        ctx->deadline_us = clock_now_us() + *(int64_t *)arg;
    struct statement locked = shape("select count(*) from plain", DB_READ);
    return db_query(ctx, &locked, NO_ARGS, NULL);
}

static Err read_sleeping(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement slow = shape("select pg_sleep(0.3)", DB_READ);
    return db_query(ctx, &slow, NO_ARGS, NULL);
}

static void lock_plain(void)
{
    must_run(test_admin, "begin; lock table plain in access exclusive mode");
}

static int blocked_readers(void)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
             "select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
             "and datname = '%s' and application_name = 'spark test'",
             test_name);
    return atoi(must_ask(test_server, sql));
}

static void turn_until_blocked(struct db_fixture *f, int count)
{
    while (blocked_readers() != count)
        loop_turn(f->loop, 5);
}

/* The whole lane on one connection. */
static struct db_fixture *open_narrow(void)
{
    struct settings settings = test_settings();
    settings.database_read_lanes = 1;
    struct db_fixture *f = fixture_open(settings);
    assert_int_equal(act(f, AS_A, read_one, NULL), OK);
    return f;
}

static void a_read_whose_client_left_is_cancelled_on_the_server(void **state)
{
    (void)state;
    struct db_fixture *f = open_narrow();
    lock_plain();
    struct actor_fiber *left = actor_start(f, AS_A, read_locked, NULL);
    turn_until_blocked(f, 1);
    fiber_cancel(left->fiber);
    turn_until_done(f);
    assert_int_equal(left->result, ERR_CANCELLED);
    turn_until_blocked(f, 0); /* though the lock is still held */
    assert_int_equal(act(f, AS_A, read_one, NULL), OK);
    must_run(test_admin, "rollback");
    Str description = db_describe(f->arena, f->reactor.db);
    assert_true(str_find(description, STR("\"connects\":2")) < 0); /* in the same session */
    fixture_close(f);
}

/* They share its group, so they wait as long as it does, and no longer. */
static void neighbours_of_a_read_that_was_given_up_are_served(void **state)
{
    (void)state;
    struct db_fixture *f = open_narrow();
    lock_plain();
    int64_t timeout_us = 200000;
    struct actor_fiber *late = actor_start(f, AS_A, read_locked, &timeout_us);
    struct actor_fiber *neighbours[8];
    for (int i = 0; i < 8; i++)
        neighbours[i] = actor_start(f, i % 2 ? AS_A : AS_B, read_one, NULL);
    while (fiber_count(f->loop) > 0)
        loop_turn(f->loop, 1000);
    assert_int_equal(late->result, ERR_TIMEOUT);
    for (int i = 0; i < 8; i++)
        assert_int_equal(neighbours[i]->result, OK);
    turn_until_blocked(f, 0);
    must_run(test_admin, "rollback");
    fixture_close(f);
}

/* In its group and behind it, and it lives: they are served elsewhere while it goes on. */
static void readers_behind_one_that_waits_are_moved(void **state)
{
    (void)state;
    struct db_fixture *f = open_narrow();
    lock_plain();
    for (int round = 0; round < 3; round++) {
        struct actor_fiber *blocked = actor_start(f, AS_A, read_locked, NULL);
        struct actor_fiber *others[12];
        for (int i = 0; i < 12; i++) {
            if (i == 6)
                loop_turn(f->loop, 1);
            others[i] = actor_start(f, i % 2 ? AS_A : AS_B, read_one, NULL);
        }
        while (fiber_count(f->loop) > 1)
            loop_turn(f->loop, 1000);
        for (int i = 0; i < 12; i++)
            assert_int_equal(others[i]->result, OK);
        assert_false(blocked->has_ended);
        if (round == 1) { /* the ghosts run */
            must_run(test_admin, "rollback");
            turn_until_done(f);
            assert_int_equal(blocked->result, OK);
            lock_plain();
            continue;
        }
        fiber_cancel(blocked->fiber);
        turn_until_done(f);
    }
    assert_int_equal(act(f, AS_A, read_one, NULL), OK);
    must_run(test_admin, "rollback");
    fixture_close(f);
}

static void many_that_were_given_up_are_cancelled_one_after_the_other(void **state)
{
    (void)state;
    struct db_fixture *f = open_narrow();
    lock_plain();
    int64_t timeout_us = 300000;
    struct actor_fiber *late[12];
    for (int i = 0; i < 12; i++) {
        late[i] = actor_start(f, AS_A, read_locked, &timeout_us);
        loop_turn(f->loop, 1); /* a group of its own */
    }
    turn_until_done(f);
    for (int i = 0; i < 12; i++)
        assert_int_equal(late[i]->result, ERR_TIMEOUT);
    assert_int_equal(act(f, AS_A, read_one, NULL), OK);
    turn_until_blocked(f, 0);
    must_run(test_admin, "rollback");
    fixture_close(f);
}

/* Cancel requests that come late hit whoever runs then: that one must not notice. */
static void a_cancel_that_comes_late_hurts_nobody(void **state)
{
    struct db_fixture *f = *state;
    for (int round = 0; round < 3; round++) {
        struct actor_fiber *left = actor_start(f, AS_A, read_sleeping, NULL);
        loop_turn(f->loop, 1);
        struct actor_fiber *others[10];
        for (int i = 0; i < 10; i++) {
            others[i] = actor_start(f, AS_A, read_sleeping, NULL);
            if (i % 4 == 0)
                loop_turn(f->loop, 1);
        }
        fiber_cancel(left->fiber);
        turn_until_done(f);
        for (int i = 0; i < 10; i++)
            assert_int_equal(others[i]->result, OK);
    }
}

/* As many readers wait for the lock as there are connections, and they may: they live. */
static void readers_of_other_tables_do_not_stand_behind_a_lock(void **state)
{
    struct db_fixture *f = *state;
    assert_int_equal(act(f, AS_A, read_one, NULL), OK);
    lock_plain();
    struct actor_fiber *blocked[2];
    for (int i = 0; i < 2; i++) {
        blocked[i] = actor_start(f, AS_A, read_locked, NULL);
        turn_until_blocked(f, i + 1);
    }
    int64_t until_us = clock_now_us() + 100000; /* known to stand still */
    while (clock_now_us() < until_us)
        loop_turn(f->loop, 10);
    for (int i = 0; i < 20; i++) {
        struct actor_fiber *other = actor_start(f, AS_A, read_one, NULL);
        while (!other->has_ended)
            loop_turn(f->loop, 1000);
        assert_int_equal(other->result, OK);
    }
    assert_int_equal(blocked_readers(), 2);
    assert_false(blocked[0]->has_ended || blocked[1]->has_ended);
    must_run(test_admin, "rollback");
    turn_until_done(f);
    for (int i = 0; i < 2; i++)
        assert_int_equal(blocked[i]->result, OK);
}

/* Not more of them than there may be, however many wait. */
static void spare_connections_are_bounded(void **state)
{
    struct db_fixture *f = *state;
    assert_int_equal(act(f, AS_A, read_one, NULL), OK);
    lock_plain();
    struct actor_fiber *blocked[10];
    for (int i = 0; i < 10; i++) {
        blocked[i] = actor_start(f, AS_A, read_locked, NULL);
        int64_t until_us = clock_now_us() + 100000;
        while (clock_now_us() < until_us)
            loop_turn(f->loop, 10);
    }
    assert_int_equal(blocked_readers(), 4);
    must_run(test_admin, "rollback");
    turn_until_done(f);
    for (int i = 0; i < 10; i++)
        assert_int_equal(blocked[i]->result, OK);
}

static struct settings away_settings(void)
{
    struct settings settings = test_settings();
    settings.database_url = STR("host=/nonexistent");
    settings.database_outage_timeout_ms = 100;
    return settings;
}

static Err begin_one(struct ctx *ctx, void *arg)
{
    (void)arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    return db_commit(&tx);
}

static Err write_one(struct ctx *ctx, void *arg)
{
    struct statement insert = shape("insert into hits values (1, 1)", DB_WRITE);
    insert.lane = *(enum db_lane *)arg;
    return db_query(ctx, &insert, NO_ARGS, NULL);
}

static void outages_are_answered_before_the_deadline_on_every_lane(void **state)
{
    (void)state;
    struct db_fixture *f = fixture_open(away_settings());
    enum db_lane lanes[] = {DB_WRITE, DB_SHARED, DB_SLOW};
    struct actor_fiber *actors[8];
    for (int i = 0; i < 8; i++) {
        Scope scope = i % 2 ? AS_A : AS_PLATFORM;
        actors[i] = i < 2   ? actor_start(f, scope, read_one, NULL)
                    : i < 4 ? actor_start(f, scope, begin_one, NULL)
                            : actor_start(f, scope, write_one, &lanes[i % 3]);
    }
    turn_until_done(f);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(actors[i]->result, ERR_UNAVAILABLE);
        assert_true(clock_now_us() < actors[i]->ctx.deadline_us);
        expect_text(last_reason(&actors[i]->ctx), "PostgreSQL is not reachable");
    }
    fixture_close(f);
}

static void later_ones_are_refused_without_a_wait(void **state)
{
    (void)state;
    struct db_fixture *f = fixture_open(away_settings());
    assert_int_equal(act(f, AS_A, read_one, NULL), ERR_UNAVAILABLE);
    assert_int_equal(act(f, AS_A, begin_one, NULL), ERR_UNAVAILABLE);
    /* They have ended before the loop turns. */
    assert_true(actor_start(f, AS_A, read_one, NULL)->has_ended);
    assert_true(actor_start(f, AS_A, begin_one, NULL)->has_ended);
    fixture_close(f);
}

static Err be_ready(struct ctx *ctx, void *arg)
{
    (void)arg;
    return db_wait_ready(ctx, ctx->reactor->db);
}

static void allow_connections(bool is_allowed)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "alter database %s allow_connections %s", test_name,
             is_allowed ? "true" : "false");
    must_run(test_server, sql);
}

/* The outage timeout of requests does not apply to a start, and what was refused is served again. */
static void a_start_waits_for_the_server_and_so_does_the_way_back(void **state)
{
    (void)state;
    struct settings settings = test_settings();
    settings.database_outage_timeout_ms = 50;
    allow_connections(false);
    struct db_fixture *f = fixture_open(settings);
    struct actor_fiber *start = actor_start(f, AS_NONE, be_ready, NULL);
    while (!actor_start(f, AS_A, read_one, NULL)->has_ended)
        loop_turn(f->loop, 10);
    assert_false(start->has_ended);
    allow_connections(true);
    turn_until_done(f);
    assert_int_equal(start->result, OK);
    assert_int_equal(act(f, AS_A, read_one, NULL), OK);
    fixture_close(f);
}

static bool has_failed_often(const struct lane *lane)
{
    for (uint32_t i = 0; i < lane->max; i++)
        if (lane->connections[i].attempts >= 5)
            return true;
    return false;
}

/* Each connection backs off on its own: the first that comes back tells the others. */
static void one_lane_that_is_back_calls_the_others(void **state)
{
    (void)state;
    struct settings settings = test_settings();
    settings.database_outage_timeout_ms = 50;
    allow_connections(false);
    struct db_fixture *f = fixture_open(settings);
    assert_int_equal(act(f, AS_A, begin_one, NULL), ERR_UNAVAILABLE);
    const struct db *db = f->reactor.db;
    while (!has_failed_often(&db->lanes[ROLE_TENANT][LANE_EXCLUSIVE]))
        loop_turn(f->loop, 10);
    allow_connections(true);
    while (act(f, AS_A, read_one, NULL) != OK)
        loop_turn(f->loop, 10);
    assert_int_equal(act(f, AS_A, begin_one, NULL), OK);
    fixture_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(a_read_whose_client_left_is_cancelled_on_the_server),
        db_test(neighbours_of_a_read_that_was_given_up_are_served),
        db_test(readers_behind_one_that_waits_are_moved),
        db_test(many_that_were_given_up_are_cancelled_one_after_the_other),
        db_test(a_cancel_that_comes_late_hurts_nobody),
        db_test(readers_of_other_tables_do_not_stand_behind_a_lock),
        db_test(spare_connections_are_bounded),
        db_test(outages_are_answered_before_the_deadline_on_every_lane),
        db_test(later_ones_are_refused_without_a_wait),
        db_test(a_start_waits_for_the_server_and_so_does_the_way_back),
        db_test(one_lane_that_is_back_calls_the_others),
    };
    return RUN_DB_TESTS(tests);
}
