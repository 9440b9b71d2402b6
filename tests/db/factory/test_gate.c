/*
 * Publication at a date against a real database: what the job leaves behind when it is cancelled at
 * any of its waits, one of two, or another site's; and that the gate says the same to who asks
 * beforehand as to who does not.
 */
#include "../pack_test.h"
#include "factory/review/review.h"

#define CAMPAIGN "ca000000-0000-7000-8000-000000000001"
#define QUEUE "90000000-0000-7000-8000-000000000001"
#define A "aaaaaaaa-0000-7000-8000-00000000000a"

enum { SLOTS = 5, RAMP = 4 };

static const char SITES[] = "insert into sites (id, name, domain) values"
                            " ('" A "', 'Site A', 'a.example'),"
                            " ('bbbbbbbb-0000-7000-8000-00000000000b', 'Site B', 'b.example');"
                            "update sites set publish_ramp_start = 4;";

static const char EMPTY[] =
    "truncate campaign_masters, generated_articles, posts, spark.jobs, spark.publish_days cascade;"
    "delete from work_log;";

static const char ROWS[] =
    "insert into campaign_masters (id, site_id, name, target_word_count) values"
    " ('" CAMPAIGN "', '" A "', 'C', 0);"
    "insert into production_queue (id, site_id, campaign_id, status, total_requested) values"
    " ('" QUEUE "', '" A "', '" CAMPAIGN "', 'done', 5);"
    "insert into generated_articles (site_id, campaign_id, title, slug, status, content)"
    " select '" A "', '" CAMPAIGN
    "', 'T', 'a-' || n, 'qc', '<p>x</p>' from generate_series(1, 5) n;"
    "update generated_articles set status = 'approved';"
    "insert into queue_items (site_id, queue_id, position, status, publish_date, article_id)"
    " select '" A "', '" QUEUE "', row_number() over (order by slug), 'done',"
    "        now() - interval '1 hour', id from generated_articles;";

static int gate_setup(void **state)
{
    return pack_setup(state, SITES);
}

static int rows_setup(void **state)
{
    must_run(test_admin, EMPTY);
    must_run(test_admin, ROWS);
    *state = fixture_open(test_settings());
    return 0;
}

static int rows_teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

#define gate_test(name) cmocka_unit_test_setup_teardown(name, rows_setup, rows_teardown)

static int64_t claimed_job(void)
{
    return number("insert into spark.jobs (site_id, kind, state, attempt, worker, payload)"
                  " values ('" A "', 'publish-due', 'running', 1, 'w', '{}') returning id");
}

static Err run_body(struct ctx *ctx, void *arg)
{
    struct job job = {
        .id = *(const int64_t *)arg,
        .attempt = 1,
        .kind = JOB_PUBLISH_DUE.name,
        .scope = ctx->scope,
        .worker = STR("w"),
    };
    return publish_due(ctx, &job);
}

/* Whatever happened: posts, articles, slots, the day's count and the log agree. */
static void expect_whole(int64_t published)
{
    assert_int_equal(number("select count(*) from posts where status = 'published'"), published);
    assert_int_equal(number("select count(*) from generated_articles a join posts p on "
                            "p.source_article_id = a.id and a.published_to_post = p.id "
                            "where a.is_published and a.status = 'published'"),
                     published);
    assert_int_equal(number("select count(*) from queue_items i join generated_articles a on "
                            "a.id = i.article_id and a.is_published where "
                            "i.published_at is not null and i.refused is null"),
                     published);
    assert_int_equal(number("select count(published_at) from queue_items"), published);
    assert_int_equal(number("select coalesce(sum(published), 0) from spark.publish_days"),
                     published);
    assert_int_equal(number("select count(*) from work_log where action = 'published'"), published);
}

static void what_is_due_goes_out_and_the_ramp_holds_the_rest(void **state)
{
    int64_t job = claimed_job();
    assert_int_equal(act(*state, AS_A, run_body, &job), OK);
    expect_whole(RAMP);
    assert_int_equal(number("select count(*) from queue_items where refused = '[\"publish_ramp\"]' "
                            "and publish_after > now()"),
                     SLOTS - RAMP);
    assert_string_equal(must_ask(test_admin, "select state || ' ' || result from spark.jobs"),
                        "done {\"held\": 0, \"published\": 4}");
}

static void another_site_publishes_nothing_of_it(void **state)
{
    int64_t job = claimed_job();
    (void)act(*state, AS_B, run_body, &job);
    expect_whole(0);
}

static void two_jobs_at_once_share_no_slot(void **state)
{
    int64_t first = claimed_job();
    int64_t second = claimed_job();
    struct actor_fiber *a = actor_start(*state, AS_A, run_body, &first);
    struct actor_fiber *b = actor_start(*state, AS_A, run_body, &second);
    turn_until_done(*state);
    assert_int_equal(a->result, OK);
    assert_int_equal(b->result, OK);
    expect_whole(RAMP);
}

/* Whoever publishes by hand holds the article and then asks for its slot, which the job holds: the
 * job must not wait for the article, or the two wait for each other. */
static void an_article_that_somebody_holds_is_left_for_the_next_look(void **state)
{
    int64_t first = claimed_job();
    int64_t second = claimed_job();
    must_run(test_admin, "begin; select from generated_articles for update");
    assert_int_equal(act(*state, AS_A, run_body, &first), OK);
    must_run(test_admin, "commit");
    expect_whole(0);
    assert_int_equal(number("select count(*) from queue_items where refused is not null"), 0);
    assert_int_equal(act(*state, AS_A, run_body, &second), OK);
    expect_whole(RAMP);
}

/* Cancelled at the n-th turn of the loop, for every n until it is too late; then the next job does
 * what is left. */
static void a_cancelled_job_has_done_each_article_wholly_or_not(void **state)
{
    bool was_late = false;
    for (int turns = 0; !was_late; turns++) {
        must_run(test_admin, EMPTY);
        must_run(test_admin, ROWS);
        struct db_fixture *f = *state;
        int64_t job = claimed_job();
        struct actor_fiber *actor = actor_start(f, AS_A, run_body, &job);
        for (int i = 0; i < turns && !actor->has_ended; i++)
            loop_turn(f->loop, 1000);
        was_late = actor->has_ended;
        if (!was_late)
            fiber_cancel(actor->fiber);
        turn_until_done(f);
        settle(f);
        expect_whole(number("select count(*) from posts"));
        int64_t next = claimed_job();
        assert_int_equal(act(f, AS_A, run_body, &next), OK);
        expect_whole(RAMP);
        assert_true(turns < 1000);
    }
}

static Err publish_body(struct ctx *ctx, void *arg)
{
    Uuid *id = arg;
    struct published_post post;
    return article_publish(ctx, *id, false, &post);
}

static void who_asks_hears_what_who_does_not_ask_is_told(void **state)
{
    must_run(test_admin, "update generated_articles set status = 'qc' where slug = 'a-1'");
    Uuid id;
    assert_true(uuid_parse(
        str_from_z(must_ask(test_admin, "select id from generated_articles where slug = 'a-1'")),
        &id));
    assert_int_equal(act(*state, AS_A, publish_body, &id), ERR_QUALITY_GATE);
    assert_int_equal(act(*state, AS_B, publish_body, &id), ERR_NOT_FOUND);
    PGresult *result =
        PQexec(test_admin, "update generated_articles set status = 'published' where slug = 'a-1'");
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "SPG01");
    assert_string_equal(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME), "[\"not_approved\"]");
    assert_string_equal(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
                        "The quality gate holds this article back: it is not approved.");
    PQclear(result);
    expect_whole(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        gate_test(what_is_due_goes_out_and_the_ramp_holds_the_rest),
        gate_test(another_site_publishes_nothing_of_it),
        gate_test(two_jobs_at_once_share_no_slot),
        gate_test(an_article_that_somebody_holds_is_left_for_the_next_look),
        gate_test(a_cancelled_job_has_done_each_article_wholly_or_not),
        gate_test(who_asks_hears_what_who_does_not_ask_is_told),
    };
    return cmocka_run_group_tests(tests, gate_setup, database_teardown);
}
