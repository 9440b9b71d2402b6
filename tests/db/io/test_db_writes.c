/* Writes: all or nothing, answered when durable, and what shares a commit. */
#include "../db_test.h"

static Err count_rows(struct ctx *ctx, const char *sql, int64_t *ret)
{
    struct statement count = shape(sql, DB_READ);
    struct rows rows;
    TRY(db_query(ctx, &count, NO_ARGS, &rows));
    *ret = row_int(&rows, 0, 0);
    return OK;
}

static Err insert_item(struct ctx *ctx, void *arg)
{
    struct statement insert =
        shape("insert into items (site_id, id, name) values ($1, $2, $3) returning name", DB_WRITE);
    int64_t id = *(int64_t *)arg;
    struct rows rows;
    TRY(db_query(ctx, &insert, ARGS(db_uuid(ctx->scope.site), db_int(id), db_text(STR("new"))),
                 &rows));
    assert_int_equal(rows.affected, 1);
    expect_text(row_text(&rows, 0, 0), "new");
    assert_true(ctx->has_committed);
    return OK;
}

static void a_write_is_there_when_it_is_answered(void **state)
{
    int64_t id = 1000;
    assert_int_equal(act(*state, AS_A, insert_item, &id), OK);
    assert_string_equal(must_ask(test_admin, "begin; set local spark.scope = 'platform';"
                                             "set local role spark_platform;"
                                             "select count(*) from items where name = 'new'"),
                        "1");
    must_run(test_admin, "rollback");
}

static Err write_half(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement insert = shape("insert into hits values ($1, 1)", DB_WRITE);
    struct db_batch batch = {.lane = DB_WRITE};
    db_batch_add(&batch, &insert, ARGS(db_int(1)), NULL);
    db_batch_add(&batch, &insert, ARGS(db_int(2)), NULL);
    db_batch_add(&batch, &insert, ARGS(db_int(1)), NULL); /* again */
    assert_int_equal(db_batch_run(ctx, &batch), ERR_NOT_UNIQUE);
    expect_text(last_note(ctx, "collection"), "hits");
    expect_text(last_note(ctx, "field"), "id");
    expect_text(last_note(ctx, "value"), "1");
    assert_false(ctx->has_committed);
    int64_t count;
    TRY(count_rows(ctx, "select count(*) from hits", &count));
    assert_int_equal(count, 0);

    batch.count = 2;
    TRY(db_batch_run(ctx, &batch));
    TRY(count_rows(ctx, "select count(*) from hits", &count));
    assert_int_equal(count, 2);
    return OK;
}

static void a_batch_happens_whole_or_not_at_all(void **state)
{
    assert_int_equal(act(*state, AS_PLATFORM, write_half, NULL), OK);
}

static Err break_constraints(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement insert =
        shape("insert into items (site_id, id, name, n) values ($1, $2, $3, $4)", DB_WRITE);
    DbArg site = db_uuid(ctx->scope.site);
    assert_int_equal(
        db_query(ctx, &insert, ARGS(site, db_int(500), db_text(STR("a1")), db_null()), NULL),
        ERR_NOT_UNIQUE);
    /* Row security hides the value; the constraint's name tells the field. */
    expect_text(last_reason(ctx),
                "Value for field \"name\" in collection \"items\" has to be unique.");
    assert_int_equal(db_query(ctx, &insert, ARGS(site, db_null(), db_null(), db_null()), NULL),
                     ERR_NOT_NULL);
    expect_text(last_reason(ctx), "Value for field \"id\" in collection \"items\" can't be null.");
    assert_int_equal(
        db_query(ctx, &insert,
                 ARGS(site, db_int(501), db_text(STR("a very long name indeed")), db_null()), NULL),
        ERR_VALUE_TOO_LONG);
    assert_int_equal(
        db_query(ctx, &insert, ARGS(site, db_int(501), db_null(), db_int(5000000000)), NULL),
        ERR_VALUE_OUT_OF_RANGE);
    assert_int_equal(db_query(ctx, &insert, ARGS(site, db_int(501), db_null(), db_int(-1)), NULL),
                     ERR_FAILED_VALIDATION);
    assert_int_equal(
        db_query(ctx, &insert, ARGS(db_uuid(SITE_B), db_int(501), db_null(), db_null()), NULL),
        ERR_FORBIDDEN);
    return OK;
}

static void broken_constraints_have_directus_sentences(void **state)
{
    assert_int_equal(act(*state, AS_A, break_constraints, NULL), OK);
}

static Err add_hit(struct ctx *ctx, void *arg)
{
    struct statement add = shape("insert into hits values ($1, 1) "
                                 "on conflict (id) do update set n = hits.n + 1",
                                 DB_SHARED);
    return db_query(ctx, &add, ARGS(db_int(*(int64_t *)arg)), NULL);
}

static Err add_bad_hit(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement add = shape("insert into hits values (999, 1 / (select 0))", DB_SHARED);
    return db_query(ctx, &add, NO_ARGS, NULL);
}

/* 40 fibers of one turn share a commit; three of them fail, and the others are not lost. */
static void one_bad_member_does_not_undo_a_shared_group(void **state)
{
    struct db_fixture *f = *state;
    int64_t ids[40];
    struct actor_fiber *actors[40];
    for (int i = 0; i < 40; i++) {
        ids[i] = i;
        Scope scope = i % 3 == 0 ? AS_PLATFORM : i % 3 == 1 ? AS_A : AS_B;
        actors[i] = i % 15 == 7 ? actor_start(f, scope, add_bad_hit, NULL)
                                : actor_start(f, scope, add_hit, &ids[i]);
    }
    turn_until_done(f);
    for (int i = 0; i < 40; i++)
        assert_int_equal(actors[i]->result, i % 15 == 7 ? ERR_DATABASE : OK);
    assert_string_equal(must_ask(test_admin, "select count(*) || ' ' || sum(n) from hits"),
                        "37 37");
}

static Err add_dangling(struct ctx *ctx, void *arg)
{
    struct statement add = shape("insert into plain values ($1, 'p' || $1::text, $2)", DB_SHARED);
    int64_t id = *(int64_t *)arg;
    return db_query(ctx, &add, ARGS(db_int(id), id % 5 == 0 ? db_int(12345) : db_null()), NULL);
}

/* The deferred foreign key speaks at the commit, where nobody can tell whose fault it was. */
static void an_error_of_the_commit_finds_its_member(void **state)
{
    struct db_fixture *f = *state;
    int64_t ids[20];
    struct actor_fiber *actors[20];
    for (int i = 0; i < 20; i++) {
        ids[i] = i;
        actors[i] = actor_start(f, AS_PLATFORM, add_dangling, &ids[i]);
    }
    turn_until_done(f);
    for (int i = 0; i < 20; i++)
        assert_int_equal(actors[i]->result, i % 5 == 0 ? ERR_INVALID_FOREIGN_KEY : OK);
    expect_text(last_reason(&actors[0]->ctx),
                "Invalid foreign key \"12345\" for field \"parent\" in collection \"plain\".");
    assert_string_equal(must_ask(test_admin, "select count(*) from plain"), "16");
}

static Err lock_two(struct ctx *ctx, void *arg)
{
    bool is_reverse = *(bool *)arg;
    struct statement add = shape("update hits set n = n + 1 where id = $1", DB_WRITE);
    struct statement pause = shape("select pg_sleep(0.05)", DB_WRITE);
    for (int i = 0; i < 2; i++) {
        struct db_batch batch = {.lane = DB_WRITE};
        db_batch_add(&batch, &add, ARGS(db_int(is_reverse ? 2 : 1)), NULL);
        db_batch_add(&batch, &pause, NO_ARGS, NULL);
        db_batch_add(&batch, &add, ARGS(db_int(is_reverse ? 1 : 2)), NULL);
        Err err = db_batch_run(ctx, &batch);
        if (err != OK)
            return err;
    }
    return OK;
}

static void a_deadlock_is_tried_again_once(void **state)
{
    struct db_fixture *f = *state;
    must_run(test_admin, "insert into hits values (1, 0), (2, 0)");
    bool directions[] = {false, true};
    struct actor_fiber *one = actor_start(f, AS_PLATFORM, lock_two, &directions[0]);
    struct actor_fiber *two = actor_start(f, AS_PLATFORM, lock_two, &directions[1]);
    turn_until_done(f);
    /* Twice in a row is possible, and then it is said; nothing is half done either way. */
    assert_true(one->result == OK || one->result == ERR_UNAVAILABLE);
    assert_true(two->result == OK || two->result == ERR_UNAVAILABLE);
    assert_string_equal(
        must_ask(test_admin,
                 "select (select n from hits where id = 1) = (select n from hits where id = 2)"),
        "t");
}

static Err write_many(struct ctx *ctx, void *arg)
{
    int64_t base = *(int64_t *)arg;
    for (int64_t i = 0; i < 20; i++) {
        struct statement insert = shape("insert into hits values ($1, 0)", DB_WRITE);
        TRY(db_query(ctx, &insert, ARGS(db_int(base * 100 + i)), NULL));
    }
    return OK;
}

static void many_writers_share_few_connections(void **state)
{
    struct db_fixture *f = *state;
    int64_t bases[40];
    struct actor_fiber *actors[40];
    for (int64_t i = 0; i < 40; i++) {
        bases[i] = i;
        actors[i] = actor_start(f, i % 2 ? AS_A : AS_PLATFORM, write_many, &bases[i]);
    }
    turn_until_done(f);
    for (int i = 0; i < 40; i++)
        assert_int_equal(actors[i]->result, OK);
    assert_string_equal(must_ask(test_admin, "select count(*) from hits"), "800");
}

static Err write_late(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement insert = shape("insert into hits select 1, 0 from pg_sleep(0.1)", DB_WRITE);
    return db_query(ctx, &insert, NO_ARGS, NULL);
}

static void a_write_given_up_in_flight_is_of_unknown_outcome(void **state)
{
    struct db_fixture *f = *state;
    int64_t id = 5;
    assert_int_equal(act(f, AS_PLATFORM, add_hit, &id), OK);
    struct actor_fiber *left = actor_start(f, AS_PLATFORM, write_late, NULL);
    loop_turn(f->loop, 0);
    fiber_cancel(left->fiber);
    turn_until_done(f);
    assert_int_equal(left->result, ERR_CANCELLED);
    expect_text(last_note(&left->ctx, "_outcome"), "unknown");
    assert_int_equal(act(f, AS_PLATFORM, add_hit, &id), OK);
}

static Err write_stale(struct ctx *ctx, void *arg)
{
    ctx->epoch = *(int64_t *)arg;
    struct statement insert = shape("insert into hits values (1, 0)", DB_WRITE);
    struct statement read = shape("select 1", DB_READ);
    int64_t id = 2;
    assert_int_equal(db_query(ctx, &read, NO_ARGS, NULL), ERR_STALE_EPOCH);
    assert_int_equal(add_hit(ctx, &id), ERR_STALE_EPOCH);
    return db_query(ctx, &insert, NO_ARGS, NULL);
}

static Err write_fresh(struct ctx *ctx, void *arg)
{
    ctx->epoch = *(int64_t *)arg;
    struct statement read = shape("select 1", DB_READ);
    TRY(db_query(ctx, &read, NO_ARGS, NULL));
    int64_t id = 3;
    return add_hit(ctx, &id);
}

/* Stale and fresh ones in the same turn: they do not share groups. */
static void a_stale_epoch_changes_nothing(void **state)
{
    struct db_fixture *f = *state;
    int64_t epoch = strtoll(must_ask(test_admin, "select epoch from spark.epoch"), NULL, 10);
    int64_t stale = epoch + 1;
    struct actor_fiber *old[6], *fresh[6];
    for (int i = 0; i < 6; i++) {
        Scope scope = i % 2 ? AS_A : AS_PLATFORM;
        old[i] = actor_start(f, scope, write_stale, &stale);
        fresh[i] = actor_start(f, scope, write_fresh, &epoch);
    }
    turn_until_done(f);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(old[i]->result, ERR_STALE_EPOCH);
        assert_int_equal(fresh[i]->result, OK);
    }
    assert_string_equal(must_ask(test_admin, "select string_agg(id::text, ',') from hits"), "3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(a_write_is_there_when_it_is_answered),
        db_test(a_batch_happens_whole_or_not_at_all),
        db_test(broken_constraints_have_directus_sentences),
        db_test(one_bad_member_does_not_undo_a_shared_group),
        db_test(an_error_of_the_commit_finds_its_member),
        db_test(a_deadlock_is_tried_again_once),
        db_test(many_writers_share_few_connections),
        db_test(a_write_given_up_in_flight_is_of_unknown_outcome),
        db_test(a_stale_epoch_changes_nothing),
    };
    return RUN_DB_TESTS(tests);
}
