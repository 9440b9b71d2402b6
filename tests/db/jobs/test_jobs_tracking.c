/* Page views, from the list in Redis to the table: each once, and none in the way of another. */
#include "../jobs_test.h"
#include "../pack_test.h"
#include "visitors/tracking/tracking_store.h"

static Uuid SITE_GONE;

static int tracking_database_setup(void **state)
{
    if (jobs_database_setup(state) != 0)
        return 1;
    pack_install();
    uuid_parse(STR("cccccccc-0000-7000-8000-00000000000c"), &SITE_GONE);
    tell("insert into sites (id, name, status) values "
         "('aaaaaaaa-0000-7000-8000-00000000000a', 'A', 'active'),"
         "('bbbbbbbb-0000-7000-8000-00000000000b', 'B', 'active')");
    return 0;
}

static int tracking_setup(void **state)
{
    tell("delete from pageviews");
    return jobs_setup(state);
}

#define tracking_test(name) cmocka_unit_test_setup_teardown(name, tracking_setup, jobs_teardown)

static struct pageview view_of(Uuid site)
{
    return (struct pageview){.id = uuid_make(),
                             .site = site,
                             .wall_us = clock_wall_us(),
                             .page_path = STR("/a"),
                             .is_bot = true,
                             .bot_name = STR("bot")};
}

static Err push(struct ctx *ctx, void *arg)
{
    return pageview_push(ctx, arg);
}

static Err drain(struct ctx *ctx, void *arg)
{
    uint64_t taken;
    TRY(tracking_drain(as_platform(ctx), TRACKING_PAGEVIEWS, W1, &taken));
    *(uint64_t *)arg = taken;
    return OK;
}

static Err adopt(struct ctx *ctx, void *arg)
{
    (void)arg;
    return tracking_adopt(as_platform(ctx));
}

static Err push_event(struct ctx *ctx, void *arg)
{
    return event_push(ctx, arg);
}

static Err drain_events(struct ctx *ctx, void *arg)
{
    return tracking_drain(as_platform(ctx), TRACKING_EVENTS, W1, arg);
}

static uint64_t drained(struct db_fixture *f)
{
    uint64_t taken = 0;
    assert_int_equal(act(f, AS_NONE, drain, &taken), OK);
    return taken;
}

static void an_accepted_view_is_stored_as_it_was(void **state)
{
    struct db_fixture *f = *state;
    struct pageview view = view_of(SITE_A);
    view.page_path = STR("/tab\there\\n \xe2\x82\xac\r\n");
    view.page_title = STR("\\N");
    view.referrer = STR("\\.");
    view.utm_term = STR("");
    assert_int_equal(act(f, AS_A, push, &view), OK);
    assert_int_equal(drained(f), 1);
    assert_int_equal(
        ask("select count(*) from pageviews where page_path = E'/tab\\there\\\\n €\\r\\n' "
            "and page_title = '\\N' and referrer = '\\.' and utm_term = '' "
            "and session_id is null and is_bot and bot_name = 'bot' "
            "and site_id = 'aaaaaaaa-0000-7000-8000-00000000000a'"),
        1);
    assert_int_equal(drained(f), 0);
    assert_int_equal(ask("select count(*) from spark.load_pageviews"), 0);
}

static void a_view_that_comes_twice_is_stored_once(void **state)
{
    struct db_fixture *f = *state;
    struct pageview view = view_of(SITE_A);
    for (int i = 0; i < 3; i++)
        assert_int_equal(act(f, AS_A, push, &view), OK);
    assert_int_equal(drained(f), 3);
    assert_int_equal(act(f, AS_A, push, &view), OK);
    assert_int_equal(drained(f), 1);
    assert_int_equal(ask("select count(*) from pageviews"), 1);
}

static void views_of_a_site_that_is_gone_are_dropped_alone(void **state)
{
    struct db_fixture *f = *state;
    struct pageview views[] = {view_of(SITE_A), view_of(SITE_GONE), view_of(SITE_B)};
    for (int i = 0; i < 3; i++)
        assert_int_equal(act(f, AS_A, push, &views[i]), OK);
    assert_int_equal(drained(f), 3);
    assert_int_equal(ask("select count(*) from pageviews"), 2);
    assert_int_equal(drained(f), 0);
}

static void a_line_that_postgresql_refuses_is_dropped_alone(void **state)
{
    struct db_fixture *f = *state;
    static const Str BAD[] = {STR_INIT("nonsense\n"), STR_INIT("\xff\n"), STR_INIT("\n")};
    for (int i = 0; i < 20; i++) {
        struct pageview view = view_of(i % 2 == 0 ? SITE_A : SITE_B);
        assert_int_equal(act(f, AS_A, push, &view), OK);
        if (i < 3)
            REDIS_ANSWER(f, STR("RPUSH"), STR(KEY_TRACKING_PAGEVIEWS), BAD[i]);
    }
    struct pageview long_one = view_of(SITE_A);
    char path[600];
    memset(path, 'p', sizeof(path));
    long_one.page_path = str_of(path, sizeof(path));
    assert_int_equal(act(f, AS_A, push, &long_one), OK);
    assert_int_equal(drained(f), 24);
    assert_int_equal(ask("select count(*) from pageviews"), 20);
    assert_int_equal(drained(f), 0);
}

static void a_list_whose_taker_is_gone_is_adopted(void **state)
{
    struct db_fixture *f = *state;
    for (int i = 0; i < 5; i++) {
        struct pageview view = view_of(SITE_A);
        assert_int_equal(act(f, AS_A, push, &view), OK);
    }
    REDIS_ANSWER(f, STR("RENAME"), STR(KEY_TRACKING_PAGEVIEWS), STR("{t}:taken:worker:2"));
    REDIS_ANSWER(f, STR("SADD"), STR(KEY_TRACKING_TAKERS), STR("worker:2"));
    tell("insert into spark.workers (id, host, pid, version, lease_until) values "
         "('worker:2', 'h', 1, '0', now())");
    assert_int_equal(act(f, AS_NONE, adopt, NULL), OK);
    assert_int_equal(ask("select count(*) from pageviews"), 0); /* it may only be slow */
    tell("delete from spark.workers");
    assert_int_equal(act(f, AS_NONE, adopt, NULL), OK);
    assert_int_equal(ask("select count(*) from pageviews"), 5);
    assert_int_equal(REDIS_ANSWER(f, STR("EXISTS"), STR("{t}:taken:worker:2")), 0);
    assert_int_equal(REDIS_ANSWER(f, STR("SCARD"), STR(KEY_TRACKING_TAKERS)), 0);
}

static void what_could_not_be_stored_is_stored_later_before_anything_new(void **state)
{
    struct db_fixture *f = *state;
    struct pageview first = view_of(SITE_A), second = view_of(SITE_A);
    assert_int_equal(act(f, AS_A, push, &first), OK);
    tell("alter table spark.load_pageviews rename to load_away");
    uint64_t taken;
    assert_int_equal(act(f, AS_NONE, drain, &taken), ERR_DATABASE);
    assert_int_equal(act(f, AS_A, push, &second), OK);
    assert_int_equal(act(f, AS_NONE, drain, &taken), ERR_DATABASE);
    assert_int_equal(REDIS_ANSWER(f, STR("LLEN"), STR(KEY_TRACKING_PAGEVIEWS)), 1);
    tell("alter table spark.load_away rename to load_pageviews");
    assert_int_equal(drained(f), 1);
    assert_int_equal(drained(f), 1);
    assert_int_equal(ask("select count(*) from pageviews"), 2);
}

static void a_drain_takes_no_more_than_its_share(void **state)
{
    struct db_fixture *f = *state;
    Str *words = arena_array(f->arena, Str, 1002);
    words[0] = STR("RPUSH");
    words[1] = STR(KEY_TRACKING_PAGEVIEWS);
    for (int push_count = 0; push_count < 11; push_count++) {
        for (int i = 0; i < 1000; i++) {
            struct pageview view = view_of(SITE_B);
            struct buf *line = buf_in_arena(f->arena, 4096);
            pageview_line(line, &view);
            words[2 + i] = buf_str(line);
        }
        redis_answer(f, words, 1002);
    }
    assert_int_equal(drained(f), TRACKING_DRAIN_MAX);
    assert_int_equal(drained(f), 1000);
    assert_int_equal(ask("select count(*) from pageviews"), 11000);
}

static struct event event_of(Uuid site)
{
    return (struct event){.id = uuid_make(),
                          .site = site,
                          .wall_us = clock_wall_us(),
                          .event_name = STR("x\ty"),
                          .metadata = STR("{\"a\": \"b\\nc\"}")};
}

static void an_event_is_stored_once_and_in_its_own_table(void **state)
{
    struct db_fixture *f = *state;
    tell("delete from events");
    struct event events[] = {event_of(SITE_A), event_of(SITE_GONE), event_of(SITE_B)};
    for (int i = 0; i < 6; i++)
        assert_int_equal(act(f, AS_A, push_event, &events[i % 3]), OK);
    assert_int_equal(drained(f), 0);
    uint64_t taken = 0;
    assert_int_equal(act(f, AS_NONE, drain_events, &taken), OK);
    assert_int_equal(taken, 6);
    assert_int_equal(ask("select count(*) from events"), 2);
    assert_int_equal(ask("select count(*) from events where event_name = E'x\\ty' "
                         "and metadata ->> 'a' = E'b\\nc' and event_label is null"),
                     2);
    assert_int_equal(ask("select count(*) from spark.load_events"), 0);
}

static void events_of_a_taker_that_is_gone_are_adopted_with_its_views(void **state)
{
    struct db_fixture *f = *state;
    tell("delete from events");
    struct event event = event_of(SITE_A);
    struct pageview view = view_of(SITE_A);
    assert_int_equal(act(f, AS_A, push_event, &event), OK);
    assert_int_equal(act(f, AS_A, push, &view), OK);
    REDIS_ANSWER(f, STR("RENAME"), STR(KEY_TRACKING_EVENTS), STR("{t}:taken-events:worker:3"));
    REDIS_ANSWER(f, STR("RENAME"), STR(KEY_TRACKING_PAGEVIEWS), STR("{t}:taken:worker:3"));
    REDIS_ANSWER(f, STR("SADD"), STR(KEY_TRACKING_TAKERS), STR("worker:3"));
    assert_int_equal(act(f, AS_NONE, adopt, NULL), OK);
    assert_int_equal(ask("select count(*) from events"), 1);
    assert_int_equal(ask("select count(*) from pageviews"), 1);
    assert_int_equal(REDIS_ANSWER(f, STR("SCARD"), STR(KEY_TRACKING_TAKERS)), 0);
}

/* One of many requests at once; what becomes of each is kept. */
struct direct_line {
    Str line;
    Err result;
};

static int direct_setup(void **state)
{
    int failed = tracking_setup(state);
    struct db_fixture *f = *state;
    if (failed == 0)
        f->settings.tracking_buffer = 100;
    return failed;
}

#define direct_test(name) cmocka_unit_test_setup_teardown(name, direct_setup, jobs_teardown)

static Err store_direct(struct ctx *ctx, void *arg)
{
    struct direct_line *line = arg;
    line->result = tracking_store_direct(ctx, TRACKING_PAGEVIEWS, line->line);
    return OK;
}

enum { DIRECT_LINES = 40, BAD_ONE = 17 };

static Err store_many(struct ctx *ctx, void *arg)
{
    struct direct_line *lines = arg;
    struct group group;
    group_init(&group, ctx);
    for (int i = 0; i < DIRECT_LINES; i++)
        group_spawn(&group, ctx, "visitor", store_direct, &lines[i]);
    return group_join(ctx, &group);
}

static Str line_made(struct arena *arena, const struct pageview *view)
{
    struct buf *line = buf_in_arena(arena, 4096);
    pageview_line(line, view);
    return buf_str(line);
}

static void lines_without_redis_are_stored_and_a_bad_one_is_told_to_its_own_request(void **state)
{
    struct db_fixture *f = *state;
    struct arena *arena = arena_create();
    struct direct_line lines[DIRECT_LINES];
    for (int i = 0; i < DIRECT_LINES; i++) {
        struct pageview view = view_of(i % 2 == 0 ? SITE_A : SITE_B);
        lines[i] = (struct direct_line){.line = line_made(arena, &view), .result = ERR_INTERNAL};
    }
    lines[3].line = lines[2].line; /* one that goes twice */
    lines[BAD_ONE].line = STR("nonsense\n");
    assert_int_equal(act(f, AS_A, store_many, lines), OK);
    for (int i = 0; i < DIRECT_LINES; i++)
        assert_int_equal(lines[i].result, i == BAD_ONE ? ERR_INVALID_PAYLOAD : OK);
    assert_int_equal(ask("select count(*) from pageviews"), DIRECT_LINES - 2);
    assert_int_equal(ask("select count(*) from spark.load_pageviews"), 0);
    arena_destroy(arena);
}

static void a_view_that_went_both_ways_is_stored_once(void **state)
{
    struct db_fixture *f = *state;
    struct arena *arena = arena_create();
    struct pageview view = view_of(SITE_A);
    struct direct_line line = {.line = line_made(arena, &view), .result = ERR_INTERNAL};
    assert_int_equal(act(f, AS_A, push, &view), OK);
    assert_int_equal(act(f, AS_A, store_direct, &line), OK);
    assert_int_equal(line.result, OK);
    assert_int_equal(drained(f), 1);
    assert_int_equal(ask("select count(*) from pageviews"), 1);
    arena_destroy(arena);
}

static void full_list_is_passed_over_for_a_moment(void **state)
{
    struct db_fixture *f = *state;
    struct pageview view = view_of(SITE_A);
    assert_false(tracking_is_direct(&f->reactor));
    tracking_go_direct(&f->reactor);
    assert_true(tracking_is_direct(&f->reactor));
    assert_int_equal(act(f, AS_A, push, &view), OK);
    assert_int_equal(ask("select count(*) from pageviews"), 1);
    assert_int_equal(drained(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tracking_test(an_accepted_view_is_stored_as_it_was),
        tracking_test(a_view_that_comes_twice_is_stored_once),
        tracking_test(views_of_a_site_that_is_gone_are_dropped_alone),
        tracking_test(a_line_that_postgresql_refuses_is_dropped_alone),
        tracking_test(a_list_whose_taker_is_gone_is_adopted),
        tracking_test(what_could_not_be_stored_is_stored_later_before_anything_new),
        tracking_test(a_drain_takes_no_more_than_its_share),
        tracking_test(an_event_is_stored_once_and_in_its_own_table),
        tracking_test(events_of_a_taker_that_is_gone_are_adopted_with_its_views),
        direct_test(lines_without_redis_are_stored_and_a_bad_one_is_told_to_its_own_request),
        direct_test(a_view_that_went_both_ways_is_stored_once),
        direct_test(full_list_is_passed_over_for_a_moment),
    };
    return cmocka_run_group_tests(tests, tracking_database_setup, jobs_database_teardown);
}
