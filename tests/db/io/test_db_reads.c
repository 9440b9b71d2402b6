/* Reads of many fibers on few connections: who gets what, and what an error does to neighbours. */
#include "../db_test.h"

static const struct statement NAMES = {
    .name = "test_names",
    .sql = "select id, name from items where id = $1",
    .lane = DB_READ,
};

enum { READERS = 50, ROUNDS = 200 };

static Err read_own(struct ctx *ctx, void *arg)
{
    char letter = *(const char *)arg;
    for (int i = 0; i < ROUNDS; i++) {
        ArenaMark mark = arena_mark(ctx->arena);
        int64_t id = 1 + (i * 7 + (intptr_t)letter) % TEST_ROWS;
        struct rows rows;
        TRY(db_query(ctx, &NAMES, ARGS(db_int(id)), &rows));
        assert_int_equal(rows.count, 1);
        assert_int_equal(row_int(&rows, 0, 0), id);
        Str name = row_text(&rows, 0, 1);
        assert_int_equal(name.data[0], letter);
        arena_rewind(ctx->arena, mark);
    }
    return OK;
}

/* 50 fibers × 200 reads: 10,000 reads of two tenants, mixed in shared groups. */
static void reads_of_two_tenants_never_mix(void **state)
{
    struct db_fixture *f = *state;
    struct actor_fiber *readers[READERS];
    for (int i = 0; i < READERS; i++)
        readers[i] = actor_start(f, i % 2 == 0 ? AS_A : AS_B, read_own, i % 2 == 0 ? "a" : "b");
    turn_until_done(f);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(readers[i]->result, OK);
}

static Err read_all(struct ctx *ctx, void *arg)
{
    struct statement all = shape("select count(*) from items", DB_READ);
    struct rows rows;
    TRY(db_query(ctx, &all, NO_ARGS, &rows));
    *(int64_t *)arg = row_int(&rows, 0, 0);
    return OK;
}

static void a_scope_sees_its_own_rows_only(void **state)
{
    struct db_fixture *f = *state;
    int64_t count = -1;
    assert_int_equal(act(f, AS_A, read_all, &count), OK);
    assert_int_equal(count, TEST_ROWS);
    assert_int_equal(act(f, AS_PLATFORM, read_all, &count), OK);
    assert_int_equal(count, 2 * TEST_ROWS);
    assert_int_equal(act(f, AS_NONE, read_all, &count), OK);
    assert_int_equal(count, 0);
}

static Err read_broken(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement broken = shape("select 1 / (id - id) from items limit 1", DB_READ);
    struct rows rows;
    return db_query(ctx, &broken, NO_ARGS, &rows);
}

/* In one turn: good, broken, good … in one group. */
static void an_error_does_not_hurt_its_neighbours(void **state)
{
    struct db_fixture *f = *state;
    struct actor_fiber *actors[30];
    int64_t counts[30];
    for (int i = 0; i < 30; i++)
        actors[i] = i % 5 == 1 ? actor_start(f, AS_A, read_broken, NULL)
                               : actor_start(f, i % 2 ? AS_A : AS_B, read_all, &counts[i]);
    turn_until_done(f);
    for (int i = 0; i < 30; i++) {
        if (i % 5 == 1) {
            assert_int_equal(actors[i]->result, ERR_DATABASE);
            expect_text(last_note(&actors[i]->ctx, "_sqlstate"), "22012");
        } else {
            assert_int_equal(actors[i]->result, OK);
            assert_int_equal(counts[i], TEST_ROWS);
        }
    }
}

/* A read by somebody whose rights were loaded under `stamp`. */
struct stamped {
    SiteStamp stamp;
    DbBody *body;
    int64_t count;
};

static Err read_under(struct ctx *ctx, void *arg)
{
    struct stamped *read = arg;
    ctx->epoch = atoll(must_ask(test_admin, "select epoch from spark.epoch"));
    ctx->stamp = read->stamp;
    return read->body(ctx, &read->count);
}

/* In one turn, and so in one group of each role: whoever has the stamp that A had before is
 * refused, also in the platform's scope and with a statement that fails anyway; nobody else is. */
static void a_stale_stamp_refuses_those_who_have_it_only(void **state)
{
    struct db_fixture *f = *state;
    must_run(test_admin, "insert into spark.site_epochs values "
                         "('aaaaaaaa-0000-7000-8000-00000000000a', 77)");
    const SiteStamp stale = {SITE_A, 1}, fresh = {SITE_A, 77}, other = {SITE_B, 1}, none = {0};
    struct {
        Scope scope;
        struct stamped read;
        Err result;
        int64_t count;
    } cases[] = {
        {AS_A, {stale, read_all, 0}, ERR_STALE_EPOCH, 0},
        {AS_A, {stale, read_broken, 0}, ERR_STALE_EPOCH, 0},
        {AS_PLATFORM, {stale, read_all, 0}, ERR_STALE_EPOCH, 0},
        {AS_A, {fresh, read_all, 0}, OK, TEST_ROWS},
        {AS_A, {none, read_all, 0}, OK, TEST_ROWS},
        {AS_B, {other, read_all, 0}, OK, TEST_ROWS},
        {AS_PLATFORM, {fresh, read_all, 0}, OK, 2 * TEST_ROWS},
        {AS_PLATFORM, {other, read_all, 0}, OK, 2 * TEST_ROWS},
    };
    struct actor_fiber *actors[sizeof cases / sizeof *cases];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        actors[i] = actor_start(f, cases[i].scope, read_under, &cases[i].read);
    turn_until_done(f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(actors[i]->result, cases[i].result);
        assert_int_equal(cases[i].read.count, cases[i].count);
    }
    must_run(test_admin, "delete from spark.site_epochs");
}

static Err read_tenant_setting(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement setting = shape("select coalesce(current_setting('spark.site', true), '') || "
                                     "coalesce(current_setting('spark.scope', true), '')",
                                     DB_READ);
    struct rows rows;
    TRY(db_query(ctx, &setting, NO_ARGS, &rows));
    assert_int_equal(row_text(&rows, 0, 0).len, ctx->scope.kind == SCOPE_SITE ? 36 : 0);
    return OK;
}

/* After work of both tenants and errors, a group that enters nothing finds nothing. NONE runs on
 * the platform's connections, which PLATFORM used just before. */
static void no_scope_survives_on_a_connection(void **state)
{
    struct db_fixture *f = *state;
    int64_t count;
    for (int i = 0; i < 20; i++) {
        actor_start(f, AS_A, read_all, &count);
        actor_start(f, AS_PLATFORM, read_all, &count);
        actor_start(f, AS_A, read_broken, NULL);
        actor_start(f, AS_PLATFORM, read_broken, NULL);
        turn_until_done(f);
        assert_int_equal(act(f, AS_NONE, read_tenant_setting, NULL), OK);
        assert_int_equal(act(f, AS_B, read_tenant_setting, NULL), OK);
    }
}

static Err read_types(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement types = shape(
        "select $1::uuid, $2::int8, $3::bool, $4::float8, $5::timestamptz, $6::jsonb, $7::text, "
        "$8::text[], $9::uuid[], $10::int8[], $11::bytea, null::int4, '2000-01-02'::date, "
        "7::int2, 1.5::float4, $12::int4, '{{a,b},{c,d}}'::text[], '{}'::text[]",
        DB_READ);
    Str texts[] = {STR("x"), STR_NONE, STR("")};
    Uuid uuids[] = {SITE_A, SITE_B};
    int64_t ints[] = {1, -2};
    struct rows rows;
    TRY(db_query(ctx, &types,
                 ARGS(db_uuid(SITE_A), db_int(-5), db_bool(true), db_real(2.25),
                      db_time(1700000000123456), db_text(STR("{\"a\": 1}")), db_text(STR("é")),
                      db_text_array(ctx->arena, texts, 3), db_uuid_array(ctx->arena, uuids, 2),
                      db_int_array(ctx->arena, ints, 2), db_bytes(str_of("\0\1", 2)), db_int4(-9)),
                 &rows));
    assert_true(uuid_eq(row_uuid(&rows, 0, 0), SITE_A));
    assert_int_equal(row_int(&rows, 0, 1), -5);
    assert_true(row_bool(&rows, 0, 2));
    assert_true(row_real(&rows, 0, 3) == 2.25);
    assert_int_equal(row_time(&rows, 0, 4), 1700000000123456);
    expect_text(row_json(&rows, 0, 5), "{\"a\": 1}");
    expect_text(row_text(&rows, 0, 6), "é");
    const Str *list;
    assert_int_equal(row_text_array(ctx->arena, &rows, 0, 7, &list), 3);
    expect_text(list[0], "x");
    assert_null(list[1].data);
    assert_true(list[2].data != NULL && list[2].len == 0);
    assert_int_equal(row_text_array(ctx->arena, &rows, 0, 8, &list), 2);
    expect_text(list[1], "bbbbbbbb-0000-7000-8000-00000000000b");
    uint32_t len;
    assert_memory_equal(row_bytes(&rows, 0, 10, &len), "\0\1", 2);
    assert_int_equal(len, 2);
    assert_true(row_is_null(&rows, 0, 11));
    assert_int_equal(row_time(&rows, 0, 12), INT64_C(946771200000000));
    assert_int_equal(row_int(&rows, 0, 13), 7);
    assert_true(row_real(&rows, 0, 14) == 1.5);
    assert_int_equal(row_int(&rows, 0, 15), -9);
    assert_int_equal(row_text_array(ctx->arena, &rows, 0, 16, &list), 0);
    assert_int_equal(row_text_array(ctx->arena, &rows, 0, 17, &list), 0);
    assert_int_equal(row_text_array(ctx->arena, &rows, 0, 11, &list), 0);
    expect_text(row_column_name(&rows, 0), "uuid");
    assert_int_equal(row_oid(&rows, 0), 2950);
    return OK;
}

static void values_go_and_come_back(void **state)
{
    assert_int_equal(act(*state, AS_PLATFORM, read_types, NULL), OK);
}

static Err send_nul(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement echo = shape("select $1::text", DB_READ);
    return db_query(ctx, &echo, ARGS(db_text(str_of("a\0b", 3))), NULL);
}

static void text_with_a_nul_is_refused_and_not_cut(void **state)
{
    assert_int_equal(act(*state, AS_A, send_nul, NULL), ERR_INVALID_PAYLOAD);
}

static Err send_wrong_values(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement uuid = shape("select $1::uuid", DB_READ);
    assert_int_equal(db_query(ctx, &uuid, ARGS(db_text(STR("nope"))), NULL), ERR_INVALID_PAYLOAD);
    expect_text(last_reason(ctx), "Invalid input syntax for type uuid: \"nope\"");
    struct statement number = shape("select $1::int4", DB_READ);
    assert_int_equal(db_query(ctx, &number, ARGS(db_text(STR("99999999999"))), NULL),
                     ERR_VALUE_OUT_OF_RANGE);
    expect_text(last_note(ctx, "value"), "99999999999");
    struct statement date = shape("select $1::date", DB_READ);
    assert_int_equal(db_query(ctx, &date, ARGS(db_text(STR("2024-13-45"))), NULL),
                     ERR_INVALID_PAYLOAD);
    assert_int_equal(db_query(ctx, &date, ARGS(db_text(STR("\xff\xfe"))), NULL),
                     ERR_INVALID_PAYLOAD);
    return OK;
}

static void bad_input_text_is_the_callers_fault(void **state)
{
    assert_int_equal(act(*state, AS_A, send_wrong_values, NULL), OK);
}

static Err read_batch(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement one = shape("select 1", DB_READ);
    struct statement text = shape("select $1::text", DB_READ);
    struct rows first, second;
    struct db_batch batch = {.lane = DB_READ};
    db_batch_add(&batch, &one, NO_ARGS, &first);
    db_batch_add(&batch, &text, ARGS(db_text(STR("two"))), &second);
    TRY(db_batch_run(ctx, &batch));
    assert_int_equal(row_int(&first, 0, 0), 1);
    expect_text(row_text(&second, 0, 0), "two");
    return OK;
}

static void a_batch_answers_each_of_its_statements(void **state)
{
    assert_int_equal(act(*state, AS_A, read_batch, NULL), OK);
}

static Err read_slowly(struct ctx *ctx, void *arg)
{
    struct statement slow = shape("select pg_sleep($1)::text, 'done'", *(enum db_lane *)arg);
    struct rows rows;
    TRY(db_query(ctx, &slow, ARGS(db_real(0.2)), &rows));
    expect_text(row_text(&rows, 0, 1), "done");
    return OK;
}

static void the_slow_lane_does_not_hold_up_reads(void **state)
{
    struct db_fixture *f = *state;
    enum db_lane lane = DB_SLOW;
    struct actor_fiber *slow = actor_start(f, AS_A, read_slowly, &lane);
    int64_t count = 0;
    struct actor_fiber *quick = actor_start(f, AS_A, read_all, &count);
    while (!quick->has_ended)
        loop_turn(f->loop, 1000);
    assert_false(slow->has_ended);
    turn_until_done(f);
    assert_int_equal(slow->result, OK);
}

/* The fiber is gone while its answer is on the way; the next ones get theirs. */
static void a_cancelled_reader_leaves_the_connection_in_order(void **state)
{
    struct db_fixture *f = *state;
    int64_t count = 0;
    assert_int_equal(act(f, AS_A, read_all, &count), OK);
    enum db_lane lanes[] = {DB_READ, DB_SLOW};
    for (int i = 0; i < 20; i++) {
        struct actor_fiber *left = actor_start(f, AS_A, read_slowly, &lanes[i % 2]);
        struct actor_fiber *stays = actor_start(f, AS_A, read_all, &count);
        if (i % 4 >= 2)
            loop_turn(f->loop, 0); /* sent; else still in the queue */
        fiber_cancel(left->fiber);
        loop_turn(f->loop, 0);
        count = 0;
        struct actor_fiber *after = actor_start(f, AS_B, read_all, &count);
        turn_until_done(f);
        assert_int_equal(left->result, ERR_CANCELLED);
        assert_int_equal(stays->result, OK);
        assert_int_equal(after->result, OK);
        assert_int_equal(count, TEST_ROWS);
    }
}

static Err read_for_ever(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct statement one = shape("select 1", DB_SLOW);
    TRY(db_query(ctx, &one, NO_ARGS, NULL)); /* the lane is up */
    ctx->deadline_us = clock_now_us() + 50000;
    struct statement slow = shape("select pg_sleep(20)", DB_SLOW);
    return db_query(ctx, &slow, NO_ARGS, NULL);
}

static void a_deadline_ends_the_wait_for_an_answer(void **state)
{
    assert_int_equal(act(*state, AS_A, read_for_ever, NULL), ERR_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(a_scope_sees_its_own_rows_only),
        db_test(values_go_and_come_back),
        db_test(text_with_a_nul_is_refused_and_not_cut),
        db_test(bad_input_text_is_the_callers_fault),
        db_test(a_batch_answers_each_of_its_statements),
        db_test(an_error_does_not_hurt_its_neighbours),
        db_test(a_stale_stamp_refuses_those_who_have_it_only),
        db_test(no_scope_survives_on_a_connection),
        db_test(reads_of_two_tenants_never_mix),
        db_test(the_slow_lane_does_not_hold_up_reads),
        db_test(a_cancelled_reader_leaves_the_connection_in_order),
        db_test(a_deadline_ends_the_wait_for_an_answer),
    };
    return RUN_DB_TESTS(tests);
}
