/* Transactions with logic in between, COPY, and what is left when a fiber goes away. */
#include "../db_test.h"

static const struct statement INSERT = {
    .name = "test_insert",
    .sql = "insert into hits values ($1, 0)",
    .lane = DB_WRITE,
};

static void append_letter(struct ctx *ctx, void *arg)
{
    (void)ctx;
    const char **pair = arg;
    strcat((char *)(uintptr_t)pair[0], pair[1]);
}

static Err insert_two(struct ctx *ctx, void *arg)
{
    bool commits = *(bool *)arg;
    char *letters = arena_alloc(ctx->arena, 8);
    const char *a[] = {letters, "a"}, *b[] = {letters, "b"};
    {
        SCOPED_TX struct db_tx tx = {0};
        TRY(db_begin(ctx, &tx));
        db_after_commit(&tx, append_letter, a);
        TRY(db_tx_query(&tx, &INSERT, ARGS(db_int(1)), NULL));
        struct rows rows;
        struct statement count = shape("select count(*) from hits", DB_READ);
        TRY(db_tx_query(&tx, &count, NO_ARGS, &rows));
        assert_int_equal(row_int(&rows, 0, 0), 1);
        TRY(db_tx_query(&tx, &INSERT, ARGS(db_int(2)), NULL));
        db_after_commit(&tx, append_letter, b);
        assert_string_equal(letters, "");
        if (commits)
            TRY(db_commit(&tx));
    }
    assert_string_equal(letters, commits ? "ab" : "");
    assert_int_equal(ctx->has_committed, commits);
    return OK;
}

static void a_commit_keeps_and_a_scope_end_undoes(void **state)
{
    struct db_fixture *f = *state;
    bool commits = false;
    assert_int_equal(act(f, AS_PLATFORM, insert_two, &commits), OK);
    assert_string_equal(must_ask(test_admin, "select count(*) from hits"), "0");
    commits = true;
    assert_int_equal(act(f, AS_A, insert_two, &commits), OK);
    assert_string_equal(must_ask(test_admin, "select count(*) from hits"), "2");
}

static Err see_own_rows(struct ctx *ctx, void *arg)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    struct statement count = shape("select count(*) from items", DB_READ);
    struct rows rows;
    TRY(db_tx_query(&tx, &count, NO_ARGS, &rows));
    *(int64_t *)arg = row_int(&rows, 0, 0);
    return db_commit(&tx);
}

static void a_transaction_stays_in_its_scope(void **state)
{
    struct db_fixture *f = *state;
    int64_t count = 0;
    assert_int_equal(act(f, AS_A, see_own_rows, &count), OK);
    assert_int_equal(count, TEST_ROWS);
    assert_int_equal(act(f, AS_PLATFORM, see_own_rows, &count), OK);
    assert_int_equal(count, 2 * TEST_ROWS);
    assert_int_equal(act(f, AS_NONE, see_own_rows, &count), OK);
    assert_int_equal(count, 0);
}

static Err begin_stale(struct ctx *ctx, void *arg)
{
    (void)arg;
    ctx->epoch = 123456789;
    SCOPED_TX struct db_tx tx = {0};
    return db_begin(ctx, &tx);
}

static void a_stale_epoch_does_not_begin(void **state)
{
    struct db_fixture *f = *state;
    bool commits = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(act(f, AS_A, begin_stale, NULL), ERR_STALE_EPOCH);
    assert_int_equal(act(f, AS_A, insert_two, &commits), OK);
}

static Err commit_failed(struct ctx *ctx, void *arg)
{
    (void)arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(db_tx_query(&tx, &INSERT, ARGS(db_int(1)), NULL));
    assert_int_equal(db_tx_query(&tx, &INSERT, ARGS(db_int(1)), NULL), ERR_NOT_UNIQUE);
    Err err = db_commit(&tx);
    assert_false(ctx->has_committed);
    return err;
}

static void a_failed_transaction_does_not_commit(void **state)
{
    assert_int_equal(act(*state, AS_PLATFORM, commit_failed, NULL), ERR_DATABASE);
    assert_string_equal(must_ask(test_admin, "select count(*) from hits"), "0");
}

static Err insert_batch(struct ctx *ctx, void *arg)
{
    const int64_t *ids = arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    struct db_batch batch = {.lane = DB_WRITE};
    struct rows rows;
    struct statement count = shape("select count(*) from hits", DB_READ);
    db_batch_add(&batch, &INSERT, ARGS(db_int(ids[0])), NULL);
    db_batch_add(&batch, &INSERT, ARGS(db_int(ids[1])), NULL);
    db_batch_add(&batch, &count, NO_ARGS, &rows);
    Err err = db_tx_batch_run(&tx, &batch);
    if (err != OK) {
        assert_int_equal(batch.done, 1);
        return err;
    }
    assert_int_equal(batch.done, 3);
    assert_int_equal(row_int(&rows, 0, 0), 2);
    return db_commit(&tx);
}

static void a_batch_of_a_transaction_tells_which_statement_failed(void **state)
{
    assert_int_equal(act(*state, AS_PLATFORM, insert_batch, (int64_t[]){1, 1}), ERR_NOT_UNIQUE);
    assert_string_equal(must_ask(test_admin, "select count(*) from hits"), "0");
    assert_int_equal(act(*state, AS_PLATFORM, insert_batch, (int64_t[]){1, 2}), OK);
    assert_string_equal(must_ask(test_admin, "select count(*) from hits"), "2");
}

static Err insert_and_commit(struct ctx *ctx, void *arg)
{
    const int64_t *ids = arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    struct db_batch batch = {.lane = DB_WRITE};
    db_batch_add(&batch, &INSERT, ARGS(db_int(ids[0])), NULL);
    db_batch_add(&batch, &INSERT, ARGS(db_int(ids[1])), NULL);
    Err err = db_commit_with(&tx, &batch);
    assert_int_equal(ctx->has_committed, err == OK);
    assert_int_equal(tx.connection == NULL, err == OK);
    assert_int_equal(batch.done, err == OK ? 3 : 1);
    return err;
}

static void a_transaction_commits_with_its_last_statements_or_not_at_all(void **state)
{
    assert_int_equal(act(*state, AS_PLATFORM, insert_and_commit, (int64_t[]){1, 1}),
                     ERR_NOT_UNIQUE);
    assert_string_equal(must_ask(test_admin, "select count(*) from hits"), "0");
    assert_int_equal(act(*state, AS_PLATFORM, insert_and_commit, (int64_t[]){1, 2}), OK);
    assert_string_equal(must_ask(test_admin, "select count(*) from hits"), "2");
}

static Err insert_in_savepoint(struct db_tx *tx, void *arg)
{
    return db_tx_query(tx, &INSERT, ARGS(db_int(*(int64_t *)arg)), NULL);
}

static Err insert_each(struct ctx *ctx, void *arg)
{
    (void)arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    int64_t ids[] = {1, 2, 1, 3, 2, 4};
    uint32_t failures = 0;
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        Err failed = OK;
        TRY(db_savepoint(&tx, insert_in_savepoint, &ids[i], &failed));
        if (failed == OK)
            continue;
        failures++;
        assert_int_equal(failed, ERR_NOT_UNIQUE);
        expect_text(last_note(ctx, "field"), "id");
    }
    assert_int_equal(failures, 2);
    return db_commit(&tx);
}

static void a_savepoint_undoes_what_failed_and_no_more(void **state)
{
    assert_int_equal(act(*state, AS_PLATFORM, insert_each, NULL), OK);
    assert_string_equal(must_ask(test_admin, "select count(*) from hits"), "4");
}

struct copy {
    Str data;
    int64_t rows;
};

static Err copy_rows(struct ctx *ctx, void *arg)
{
    struct copy *copy = arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(db_copy_in(&tx, STR("copy hits from stdin"), copy->data, &copy->rows));
    TRY(db_tx_query(&tx, &INSERT, ARGS(db_int(-1)), NULL));
    return db_commit(&tx);
}

static void copy_loads_more_than_any_buffer_holds(void **state)
{
    struct db_fixture *f = *state;
    enum { LINES = 300000 };
    char *text = arena_alloc(f->arena, LINES * 16);
    size_t len = 0;
    for (int i = 0; i < LINES; i++)
        len += (size_t)sprintf(text + len, "%d\t%d\n", i, i);
    struct copy copy = {.data = str_of(text, len)};
    assert_int_equal(act(f, AS_PLATFORM, copy_rows, &copy), OK);
    assert_int_equal(copy.rows, LINES);
    assert_string_equal(must_ask(test_admin, "select count(*) from hits"), "300001");
}

static void a_copy_of_bad_rows_loads_nothing(void **state)
{
    struct db_fixture *f = *state;
    struct copy copy = {.data = STR("1\t1\nx\ty\n")};
    assert_int_equal(act(f, AS_PLATFORM, copy_rows, &copy), ERR_INVALID_PAYLOAD);
    copy.data = STR("7\t1\n7\t2\n");
    assert_int_equal(act(f, AS_PLATFORM, copy_rows, &copy), ERR_NOT_UNIQUE);
    copy.data = STR("8\t1\n");
    assert_int_equal(act(f, AS_PLATFORM, copy_rows, &copy), OK);
    assert_string_equal(
        must_ask(test_admin, "select string_agg(id::text, ',' order by id) from hits"), "-1,8");
}

/* Fibers that are cancelled at their n-th wait, for every n: all goes or all stays, and the
 * connections are clean for the next one. */
static void a_transaction_cancelled_anywhere_is_undone(void **state)
{
    struct db_fixture *f = *state;
    bool commits = true;
    int finished = 0;
    for (int n = 0; finished == 0; n++) {
        must_run(test_admin, "set role spark_owner; truncate hits; reset role");
        struct actor_fiber *actor =
            actor_start(f, n % 2 ? AS_A : AS_PLATFORM, insert_two, &commits);
        for (int turn = 0; turn < n && !actor->has_ended; turn++)
            loop_turn(f->loop, 1000);
        if (!actor->has_ended)
            fiber_cancel(actor->fiber);
        turn_until_done(f);
        const char *count = must_ask(test_admin, "select count(*) from hits");
        if (actor->result == OK) {
            assert_string_equal(count, "2");
            finished += n > 3;
        } else {
            assert_int_equal(actor->result, ERR_CANCELLED);
            /* The commit may have been on its way. */
            assert_true(strcmp(count, "0") == 0 || strcmp(count, "2") == 0);
        }
    }
}

static Err hold(struct ctx *ctx, void *arg)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(db_tx_query(&tx, &INSERT, ARGS(db_int(*(int64_t *)arg)), NULL));
    struct statement slow = shape("select pg_sleep(0.05)", DB_READ);
    TRY(db_tx_query(&tx, &slow, NO_ARGS, NULL));
    return db_commit(&tx);
}

/* Two connections, ten transactions: they queue. */
static void transactions_wait_for_a_connection(void **state)
{
    struct db_fixture *f = *state;
    int64_t ids[10];
    struct actor_fiber *actors[10];
    for (int i = 0; i < 10; i++) {
        ids[i] = i;
        actors[i] = actor_start(f, AS_PLATFORM, hold, &ids[i]);
    }
    turn_until_done(f);
    for (int i = 0; i < 10; i++)
        assert_int_equal(actors[i]->result, OK);
    assert_string_equal(must_ask(test_admin, "select count(*) from hits"), "10");
}

static Err hold_long(struct ctx *ctx, void *arg)
{
    (void)arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(db_tx_query(&tx, &INSERT, ARGS(db_int(77)), NULL));
    struct statement slow = shape("select pg_sleep(30)", DB_READ);
    return db_tx_query(&tx, &slow, NO_ARGS, NULL);
}

/* ROLLBACK cannot get past a statement that runs: the connection is dropped after a second, and
 * the lane is whole again. */
static void a_rollback_that_cannot_run_costs_the_connection(void **state)
{
    struct db_fixture *f = *state;
    bool commits = false;
    assert_int_equal(act(f, AS_PLATFORM, insert_two, &commits), OK);
    struct actor_fiber *actors[2];
    for (int i = 0; i < 2; i++) {
        actors[i] = actor_start(f, AS_PLATFORM, hold_long, NULL);
        for (int turn = 0; turn < 50; turn++)
            loop_turn(f->loop, 10);
        fiber_cancel(actors[i]->fiber);
        turn_until_done(f);
        assert_int_equal(actors[i]->result, ERR_CANCELLED);
    }
    commits = true;
    assert_int_equal(act(f, AS_PLATFORM, insert_two, &commits), OK);
    assert_string_equal(must_ask(test_admin, "select count(*) from hits"), "2");
}

static Err alter_in_tx(struct ctx *ctx, void *arg)
{
    (void)arg;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    struct statement all = shape("select * from changing", DB_READ);
    struct statement create = shape("create temp table changing (a int)", DB_WRITE);
    struct statement alter = shape("alter table changing add column b int", DB_WRITE);
    struct rows rows;
    TRY(db_tx_query(&tx, &create, NO_ARGS, NULL));
    for (int i = 0; i < 5; i++)
        TRY(db_tx_query(&tx, &all, NO_ARGS, &rows));
    TRY(db_tx_query(&tx, &alter, NO_ARGS, NULL));
    TRY(db_tx_query(&tx, &all, NO_ARGS, &rows));
    assert_int_equal(rows.columns, 2);
    return OK; /* rolls back */
}

static void a_transaction_may_change_the_schema_it_reads(void **state)
{
    assert_int_equal(act(*state, AS_PLATFORM, alter_in_tx, NULL), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(a_commit_keeps_and_a_scope_end_undoes),
        db_test(a_transaction_stays_in_its_scope),
        db_test(a_stale_epoch_does_not_begin),
        db_test(a_failed_transaction_does_not_commit),
        db_test(a_batch_of_a_transaction_tells_which_statement_failed),
        db_test(a_transaction_commits_with_its_last_statements_or_not_at_all),
        db_test(a_savepoint_undoes_what_failed_and_no_more),
        db_test(copy_loads_more_than_any_buffer_holds),
        db_test(a_copy_of_bad_rows_loads_nothing),
        db_test(a_transaction_cancelled_anywhere_is_undone),
        db_test(transactions_wait_for_a_connection),
        db_test(a_rollback_that_cannot_run_costs_the_connection),
        db_test(a_transaction_may_change_the_schema_it_reads),
    };
    return RUN_DB_TESTS(tests);
}
