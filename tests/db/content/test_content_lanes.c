/* A search that goes on and on holds up nothing but searches. */
#include "../content_test.h"

enum { SEARCHES = 12 };

static const char *const QUERIES[] = {
    "search=one&fields=slug&sort=slug",
    "filter[title][_contains]=One&fields=slug",
    "filter[title][_icontains]=one&fields=slug&meta=filter_count",
};

/* The rows of posts are somebody else's until this ends: as if they took that long to scan. */
static PGconn *hold_posts(void)
{
    PGconn *holder = must_connect(test_url);
    must_run(holder, "begin; set local role spark_owner;"
                     "lock table posts in access exclusive mode");
    return holder;
}

static bool some_statement_waits(void)
{
    return strcmp(must_ask(test_admin, "select count(*) from pg_stat_activity where datname = "
                                       "current_database() and wait_event_type = 'Lock'"),
                  "0") != 0;
}

/* Turns until fn says so; a test that never gets there is ended by its own deadline. */
static void turn_until(struct db_fixture *f, bool (*fn)(void))
{
    int64_t end_us = clock_now_us() + 20 * SECOND_US;
    while (!fn()) {
        loop_turn(f->loop, 10);
        assert_true(clock_now_us() < end_us);
    }
}

static struct actor_fiber *start_ask(struct db_fixture *f, struct ask *ask)
{
    return actor_start(f, AS_A, ask_body, ask);
}

static void an_item_is_read_while_searches_go_on_and_on(void **state)
{
    struct db_fixture *f = *state;
    expect_list(state, AS_A, "authors", "fields=name&limit=1&sort=name", /* the lanes are up */
                "{\"data\":[{\"name\":\"Ann\"}]}");
    PGconn *holder = hold_posts();
    struct ask *searches = calloc(SEARCHES, sizeof *searches);
    struct actor_fiber *actors[SEARCHES];
    for (int i = 0; i < SEARCHES; i++) {
        searches[i] = (struct ask){.collection = "posts", .query = QUERIES[i % 3]};
        actors[i] = start_ask(f, &searches[i]);
        loop_turn(f->loop, 0); /* else they would share one group */
    }
    turn_until(f, some_statement_waits);

    struct ask *item = calloc(1, sizeof *item);
    *item = (struct ask){
        .verb = VERB_READ, .collection = "authors", .key = ANN, .query = "fields=name"};
    struct actor_fiber *quick = start_ask(f, item);
    while (!quick->has_ended)
        loop_turn(f->loop, 1000);
    assert_int_equal(quick->result, OK);
    assert_string_equal(item->answer, "{\"data\":{\"name\":\"Ann\"}}");
    /* On the read lane nothing is under way: it was not only the luck of a spare connection. */
    Str lanes = db_describe(f->arena, f->reactor.db);
    assert_true(str_find(lanes, STR("\"lane\":\"slow\",\"state\":\"busy\"")) >= 0);
    assert_true(str_find(lanes, STR("\"lane\":\"read\",\"state\":\"busy\"")) < 0);
    for (int i = 0; i < SEARCHES; i++)
        assert_false(actors[i]->has_ended);

    must_run(holder, "rollback");
    PQfinish(holder);
    turn_until_done(f);
    for (int i = 0; i < SEARCHES; i++) {
        assert_int_equal(actors[i]->result, OK);
        assert_non_null(strstr(searches[i].answer, "\"data\":[{\"slug\":\"post-1\"}]"));
    }
    free(searches);
    free(item);
}

/* Who searches while typing leaves most of their searches behind. */
static void searches_that_nobody_waits_for_make_room(void **state)
{
    struct db_fixture *f = *state;
    PGconn *holder = hold_posts();
    struct ask *searches = calloc(SEARCHES, sizeof *searches);
    struct actor_fiber *actors[SEARCHES];
    for (int i = 0; i < SEARCHES; i++) {
        searches[i] = (struct ask){.collection = "posts", .query = QUERIES[i % 3]};
        actors[i] = start_ask(f, &searches[i]);
    }
    turn_until(f, some_statement_waits);
    for (int i = 0; i < SEARCHES; i++)
        fiber_cancel(actors[i]->fiber);
    struct ask *other = calloc(1, sizeof *other);
    *other = (struct ask){.collection = "authors", .query = "search=ann&fields=name"};
    struct actor_fiber *next = start_ask(f, other);
    turn_until_done(f);
    assert_int_equal(next->result, OK);
    assert_string_equal(other->answer, "{\"data\":[{\"name\":\"Ann\"}]}");
    for (int i = 0; i < SEARCHES; i++)
        assert_int_equal(actors[i]->result, ERR_CANCELLED);
    must_run(holder, "rollback");
    PQfinish(holder);
    free(searches);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        content_test(an_item_is_read_while_searches_go_on_and_on),
        content_test(searches_that_nobody_waits_for_make_room),
    };
    return RUN_CONTENT_TESTS(tests);
}
