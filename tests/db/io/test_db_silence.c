/* Sessions that stand still while their sockets stay open: stopped for real, by their ids. */
#include "../db_test.h"

#include <signal.h>

enum { SESSIONS_MAX = 64, SOON_US = 4 * 1000 * 1000 };

static pid_t stopped[SESSIONS_MAX];
static int stopped_count;

static void stop_sessions(void)
{
    PGresult *result = PQexec(
        test_admin, "select pid from pg_stat_activity "
                    "where application_name = 'spark test' and datname = current_database()");
    for (int i = 0; i < PQntuples(result) && stopped_count < SESSIONS_MAX; i++) {
        stopped[stopped_count] = (pid_t)strtol(PQgetvalue(result, i, 0), NULL, 10);
        assert_int_equal(kill(stopped[stopped_count++], SIGSTOP), 0);
    }
    PQclear(result);
}

static int teardown(void **state)
{
    while (stopped_count > 0)
        kill(stopped[--stopped_count], SIGCONT);
    return db_teardown(state);
}

static struct db_fixture *open_with(int64_t read_ms, int64_t statement_ms)
{
    struct settings settings = test_settings();
    settings.read_lane_timeout_ms = read_ms;
    settings.slow_lane_timeout_ms = read_ms;
    settings.statement_timeout_ms = statement_ms;
    settings.database_exclusive_lanes = 4; /* a site that is alone leaves one to others */
    must_run(test_admin, "delete from hits");
    return fixture_open(settings);
}

static int setup(void **state)
{
    *state = open_with(100, 200);
    return 0;
}

static int setup_patient(void **state)
{
    *state = open_with(2000, 2000);
    return 0;
}

static Err read_one(struct ctx *ctx, void *arg)
{
    (void)arg;
    static const struct statement ONE = {.name = "test_one", .sql = "select 1", .lane = DB_READ};
    struct rows rows;
    TRY(db_query(ctx, &ONE, NO_ARGS, &rows));
    assert_int_equal(row_int(&rows, 0, 0), 1);
    return OK;
}

static Err search(struct ctx *ctx, void *arg)
{
    (void)arg;
    static const struct statement TWO = {.name = "test_two", .sql = "select 2", .lane = DB_SLOW};
    return db_query(ctx, &TWO, NO_ARGS, NULL);
}

static Err write_one(struct ctx *ctx, void *arg)
{
    static const struct statement HIT = {
        .name = "test_hit", .sql = "insert into hits values ($1, 0)", .lane = DB_WRITE};
    return db_query(ctx, &HIT, ARGS(db_int(*(int *)arg)), NULL);
}

static Err write_soon(struct ctx *ctx, void *arg)
{
    ctx->deadline_us = clock_now_us() + SOON_US;
    return write_one(ctx, arg);
}

static Err search_soon(struct ctx *ctx, void *arg)
{
    ctx->deadline_us = clock_now_us() + SOON_US;
    return search(ctx, arg);
}

struct pause {
    bool has_begun;
    bool is_over;
};

static Err begin_and_write(struct ctx *ctx, void *arg)
{
    struct pause *pause = arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    pause->has_begun = true;
    while (!pause->is_over)
        TRY(fiber_sleep(ctx, 1000));
    struct statement insert = shape("insert into hits values (3, 0)", DB_WRITE);
    TRY(db_tx_query(&tx, &insert, NO_ARGS, NULL));
    return db_commit(&tx);
}

/* Reads run again, of a write nobody knows whether it happened. Sessions that nobody was waiting
 * for are left too: what comes next does not find out for itself. */
static void sessions_that_stand_still_are_left_for_new_ones(void **state)
{
    struct db_fixture *f = *state;
    static int FIRST = 1, SECOND = 2, THIRD = 4;
    assert_int_equal(act(f, AS_A, write_one, &FIRST), OK);
    assert_int_equal(act(f, AS_A, search, NULL), OK);
    struct pause pause = {0};
    struct actor_fiber *tx = actor_start(f, AS_PLATFORM, begin_and_write, &pause);
    while (!pause.has_begun || !db_is_up(f->reactor.db))
        loop_turn(f->loop, 10);
    stop_sessions();
    pause.is_over = true;
    struct actor_fiber *reads[] = {actor_start(f, AS_A, read_one, NULL),
                                   actor_start(f, AS_B, read_one, NULL),
                                   actor_start(f, AS_PLATFORM, read_one, NULL)};
    struct actor_fiber *write = actor_start(f, AS_PLATFORM, write_one, &SECOND);
    while (!reads[0]->has_ended || !reads[1]->has_ended || !reads[2]->has_ended)
        loop_turn(f->loop, 1000);
    assert_int_equal(act(f, AS_A, write_soon, &THIRD), OK);
    assert_int_equal(act(f, AS_A, search_soon, NULL), OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(reads[i]->result, OK);
    turn_until_done(f);
    assert_int_equal(write->result, ERR_UNAVAILABLE);
    expect_text(last_note(&write->ctx, "_outcome"), "unknown");
    assert_true(str_find(last_reason(&write->ctx), STR("unknown")) >= 0);
    assert_int_equal(tx->result, ERR_UNAVAILABLE);
    assert_true(db_losses(f->reactor.db) > 0);
    while (!db_is_up(f->reactor.db))
        loop_turn(f->loop, 10);
}

static Err read_batch(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement slow = shape("select pg_sleep(1.9)", DB_READ);
    struct db_batch batch = {.lane = DB_READ};
    for (int i = 0; i < 4; i++)
        db_batch_add(&batch, &slow, NO_ARGS, NULL);
    return db_batch_run(ctx, &batch);
}

static Err copy_slowly(struct ctx *ctx, void *arg)
{
    (void)arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    int64_t rows = 0;
    TRY(db_copy_in(&tx, STR("copy slow_hits from stdin"), STR("1\n2\n3\n4\n5\n6\n7\n"), &rows));
    assert_int_equal(rows, 7);
    return db_commit(&tx);
}

/* Statements that together take longer than any one may, a COPY that takes its time, and a
 * transaction of which nothing is on its way meanwhile. */
static void silence_that_has_its_reason_is_left_alone(void **state)
{
    struct db_fixture *f = *state;
    must_run(test_admin, "create table public.slow_hits (id bigint);"
                         "grant insert on public.slow_hits to spark_platform;"
                         "create function public.slow_hit() returns trigger language plpgsql as "
                         "$$begin perform pg_sleep(0.9); return new; end$$;"
                         "create trigger slow_hit before insert on public.slow_hits for each row "
                         "execute function public.slow_hit()");
    struct pause pause = {0};
    struct actor_fiber *tx = actor_start(f, AS_PLATFORM, begin_and_write, &pause);
    struct actor_fiber *copy = actor_start(f, AS_PLATFORM, copy_slowly, NULL);
    struct actor_fiber *reads = actor_start(f, AS_A, read_batch, NULL);
    while (!copy->has_ended || !reads->has_ended)
        loop_turn(f->loop, 1000);
    pause.is_over = true;
    turn_until_done(f);
    assert_int_equal(reads->result, OK);
    assert_int_equal(copy->result, OK);
    assert_int_equal(tx->result, OK);
    assert_int_equal(db_losses(f->reactor.db), 0);
    must_run(test_admin, "drop table public.slow_hits; drop function public.slow_hit");
}

/* The answer came while nobody looked. */
static void a_loop_that_stood_still_itself_blames_nobody(void **state)
{
    struct db_fixture *f = *state;
    assert_int_equal(act(f, AS_A, search, NULL), OK);
    struct actor_fiber *read = actor_start(f, AS_A, search, NULL);
    loop_turn(f->loop, 0);
    must_run(test_admin, "select pg_sleep(5.5)"); /* the loop's thread waits for it */
    turn_until_done(f);
    assert_int_equal(read->result, OK);
    assert_int_equal(db_losses(f->reactor.db), 0);
}

#define silence_test(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        silence_test(sessions_that_stand_still_are_left_for_new_ones, setup),
        silence_test(silence_that_has_its_reason_is_left_alone, setup_patient),
        silence_test(a_loop_that_stood_still_itself_blames_nobody, setup),
    };
    return RUN_DB_TESTS(tests);
}
