/* One site's statements, however many and however long, and everybody else's. */
#include "../db_test.h"
#include "base/system/counters.h"

enum { MANY = 60, FLOW_STATEMENTS_MAX = 2000 };

static Err read_all(struct ctx *ctx, void *arg)
{
    struct statement all = shape("select count(*) from items", DB_READ);
    struct rows rows;
    TRY(db_query(ctx, &all, NO_ARGS, &rows));
    *(int64_t *)arg = row_int(&rows, 0, 0);
    return OK;
}

/* A table that somebody else has locked: what reads it takes as long as the test wants. */
static PGconn *hold(const char *table)
{
    char sql[128];
    PGconn *holder = must_connect(test_url);
    snprintf(sql, sizeof(sql), "begin; set local role spark_owner; lock table %s", table);
    must_run(holder, sql);
    return holder;
}

static void let_go(PGconn *holder)
{
    must_run(holder, "rollback");
    PQfinish(holder);
}

static int waiting(void)
{
    return atoi(must_ask(test_admin, "select count(*) from pg_stat_activity where datname = "
                                     "current_database() and wait_event_type = 'Lock'"));
}

static void turn_until_waiting(struct db_fixture *f, int count)
{
    while (waiting() < count)
        loop_turn(f->loop, 5);
}

static void turn_until_ended(struct db_fixture *f, const struct actor_fiber *actor)
{
    while (!actor->has_ended)
        loop_turn(f->loop, 1000);
}

static uint32_t ended(struct actor_fiber **actors, uint32_t count)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        n += actors[i]->has_ended;
    return n;
}

static struct db_fixture *open_short(int64_t read_ms, int64_t slow_ms)
{
    struct settings settings = test_settings();
    settings.read_lane_timeout_ms = read_ms;
    settings.slow_lane_timeout_ms = slow_ms;
    return fixture_open(settings);
}

static Err read_plain(struct ctx *ctx, void *arg)
{
    struct statement all = shape("select count(*) from plain", DB_READ);
    struct rows rows;
    TRY(db_query(ctx, &all, NO_ARGS, &rows));
    *(int64_t *)arg = row_int(&rows, 0, 0) + 1;
    return OK;
}

/* More than a pipeline holds, and none of them ends. */
static void reads_that_hang_keep_no_other_site_waiting(void **state)
{
    (void)state;
    struct db_fixture *f = open_short(20, 60000);
    int64_t count = 0, counts[MANY] = {0};
    assert_int_equal(act(f, AS_B, read_all, &count), OK);
    PGconn *holder = hold("plain");
    struct actor_fiber *stuck[MANY];
    for (int i = 0; i < MANY; i++) {
        stuck[i] = actor_start(f, AS_A, read_plain, &counts[i]);
        loop_turn(f->loop, 10); /* in groups of their own, on each connection that there is */
    }
    turn_until_waiting(f, 2);
    for (int i = 0; i < 20; i++) {
        count = 0;
        turn_until_ended(f, actor_start(f, AS_B, read_all, &count));
        assert_int_equal(count, TEST_ROWS);
    }
    assert_int_equal(ended(stuck, MANY), 0);
    let_go(holder);
    turn_until_done(f);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(stuck[i]->result, OK);
        assert_int_equal(counts[i], 1);
    }
    fixture_close(f);
}

static Err run_on(struct ctx *ctx, const char *sql, enum db_lane lane)
{
    struct statement statement = shape(sql, lane);
    return db_query(ctx, &statement, NO_ARGS, NULL);
}

static Err read_slow(struct ctx *ctx, void *arg)
{
    return run_on(ctx, arg, DB_SLOW);
}

static Err write_one(struct ctx *ctx, void *arg)
{
    return run_on(ctx, arg, DB_WRITE);
}

static Err transact(struct ctx *ctx, void *arg)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    struct statement statement = shape(arg, DB_WRITE);
    TRY(db_tx_query(&tx, &statement, NO_ARGS, NULL));
    return db_commit(&tx);
}

/* A does `stuck` many times on a table that is locked; meanwhile B does `quick` ten times. */
static void expect_room_beside(struct db_fixture *f, DbBody *body, const char *stuck,
                               const char *quick)
{
    char *stuck_sql = (char *)(uintptr_t)stuck, *quick_sql = (char *)(uintptr_t)quick;
    assert_int_equal(act(f, AS_B, body, quick_sql), OK);
    PGconn *holder = hold("hits");
    struct actor_fiber *actors[MANY];
    for (int i = 0; i < MANY; i++)
        actors[i] = actor_start(f, AS_A, body, stuck_sql);
    turn_until_waiting(f, 1);
    for (int i = 0; i < 10; i++) {
        struct actor_fiber *other = actor_start(f, AS_B, body, quick_sql);
        turn_until_ended(f, other);
        assert_int_equal(other->result, OK);
    }
    assert_int_equal(ended(actors, MANY), 0);
    let_go(holder);
    turn_until_done(f);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(actors[i]->result, OK);
}

static void searches_that_hang_leave_connections_to_other_sites(void **state)
{
    expect_room_beside(*state, read_slow, "select count(*) from hits",
                       "select count(*) from items");
}

#define INSERT_ANYWHERE "insert into hits select (random() * 1e15)::bigint, 0"
#define INSERT_ITEM                                                                                \
    "insert into items select spark.current_site(), (random() * 1e15)::bigint, null, 1"

static int64_t on_probation(void)
{
    return counter_sum(COUNTER_db_probation);
}

/* Who leaves before the lane ends what he asked for has had the lane as long. */
static void reads_that_are_given_up_are_owed_too(void **state)
{
    (void)state;
    struct db_fixture *f = open_short(60000, 60000);
    int64_t count = 0;
    assert_int_equal(act(f, AS_B, read_all, &count), OK);
    PGconn *holder = hold("plain");
    int64_t before = on_probation();
    for (int i = 0; i < 20 && on_probation() == before; i++) {
        struct actor_fiber *left = actor_start(f, AS_A, read_plain, &count);
        turn_until_waiting(f, 1);
        fiber_cancel(left->fiber);
        turn_until_done(f);
        while (waiting() > 0)
            loop_turn(f->loop, 5);
        assert_int_equal(act(f, AS_B, read_all, &count), OK);
    }
    assert_true(on_probation() > before);
    let_go(holder);
    turn_until_done(f);
    assert_int_equal(act(f, AS_A, read_all, &count), OK);
    fixture_close(f);
}

/* Who types and asks with each letter, or comes and goes on purpose: what he left does not go on in
 * sessions beside those that the lanes have. */
static void searches_that_are_given_up_do_not_go_on_beside_the_lanes(void **state)
{
    struct db_fixture *f = *state;
    char hits[] = "select count(*) from hits", items[] = "select count(*) from items";
    int connections = 2 * (int)f->settings.database_slow_lanes - 1; /* slow and long */
    assert_int_equal(act(f, AS_A, read_slow, items), OK);
    PGconn *holder = hold("hits");
    for (int i = 0; i < MANY; i++) {
        struct actor_fiber *left = actor_start(f, AS_A, read_slow, hits);
        for (int turn = 0; turn < 5; turn++)
            loop_turn(f->loop, 2);
        fiber_cancel(left->fiber);
        turn_until_done(f);
        assert_int_equal(left->result, ERR_CANCELLED);
        assert_in_range(waiting(), 0, connections);
    }
    assert_int_equal(act(f, AS_B, read_slow, items), OK);
    assert_int_equal(act(f, AS_A, read_slow, items), OK); /* its own connections come back too */
    while (waiting() > 0)
        loop_turn(f->loop, 5);
    let_go(holder);
}

/* And each of them happens, once. */
static void writes_that_hang_leave_connections_to_other_sites(void **state)
{
    expect_room_beside(*state, write_one, INSERT_ANYWHERE, INSERT_ITEM);
    assert_int_equal(atoi(must_ask(test_admin, "select count(*) from hits")), MANY);
}

static void transactions_that_hang_leave_connections_to_other_sites(void **state)
{
    expect_room_beside(*state, transact, INSERT_ANYWHERE, INSERT_ITEM);
    assert_int_equal(atoi(must_ask(test_admin, "select count(*) from hits")), MANY);
}

static Err read_as_machinery(struct ctx *ctx, void *arg)
{
    struct statement statement = shape(arg, DB_SLOW);
    return db_query_platform((struct platform){ctx}, &statement, NO_ARGS, NULL);
}

/* Who asks (tokens, hosts) is looked up beside whatever an administrator does. */
static void the_platform_does_not_wait_for_an_account(void **state)
{
    struct db_fixture *f = *state;
    char hits[] = "select count(*) from hits", one[] = "select 1";
    assert_int_equal(act(f, AS_PLATFORM, read_as_machinery, one), OK);
    PGconn *holder = hold("hits");
    struct actor_fiber *actors[MANY];
    for (int i = 0; i < MANY; i++)
        actors[i] = actor_start(f, AS_PLATFORM, read_slow, hits);
    turn_until_waiting(f, 1);
    turn_until_ended(f, actor_start(f, AS_PLATFORM, read_as_machinery, one));
    assert_int_equal(ended(actors, MANY), 0);
    let_go(holder);
    turn_until_done(f);
}

/* Two connections: one holds a lock for a request which then wants the other. */
static Err transact_beside_a_lock(struct ctx *ctx, void *arg)
{
    (void)arg;
    SCOPED_TX struct db_tx lock = {0};
    TRY(db_begin_apart((struct platform){ctx}, &lock));
    for (int i = 0; i < 3; i++) {
        SCOPED_TX struct db_tx tx = {0};
        TRY(db_begin_platform((struct platform){ctx}, &tx));
        TRY(db_commit(&tx));
    }
    return OK;
}

static void who_holds_a_lock_has_the_other_connection(void **state)
{
    struct db_fixture *f = *state;
    char one[] = "select 1";
    struct actor_fiber *actors[MANY];
    assert_int_equal(f->settings.database_exclusive_lanes, 2);
    assert_int_equal(act(f, AS_PLATFORM, transact_beside_a_lock, NULL), OK);
    /* Beside others of the same flow. */
    struct actor_fiber *holder = actor_start(f, AS_PLATFORM, transact_beside_a_lock, NULL);
    for (int i = 0; i < MANY; i++)
        actors[i] = actor_start(f, AS_PLATFORM, transact, one);
    turn_until_done(f);
    assert_int_equal(holder->result, OK);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(actors[i]->result, OK);
}

static Err read_many(struct ctx *ctx, void *arg)
{
    struct statement hits = shape("select count(*) from hits", DB_SLOW);
    struct db_batch batch = {.lane = DB_SLOW};
    for (int i = 0; i < DB_BATCH_MAX; i++)
        db_batch_add(&batch, &hits, NO_ARGS, NULL);
    (void)arg;
    return db_batch_run(ctx, &batch);
}

static void a_site_fills_its_own_part_of_the_queue_only(void **state)
{
    struct db_fixture *f = *state;
    char quick[] = "select count(*) from items";
    assert_int_equal(act(f, AS_B, read_slow, quick), OK);
    PGconn *holder = hold("hits");
    enum { BATCHES = FLOW_STATEMENTS_MAX / DB_BATCH_MAX + 8 };
    struct actor_fiber *actors[BATCHES];
    uint32_t refused = 0;
    for (int i = 0; i < BATCHES; i++) {
        actors[i] = actor_start(f, AS_A, read_many, NULL);
        loop_turn(f->loop, 0);
        if (!actors[i]->has_ended)
            continue;
        refused++;
        assert_int_equal(actors[i]->result, ERR_UNAVAILABLE);
        expect_text(last_reason(&actors[i]->ctx),
                    "too many statements of this site wait for PostgreSQL");
    }
    assert_in_range(refused, 1, 8);
    struct actor_fiber *other = actor_start(f, AS_B, read_slow, quick);
    turn_until_ended(f, other);
    assert_int_equal(other->result, OK);
    assert_int_equal(ended(actors, BATCHES), refused);
    let_go(holder);
    turn_until_done(f);
    assert_int_equal(act(f, AS_A, read_slow, quick), OK);
}

static int64_t outran(void)
{
    return counter_sum(COUNTER_db_outran);
}

/* In one group with neighbours, which are none the worse for it. */
static void a_read_that_outruns_its_lane_is_answered_by_a_slower_one(void **state)
{
    (void)state;
    struct db_fixture *f = open_short(500, 60000);
    int64_t count = 0, counts[9] = {0};
    assert_int_equal(act(f, AS_A, read_plain, &count), OK);
    int64_t before = outran();
    PGconn *holder = hold("plain");
    struct actor_fiber *actors[9];
    for (int i = 0; i < 9; i++)
        actors[i] = actor_start(f, i % 2 ? AS_A : AS_B, i == 4 ? read_plain : read_all, &counts[i]);
    while (outran() == before)
        loop_turn(f->loop, 5);
    turn_until_waiting(f, 1);
    assert_true(str_find(db_describe(f->arena, f->reactor.db),
                         STR("\"lane\":\"slow\",\"state\":\"busy\"")) >= 0);
    let_go(holder);
    turn_until_done(f);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(actors[i]->result, OK);
        assert_int_equal(counts[i], i == 4 ? 1 : TEST_ROWS);
    }
    assert_int_equal(outran(), before + 1);
    fixture_close(f);
}

static Err sleep_and_tell(struct ctx *ctx, void *arg)
{
    struct statement slow =
        shape("select current_setting('statement_timeout'), pg_sleep($1)", DB_READ);
    struct rows rows;
    TRY(db_query(ctx, &slow, ARGS(db_real(*(double *)arg)), &rows));
    expect_text(row_text(&rows, 0, 0), "10s");
    return OK;
}

/* Announced ones have longer there. */
static void the_last_lane_gives_a_read_the_full_time_out(void **state)
{
    (void)state;
    struct db_fixture *f = open_short(60, 200);
    double seconds = 0.5;
    int64_t before = outran();
    assert_int_equal(act(f, AS_A, sleep_and_tell, &seconds), OK);
    int64_t after = outran();
    assert_true(after >= before + 2);
    /* And it is known now. */
    assert_int_equal(act(f, AS_A, sleep_and_tell, &seconds), OK);
    assert_int_equal(outran(), after);
    fixture_close(f);
}

static Err sleep_for_ever(struct ctx *ctx, void *arg)
{
    (void)arg;
    return run_on(ctx, "select pg_sleep(1000)", DB_READ);
}

static void the_last_lane_ends_a_read_that_outruns_it_too(void **state)
{
    (void)state;
    struct settings settings = test_settings();
    settings.read_lane_timeout_ms = 20;
    settings.slow_lane_timeout_ms = 40;
    settings.statement_timeout_ms = 100;
    struct db_fixture *f = fixture_open(settings);
    assert_int_equal(act(f, AS_A, sleep_for_ever, NULL), ERR_TIMEOUT);
    fixture_close(f);
}

enum { SHAPES = 40 };

static Err sleep_in_many_shapes(struct ctx *ctx, void *arg)
{
    (void)arg;
    for (int i = 0; i < SHAPES; i++) {
        char sql[64];
        snprintf(sql, sizeof(sql), "select %d, pg_sleep(0.05)", i);
        TRY(run_on(ctx, sql, DB_READ));
    }
    return OK;
}

/* New shapes are not known, but who sends them is. */
static void a_site_whose_reads_are_too_long_reads_apart_from_others(void **state)
{
    (void)state;
    struct db_fixture *f = open_short(40, 60000);
    int64_t before = counter_sum(COUNTER_db_probation), count = 0;
    assert_int_equal(act(f, AS_A, sleep_in_many_shapes, NULL), OK);
    assert_int_equal(counter_sum(COUNTER_db_probation), before); /* there are no others */

    assert_int_equal(act(f, AS_B, read_all, &count), OK);
    assert_int_equal(counter_sum(COUNTER_db_probation), before);
    assert_int_equal(act(f, AS_A, read_all, &count), OK);
    assert_int_equal(count, TEST_ROWS);
    assert_int_equal(counter_sum(COUNTER_db_probation), before + 1);
    assert_true(str_find(db_describe(f->arena, f->reactor.db), STR("\"probation\"")) >= 0);
    fixture_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(reads_that_hang_keep_no_other_site_waiting),
        db_test(searches_that_hang_leave_connections_to_other_sites),
        db_test(reads_that_are_given_up_are_owed_too),
        db_test(searches_that_are_given_up_do_not_go_on_beside_the_lanes),
        db_test(writes_that_hang_leave_connections_to_other_sites),
        db_test(transactions_that_hang_leave_connections_to_other_sites),
        db_test(the_platform_does_not_wait_for_an_account),
        db_test(who_holds_a_lock_has_the_other_connection),
        db_test(a_site_fills_its_own_part_of_the_queue_only),
        db_test(a_read_that_outruns_its_lane_is_answered_by_a_slower_one),
        db_test(the_last_lane_gives_a_read_the_full_time_out),
        db_test(the_last_lane_ends_a_read_that_outruns_it_too),
        db_test(a_site_whose_reads_are_too_long_reads_apart_from_others),
    };
    return RUN_DB_TESTS(tests);
}
