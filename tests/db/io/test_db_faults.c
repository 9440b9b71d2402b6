/* Bad days: sessions that are killed, a server that is away, plans and names that wear out. */
#include "../db_test.h"

static const struct statement ONE = {.name = "test_one", .sql = "select 1", .lane = DB_READ};

static Err read_one(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct rows rows;
    TRY(db_query(ctx, &ONE, NO_ARGS, &rows));
    assert_int_equal(row_int(&rows, 0, 0), 1);
    return OK;
}

/* All sessions of the lanes; they end on their own time. */
static void kill_sessions(void)
{
    must_run(test_admin, "select pg_terminate_backend(pid) from pg_stat_activity "
                         "where application_name = 'spark test' and datname = current_database()");
}

static Err read_slowly(struct ctx *ctx, void *arg)
{
    (void)arg;
    static int number; /* a known shape would go to the slow lane */
    char sql[64];
    snprintf(sql, sizeof(sql), "select pg_sleep(1), %d", number++);
    struct statement slow = shape(sql, DB_READ);
    return db_query(ctx, &slow, NO_ARGS, NULL);
}

static Err write_slowly(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement slow = shape("insert into hits select 1, 0 from pg_sleep(1)", DB_WRITE);
    return db_query(ctx, &slow, NO_ARGS, NULL);
}

static Err tx_slowly(struct ctx *ctx, void *arg)
{
    (void)arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    struct statement slow = shape("insert into hits select 2, 0 from pg_sleep(1)", DB_WRITE);
    TRY(db_tx_query(&tx, &slow, NO_ARGS, NULL));
    return db_commit(&tx);
}

static void wait_until_running(struct db_fixture *f, const char *count)
{
    while (
        strcmp(must_ask(test_admin, "select count(*) from pg_stat_activity where state <> 'idle' "
                                    "and wait_event = 'PgSleep' and datname = current_database()"),
               count) != 0)
        loop_turn(f->loop, 5);
}

/* Reads run again elsewhere; of a write nobody can know, and it says so; both lanes come back. */
static void killed_sessions_cost_no_read(void **state)
{
    struct db_fixture *f = *state;
    assert_int_equal(act(f, AS_A, read_one, NULL), OK);
    for (int round = 0; round < 3; round++) {
        struct actor_fiber *read = actor_start(f, AS_A, read_slowly, NULL);
        struct actor_fiber *platform = actor_start(f, AS_PLATFORM, read_slowly, NULL);
        struct actor_fiber *write = actor_start(f, AS_PLATFORM, write_slowly, NULL);
        struct actor_fiber *tx = actor_start(f, AS_PLATFORM, tx_slowly, NULL);
        wait_until_running(f, "4");
        kill_sessions();
        turn_until_done(f);
        assert_int_equal(read->result, OK);
        assert_int_equal(platform->result, OK);
        assert_int_equal(write->result, ERR_UNAVAILABLE);
        expect_text(last_note(&write->ctx, "_outcome"), "unknown");
        assert_int_equal(tx->result, ERR_UNAVAILABLE);
        assert_int_equal(act(f, AS_PLATFORM, tx_slowly, NULL), OK);
        assert_int_equal(act(f, AS_PLATFORM, write_slowly, NULL), OK);
        must_run(test_admin, "delete from hits");
    }
    while (!db_is_up(f->reactor.db))
        loop_turn(f->loop, 10);
}

static void idle_sessions_that_are_killed_come_back(void **state)
{
    struct db_fixture *f = *state;
    for (int round = 0; round < 5; round++) {
        assert_int_equal(act(f, AS_A, read_one, NULL), OK);
        kill_sessions();
        assert_int_equal(act(f, AS_A, read_one, NULL), OK);
        assert_int_equal(act(f, AS_PLATFORM, read_one, NULL), OK);
    }
}

static Err read_soon(struct ctx *ctx, void *arg)
{
    (void)arg;
    ctx->deadline_us = clock_now_us() + 100000;
    return db_query(ctx, &ONE, NO_ARGS, NULL);
}

static void a_deadline_while_disconnected_says_so(void **state)
{
    (void)state;
    struct settings settings = test_settings();
    settings.database_url = STR("host=/nonexistent");
    struct db_fixture *f = fixture_open(settings);
    assert_int_equal(act(f, AS_A, read_soon, NULL), ERR_UNAVAILABLE);
    assert_false(db_is_up(f->reactor.db));
    struct actor_fiber *left = actor_start(f, AS_A, read_one, NULL);
    loop_turn(f->loop, 10);
    fiber_cancel(left->fiber);
    turn_until_done(f);
    assert_int_equal(left->result, ERR_CANCELLED);
    Str description = db_describe(f->arena, f->reactor.db);
    assert_true(str_find(description, STR("\"role\":\"tenant\",\"lane\":\"read\"")) >= 0);
    fixture_close(f);
}

/* Away for a while: what waits is served as soon as it is back, without a restart. */
static void what_waits_is_served_when_the_server_is_back(void **state)
{
    struct db_fixture *f = *state;
    assert_int_equal(act(f, AS_A, read_one, NULL), OK);
    char sql[128];
    snprintf(sql, sizeof(sql), "alter database %s allow_connections false", test_name);
    must_run(test_server, sql);
    kill_sessions();
    for (int i = 0; i < 20; i++)
        loop_turn(f->loop, 10);
    assert_int_equal(act(f, AS_A, read_soon, NULL), ERR_UNAVAILABLE);
    assert_false(db_is_up(f->reactor.db));
    struct actor_fiber *waiting[5];
    for (int i = 0; i < 5; i++)
        waiting[i] = actor_start(f, i % 2 ? AS_A : AS_PLATFORM, read_one, NULL);
    loop_turn(f->loop, 10);
    snprintf(sql, sizeof(sql), "alter database %s allow_connections true", test_name);
    must_run(test_server, sql);
    turn_until_done(f);
    for (int i = 0; i < 5; i++)
        assert_int_equal(waiting[i]->result, OK);
}

static Err read_columns(struct ctx *ctx, void *arg)
{
    static const struct statement ALL = {
        .name = "test_all", .sql = "select * from changing", .lane = DB_READ};
    struct rows rows;
    TRY(db_query(ctx, &ALL, NO_ARGS, &rows));
    *(uint32_t *)arg = rows.columns;
    return OK;
}

static void a_changed_table_is_prepared_again(void **state)
{
    struct db_fixture *f = *state;
    must_run(test_admin, "create table public.changing (a int);"
                         "grant select on public.changing to spark_platform, spark_tenant");
    uint32_t columns = 0;
    for (uint32_t round = 1; round < 25; round++) {
        struct actor_fiber *actors[8];
        for (int i = 0; i < 8; i++)
            actors[i] = actor_start(f, i % 2 ? AS_A : AS_PLATFORM, read_columns, &columns);
        turn_until_done(f);
        for (int i = 0; i < 8; i++)
            assert_int_equal(actors[i]->result, OK);
        assert_int_equal(columns, round);
        char sql[64];
        snprintf(sql, sizeof(sql), "alter table public.changing add column c%u int", round);
        must_run(test_admin, sql);
    }
    must_run(test_admin, "drop table public.changing");
}

/* Far more than there are names: some never get past a neighbour in the table that counts them. */
enum { SHAPES = 2000 };

static Err read_shapes(struct ctx *ctx, void *arg)
{
    (void)arg;
    for (int i = 0; i < SHAPES * 4; i++) {
        ArenaMark mark = arena_mark(ctx->arena);
        char sql[64];
        snprintf(sql, sizeof(sql), "select %d + $1::int8", i % SHAPES);
        struct statement statement = shape(sql, DB_READ);
        struct rows rows;
        TRY(db_query(ctx, &statement, ARGS(db_int(1)), &rows));
        assert_int_equal(row_int(&rows, 0, 0), i % SHAPES + 1);
        arena_rewind(ctx->arena, mark);
    }
    struct statement count =
        shape("select count(*), count(*) filter (where statement like 'select 7%') "
              "from pg_prepared_statements",
              DB_READ);
    struct rows rows;
    TRY(db_query(ctx, &count, NO_ARGS, &rows));
    int64_t names = row_int(&rows, 0, 0);
    assert_true(names > 400 && names <= 500);
    assert_true(row_int(&rows, 0, 1) > 0);
    return OK;
}

static void named_statements_are_bounded(void **state)
{
    (void)state;
    struct settings settings = test_settings();
    settings.database_read_lanes = 1;
    struct db_fixture *f = fixture_open(settings);
    assert_int_equal(act(f, AS_A, read_shapes, NULL), OK);
    fixture_close(f);
}

static Err read_many_shapes(struct ctx *ctx, void *arg)
{
    int first = *(int *)arg;
    for (int i = 0; i < 250; i++) {
        ArenaMark mark = arena_mark(ctx->arena);
        char sql[64];
        snprintf(sql, sizeof(sql), "select %d", first + i);
        struct statement statement = shape(sql, DB_READ);
        TRY(db_query(ctx, &statement, NO_ARGS, NULL));
        arena_rewind(ctx->arena, mark);
    }
    return OK;
}

/* All names are given, and statements keep coming that have none: a fresh session takes over, and
 * nobody notices. */
static void a_worn_session_is_replaced(void **state)
{
    (void)state;
    struct settings settings = test_settings();
    settings.database_read_lanes = 1;
    struct db_fixture *f = fixture_open(settings);
    assert_int_equal(act(f, AS_A, read_shapes, NULL), OK);
    int rounds = 0;
    while (str_find(db_describe(f->arena, f->reactor.db), STR("\"connects\":2")) < 0) {
        assert_true(rounds++ < 5);
        int firsts[100];
        struct actor_fiber *actors[100];
        for (int i = 0; i < 100; i++) {
            firsts[i] = i * 1000;
            actors[i] = actor_start(f, AS_A, read_many_shapes, &firsts[i]);
        }
        turn_until_done(f);
        for (int i = 0; i < 100; i++)
            assert_int_equal(actors[i]->result, OK);
    }
    fixture_close(f);
}

static Err read_mixed_types(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement echo = {.name = "test_echo", .sql = "select $1::text", .lane = DB_READ};
    for (int i = 0; i < 100; i++) {
        struct rows rows;
        DbArg args[] = {db_null(), db_text(STR("x")), db_int(5), db_uuid(SITE_A)};
        const char *want[] = {"", "x", "5", "aaaaaaaa-0000-7000-8000-00000000000a"};
        TRY(db_query(ctx, &echo, ARGS(args[i % 4]), &rows));
        if (i % 4 == 0)
            assert_true(row_is_null(&rows, 0, 0));
        else
            expect_text(row_text(&rows, 0, 0), want[i % 4]);
    }
    return OK;
}

static void one_statement_takes_arguments_of_several_types(void **state)
{
    assert_int_equal(act(*state, AS_A, read_mixed_types, NULL), OK);
}

static Err read_often(struct ctx *ctx, void *arg)
{
    (void)arg;
    ctx->deadline_us = clock_now_us() + 100000;
    return db_query(ctx, &ONE, NO_ARGS, NULL);
}

static Err run_batch(struct ctx *ctx, void *arg)
{
    struct db_batch *batch = arg;
    ctx->deadline_us = clock_now_us() + 100000;
    return db_batch_run(ctx, batch);
}

/* One of seven, or another: of one alone less fits. */
static Scope some_site(int i)
{
    Scope scope = AS_A;
    scope.site.bytes[15] = (unsigned char)(i == 7 ? 7 : i % 7);
    return scope;
}

static void a_full_queue_refuses_at_once(void **state)
{
    (void)state;
    struct settings settings = test_settings();
    settings.database_url = STR("host=/nonexistent");
    struct db_fixture *f = fixture_open(settings);
    struct db_batch *batch = arena_new(f->arena, struct db_batch);
    batch->lane = DB_READ;
    for (int i = 0; i < DB_BATCH_MAX; i++)
        db_batch_add(batch, &ONE, NO_ARGS, NULL);
    struct actor_fiber *actors[320];
    uint32_t refused = 0;
    for (int i = 0; i < 320; i++) {
        actors[i] = actor_start(f, some_site(i), i < 310 ? run_batch : read_often,
                                i < 310 ? (void *)batch : NULL);
        refused += actors[i]->has_ended;
    }
    /* 312 batches of 32 fit into 10,000; the single reads into what is left. */
    assert_int_equal(refused, 0);
    for (int i = 0; i < 3; i++)
        refused += actor_start(f, some_site(0), run_batch, batch)->has_ended;
    assert_true(refused >= 1);
    /* But who has nothing there yet is let in. */
    assert_false(actor_start(f, some_site(7), run_batch, batch)->has_ended);
    turn_until_done(f);
    for (int i = 0; i < 320; i++)
        assert_int_equal(actors[i]->result, ERR_UNAVAILABLE);
    fixture_close(f);
}

static Err be_ready(struct ctx *ctx, void *arg)
{
    if (arg != NULL)
        ctx->deadline_us = clock_now_us() + 200000;
    return db_wait_ready(ctx, ctx->reactor->db);
}

static void ready_means_roles_that_row_security_holds(void **state)
{
    struct db_fixture *f = *state;
    assert_int_equal(act(f, AS_NONE, be_ready, NULL), OK);
    while (!db_is_up(f->reactor.db)) /* the write lanes may take a moment longer */
        loop_turn(f->loop, 10);

    struct settings settings = test_settings();
    settings.database_tenant_url = settings.database_url; /* whoever made the database */
    struct db_fixture *unfit = fixture_open(settings);
    struct actor_fiber *actor = actor_start(unfit, AS_NONE, be_ready, NULL);
    turn_until_done(unfit);
    assert_int_equal(actor->result, ERR_CONFIG);
    assert_true(str_find(last_reason(&actor->ctx), STR("of the tenant lane")) > 0);
    fixture_close(unfit);

    settings.database_url = STR("host=/nonexistent");
    settings.database_tenant_url = STR("");
    struct db_fixture *absent = fixture_open(settings);
    int soon = 1;
    assert_int_equal(act(absent, AS_NONE, be_ready, &soon), ERR_UNAVAILABLE);
    fixture_close(absent);
}

static void an_unmigrated_database_says_what_to_do(void **state)
{
    (void)state;
    struct settings settings = test_settings();
    char url[512];
    memcpy(url, test_url, sizeof(url));
    char empty[80], sql[128];
    snprintf(empty, sizeof(empty), "%s_empty", test_name);
    snprintf(sql, sizeof(sql), "create database %s template template0", empty);
    must_run(test_server, sql);
    url_of_database(getenv("SPARK_TEST_DATABASE_URL"), empty);
    settings.database_url = str_from_z(test_url);
    struct db_fixture *f = fixture_open(settings);
    struct actor_fiber *actor = actor_start(f, AS_NONE, be_ready, NULL);
    turn_until_done(f);
    memcpy(test_url, url, sizeof(url));
    assert_int_equal(actor->result, ERR_CONFIG);
    expect_text(last_reason(&actor->ctx), "the database is not migrated: run `spark migrate`");
    fixture_close(f);
    drop_database(empty);
}

/* Statements in flight whose fibers have left, and a rollback that was not sent. */
static void closing_drops_what_nobody_waits_for(void **state)
{
    struct db_fixture *f = *state;
    assert_int_equal(act(f, AS_A, read_one, NULL), OK);
    struct actor_fiber *actors[] = {actor_start(f, AS_A, read_slowly, NULL),
                                    actor_start(f, AS_PLATFORM, write_slowly, NULL),
                                    actor_start(f, AS_PLATFORM, tx_slowly, NULL)};
    wait_until_running(f, "3");
    for (int i = 0; i < 3; i++)
        fiber_cancel(actors[i]->fiber);
    turn_until_done(f);
    for (int i = 0; i < 3; i++)
        assert_int_equal(actors[i]->result, ERR_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(killed_sessions_cost_no_read),
        db_test(idle_sessions_that_are_killed_come_back),
        db_test(a_deadline_while_disconnected_says_so),
        db_test(what_waits_is_served_when_the_server_is_back),
        db_test(a_changed_table_is_prepared_again),
        db_test(named_statements_are_bounded),
        db_test(a_worn_session_is_replaced),
        db_test(one_statement_takes_arguments_of_several_types),
        db_test(a_full_queue_refuses_at_once),
        db_test(ready_means_roles_that_row_security_holds),
        db_test(an_unmigrated_database_says_what_to_do),
        db_test(closing_drops_what_nobody_waits_for),
    };
    return RUN_DB_TESTS(tests);
}
