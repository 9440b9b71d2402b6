/*
 * A production queue's job against a real database: what it leaves behind when it is fenced,
 * cancelled at any of its waits, one of two, or finds its queue stopped; and what another site
 * sees.
 */
#include "../pack_test.h"
#include "factory/production/production.h"

#define CAMPAIGN "ca000000-0000-7000-8000-000000000001"
#define QUEUE "90000000-0000-7000-8000-000000000001"
#define A "aaaaaaaa-0000-7000-8000-00000000000a"

enum { SLOTS = 12, GIVEN = 5 };

static const char SITES[] = "insert into sites (id, name, domain) values"
                            " ('" A "', 'Site A', 'a.example'),"
                            " ('bbbbbbbb-0000-7000-8000-00000000000b', 'Site B', 'b.example');";

static const char EMPTY[] = "truncate campaign_masters, article_templates, spark.jobs cascade;"
                            "delete from work_log;";

static const char ROWS[] =
    "insert into article_templates (id, site_id, name, structure_json) values"
    " ('7e000000-0000-7000-8000-000000000001', '" A "', 'T', '[\"intro\", \"end\"]');"
    "insert into campaign_masters (id, site_id, name, headline_spintax_root, target_word_count,"
    "                              article_template) values"
    " ('" CAMPAIGN "', '" A "', 'C', '{a|b}', 0, '7e000000-0000-7000-8000-000000000001');"
    "insert into content_fragments (site_id, campaign_id, fragment_type, content_body)"
    " select '" A "', '" CAMPAIGN "', t, '<p>' || t || n || ' {x|y|z}</p>'"
    "   from unnest('{intro,end}'::text[]) t, generate_series(1, 3) n;"
    "insert into headline_inventory (site_id, campaign_id, final_title_text)"
    " select '" A "', '" CAMPAIGN "', 'Headline ' || n from generate_series(1, 20) n;"
    "insert into production_queue (id, site_id, campaign_id, status, total_requested) values"
    " ('" QUEUE "', '" A "', '" CAMPAIGN "', 'running', 12);"
    "insert into queue_items (site_id, queue_id, position, publish_date)"
    " select '" A "', '" QUEUE "', n, now() + n * interval '1 day' from generate_series(0, 11) n;";

static int production_setup(void **state)
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

#define production_test(name) cmocka_unit_test_setup_teardown(name, rows_setup, rows_teardown)

/* A job that a worker has claimed once, with the next GIVEN slots. */
static int64_t claimed_job(void)
{
    int64_t id = number("insert into spark.jobs (site_id, kind, state, attempt, worker, payload)"
                        " values ('" A "', 'process-queue', 'running', 1, 'w', '{}') returning id");
    char sql[512];
    snprintf(sql, sizeof(sql),
             "update queue_items set status = 'claimed', claimed_by = %jd where id in (select id "
             "from queue_items where status = 'pending' order by position limit %d)",
             (intmax_t)id, GIVEN);
    must_run(test_admin, sql);
    return id;
}

static Err run_body(struct ctx *ctx, void *arg)
{
    struct job job = {
        .id = *(const int64_t *)arg,
        .attempt = 1,
        .kind = JOB_PROCESS_QUEUE.name,
        .scope = ctx->scope,
        .worker = STR("w"),
    };
    TRY(json_parse(ctx, STR("{\"queue_id\":\"" QUEUE "\"}"), JSON_LIMITS_DEFAULT, &job.payload));
    return production_run(ctx, &job);
}

/* Whatever happened: slots, articles, headlines, the queue's count and ended jobs agree. */
static void expect_whole(int64_t made, int64_t jobs)
{
    assert_int_equal(number("select count(*) from generated_articles"), made);
    assert_int_equal(number("select count(*) from queue_items i join generated_articles a on "
                            "a.id = i.article_id and a.date_published = i.publish_date "
                            "where i.status = 'done' and i.attempts = 1"),
                     made);
    assert_int_equal(number("select count(distinct article_id) from queue_items"), made);
    assert_int_equal(number("select count(*) from headline_inventory where status = 'used'"), made);
    assert_int_equal(number("select completed_count from production_queue"), made);
    assert_int_equal(number("select count(*) from spark.jobs where state = 'done'"), jobs);
    assert_int_equal(number("select count(*) from work_log where action = 'batch_generated'"),
                     made / GIVEN);
}

static void a_job_fills_its_slots_and_no_others(void **state)
{
    int64_t job = claimed_job();
    assert_int_equal(act(*state, AS_A, run_body, &job), OK);
    expect_whole(GIVEN, 1);
    assert_string_equal(must_ask(test_admin,
                                 "select string_agg(position::text, ' ' order by position)"
                                 " from queue_items where status = 'done'"),
                        "0 1 2 3 4");
    assert_string_equal(must_ask(test_admin, "select status from production_queue"), "running");
}

static void a_fenced_job_leaves_nothing(void **state)
{
    int64_t job = claimed_job();
    must_run(test_admin, "update spark.jobs set attempt = 2");
    assert_int_equal(act(*state, AS_A, run_body, &job), ERR_FENCED);
    expect_whole(0, 0);
    assert_int_equal(number("select count(*) from queue_items where status = 'claimed'"), GIVEN);
}

static void a_job_that_has_ended_is_not_done_again(void **state)
{
    int64_t job = claimed_job();
    assert_int_equal(act(*state, AS_A, run_body, &job), OK);
    assert_int_equal(act(*state, AS_A, run_body, &job), ERR_FENCED);
    expect_whole(GIVEN, 1);
}

static void two_jobs_at_once_share_no_slot_and_the_last_ends_the_queue(void **state)
{
    must_run(test_admin, "delete from queue_items where position >= 10");
    int64_t first = claimed_job();
    int64_t second = claimed_job();
    struct actor_fiber *a = actor_start(*state, AS_A, run_body, &first);
    struct actor_fiber *b = actor_start(*state, AS_A, run_body, &second);
    turn_until_done(*state);
    assert_int_equal(a->result, OK);
    assert_int_equal(b->result, OK);
    expect_whole(2 * GIVEN, 2);
    assert_string_equal(must_ask(test_admin, "select status from production_queue"), "done");
    assert_int_equal(number("select count(*) from production_queue where completed_at is not null"),
                     1);
}

/* Cancelled at the n-th turn of the loop, for every n until it is too late. */
static void a_cancelled_job_has_done_all_or_nothing(void **state)
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
        /* A commit whose answer was not waited for may have happened all the same. */
        int64_t made = number("select count(*) from generated_articles");
        assert_true(made == 0 || made == GIVEN);
        assert_true(actor->result == OK ? made == GIVEN : actor->result == ERR_CANCELLED);
        expect_whole(made, made / GIVEN);
        assert_true(turns < 1000);
    }
}

static void a_stopped_queue_gets_its_slots_back(void **state)
{
    int64_t job = claimed_job();
    must_run(test_admin, "update production_queue set status = 'cancelled'");
    assert_int_equal(act(*state, AS_A, run_body, &job), OK);
    expect_whole(0, 1);
    assert_int_equal(number("select count(*) from queue_items where status = 'pending'"), SLOTS);
}

static void another_site_finds_no_queue(void **state)
{
    int64_t job = claimed_job();
    assert_int_equal(act(*state, AS_B, run_body, &job), ERR_NOT_FOUND);
    expect_whole(0, 0);
}

/* Paused by an editor while the job was at it: what was made counts, and the queue stays paused. */
static void a_pause_in_mid_turn_is_kept(void **state)
{
    struct db_fixture *f = *state;
    int64_t job = claimed_job();
    struct actor_fiber *actor = actor_start(f, AS_A, run_body, &job);
    while (number("select count(*) from pg_locks where relation = 'headline_inventory'::regclass "
                  "and pid <> pg_backend_pid()") == 0 &&
           !actor->has_ended)
        loop_turn(f->loop, 10);
    must_run(test_admin, "update production_queue set status = 'paused'");
    turn_until_done(f);
    assert_int_equal(actor->result, OK);
    expect_whole(GIVEN, 1);
    assert_string_equal(must_ask(test_admin, "select status from production_queue"), "paused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        production_test(a_job_fills_its_slots_and_no_others),
        production_test(a_fenced_job_leaves_nothing),
        production_test(a_job_that_has_ended_is_not_done_again),
        production_test(two_jobs_at_once_share_no_slot_and_the_last_ends_the_queue),
        production_test(a_cancelled_job_has_done_all_or_nothing),
        production_test(a_stopped_queue_gets_its_slots_back),
        production_test(another_site_finds_no_queue),
        production_test(a_pause_in_mid_turn_is_kept),
    };
    return cmocka_run_group_tests(tests, production_setup, database_teardown);
}
