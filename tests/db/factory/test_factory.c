/*
 * The factory against a real database: what a generation job leaves behind when it is fenced,
 * cancelled, one of two, or meets what is there already; and what another site sees of it.
 */
#include "../pack_test.h"
#include "factory/articles/generate.h"
#include "factory/blueprint/blueprint.h"
#include "factory/review/review.h"

#define CAMPAIGN "ca000000-0000-7000-8000-000000000001"
#define GENERATION "9e000000-0000-7000-8000-000000000001"

enum { HEADLINES = 12, LIMIT = 5 };

static const char SITES[] = "insert into sites (id, name, domain) values"
                            " ('aaaaaaaa-0000-7000-8000-00000000000a', 'Site A', 'a.example'),"
                            " ('bbbbbbbb-0000-7000-8000-00000000000b', 'Site B', 'b.example');";

static const char EMPTY[] =
    "truncate campaign_masters, article_templates, spark.jobs, work_log cascade;"
    "delete from spintax_dictionaries;";

static const char ROWS[] =
    "insert into article_templates (id, site_id, name, structure_json) values"
    " ('7e000000-0000-7000-8000-000000000001', 'aaaaaaaa-0000-7000-8000-00000000000a', 'T',"
    "  '[\"intro\", \"end\"]');"
    "insert into campaign_masters (id, site_id, name, headline_spintax_root, target_word_count,"
    "                              article_template) values"
    " ('" CAMPAIGN "', 'aaaaaaaa-0000-7000-8000-00000000000a', 'C', '{a|b} {c|d}', 0,"
    "  '7e000000-0000-7000-8000-000000000001');"
    "insert into content_fragments (site_id, campaign_id, fragment_type, content_body)"
    " select 'aaaaaaaa-0000-7000-8000-00000000000a', '" CAMPAIGN
    "', t, '<p>' || t || n || ' {x|y|z}</p>'"
    "   from unnest('{intro,end}'::text[]) t, generate_series(1, 3) n;"
    "insert into headline_inventory (site_id, campaign_id, final_title_text)"
    " select 'aaaaaaaa-0000-7000-8000-00000000000a', '" CAMPAIGN "', 'Headline ' || n"
    "   from generate_series(1, 12) n;"
    "insert into generation_jobs (id, site_id, campaign_id, target_quantity, jobs_total) values"
    " ('" GENERATION "', 'aaaaaaaa-0000-7000-8000-00000000000a', '" CAMPAIGN "', 10, 2);";

static int factory_database_setup(void **state)
{
    return pack_setup(state, SITES);
}

static int factory_setup(void **state)
{
    must_run(test_admin, EMPTY);
    must_run(test_admin, ROWS);
    *state = fixture_open(test_settings());
    return 0;
}

static int factory_teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

#define factory_test(name) cmocka_unit_test_setup_teardown(name, factory_setup, factory_teardown)

/* A row that a worker has claimed once. */
static int64_t claimed_job(void)
{
    return number("insert into spark.jobs (site_id, kind, state, attempt, worker, payload)"
                  " values ('aaaaaaaa-0000-7000-8000-00000000000a', 'generate-articles', 'running',"
                  " 1, 'w', '{}') returning id");
}

struct run {
    int64_t id;
    int32_t attempt;
    int limit;
};

static Err run_body(struct ctx *ctx, void *arg)
{
    const struct run *run = arg;
    struct job job = {
        .id = run->id,
        .attempt = run->attempt,
        .kind = JOB_GENERATE_ARTICLES.name,
        .scope = ctx->scope,
        .worker = STR("w"),
    };
    Str payload = str_printf(
        ctx->arena, "{\"job_id\":\"" GENERATION "\",\"campaign_id\":\"" CAMPAIGN "\",\"limit\":%d}",
        run->limit);
    TRY(json_parse(ctx, payload, JSON_LIMITS_DEFAULT, &job.payload));
    return generation_run(ctx, &job);
}

static int64_t articles(void)
{
    return number("select count(*) from generated_articles");
}

static int64_t used_headlines(void)
{
    return number("select count(*) from headline_inventory h where status = 'used' and exists "
                  "(select from generated_articles a where a.id = h.used_on_article and "
                  " a.headline_id = h.id)");
}

/* Whatever happened: articles, used headlines, the batch's counter and ended jobs agree. */
static void expect_whole(int64_t made, int64_t done)
{
    assert_int_equal(articles(), made);
    assert_int_equal(used_headlines(), made);
    assert_int_equal(number("select count(*) from headline_inventory where status = 'available'"),
                     HEADLINES - made);
    assert_int_equal(number("select current_offset from generation_jobs"), made);
    assert_int_equal(number("select jobs_done from generation_jobs"), done);
    assert_int_equal(number("select count(*) from spark.jobs where state = 'done'"), done);
    assert_int_equal(number("select count(*) from work_log where action = 'generated'"), done);
}

static void a_job_stores_its_articles_with_its_end(void **state)
{
    struct run run = {claimed_job(), 1, LIMIT};
    assert_int_equal(act(*state, AS_A, run_body, &run), OK);
    expect_whole(LIMIT, 1);
    assert_string_equal(must_ask(test_admin, "select status from generation_jobs"), "processing");
    assert_int_equal(number("select count(distinct slug) from generated_articles"
                            " where status = 'qc' and generation_hash is not null"),
                     LIMIT);
    run.id = claimed_job();
    assert_int_equal(act(*state, AS_A, run_body, &run), OK);
    expect_whole(2 * LIMIT, 2);
    assert_string_equal(must_ask(test_admin, "select status from generation_jobs"), "completed");
    assert_int_equal(number("select progress from generation_jobs"), 100);
}

static void a_fenced_job_leaves_nothing(void **state)
{
    struct run run = {claimed_job(), 1, LIMIT};
    must_run(test_admin, "update spark.jobs set attempt = 2");
    assert_int_equal(act(*state, AS_A, run_body, &run), ERR_FENCED);
    expect_whole(0, 0);
}

static void a_job_that_has_ended_is_not_done_again(void **state)
{
    struct run run = {claimed_job(), 1, LIMIT};
    assert_int_equal(act(*state, AS_A, run_body, &run), OK);
    assert_int_equal(act(*state, AS_A, run_body, &run), ERR_FENCED);
    expect_whole(LIMIT, 1);
}

/* Cancelled at the n-th turn of the loop, for every n until it is too late. */
static void a_cancelled_job_has_done_all_or_nothing(void **state)
{
    bool was_late = false;
    for (int turns = 0; !was_late; turns++) {
        must_run(test_admin, EMPTY);
        must_run(test_admin, ROWS);
        struct db_fixture *f = *state;
        struct run run = {claimed_job(), 1, LIMIT};
        struct actor_fiber *actor = actor_start(f, AS_A, run_body, &run);
        for (int i = 0; i < turns && !actor->has_ended; i++)
            loop_turn(f->loop, 1000);
        was_late = actor->has_ended;
        if (!was_late)
            fiber_cancel(actor->fiber);
        turn_until_done(f);
        settle(f);
        /* A commit whose answer was not waited for may have happened all the same. */
        int64_t made = number("select count(*) from generated_articles");
        assert_true(made == 0 || made == LIMIT);
        assert_true(actor->result == OK ? made == LIMIT : actor->result == ERR_CANCELLED);
        expect_whole(made, made / LIMIT);
        assert_true(turns < 1000);
    }
}

static void two_jobs_at_once_share_no_headline(void **state)
{
    struct run first = {claimed_job(), 1, LIMIT};
    struct run second = {claimed_job(), 1, LIMIT};
    struct actor_fiber *a = actor_start(*state, AS_A, run_body, &first);
    struct actor_fiber *b = actor_start(*state, AS_A, run_body, &second);
    turn_until_done(*state);
    assert_int_equal(a->result, OK);
    assert_int_equal(b->result, OK);
    expect_whole(2 * LIMIT, 2);
    assert_int_equal(number("select count(distinct headline_id) from generated_articles"),
                     2 * LIMIT);
}

/* Somebody set a used headline free again: it is put aside, and others take its place. */
static void a_headline_with_an_article_does_not_come_twice(void **state)
{
    struct run run = {claimed_job(), 1, LIMIT};
    assert_int_equal(act(*state, AS_A, run_body, &run), OK);
    must_run(test_admin,
             "update headline_inventory set status = 'available', used_on_article = null");
    run.id = claimed_job();
    assert_int_equal(act(*state, AS_A, run_body, &run), OK);
    assert_int_equal(articles(), 2 * LIMIT);
    assert_int_equal(used_headlines(), 2 * LIMIT);
}

static void equal_titles_are_numbered(void **state)
{
    must_run(
        test_admin,
        "delete from headline_inventory; insert into headline_inventory (site_id, "
        "campaign_id, final_title_text) select 'aaaaaaaa-0000-7000-8000-00000000000a', '" CAMPAIGN
        "', 'Same' || repeat('!', n) from generate_series(1, 12) n");
    struct run run = {claimed_job(), 1, LIMIT};
    assert_int_equal(act(*state, AS_A, run_body, &run), OK);
    expect_whole(LIMIT, 1);
    assert_string_equal(
        must_ask(test_admin, "select string_agg(slug, ' ' order by slug) from generated_articles"),
        "same same-2 same-3 same-4 same-5");
}

static void another_site_finds_no_campaign(void **state)
{
    struct run run = {claimed_job(), 1, LIMIT};
    assert_int_equal(act(*state, AS_B, run_body, &run), ERR_NOT_FOUND);
    expect_whole(0, 0);
}

static Err approve_body(struct ctx *ctx, void *arg)
{
    struct approval *approval = arg;
    Uuid id;
    if (!uuid_parse(str_from_z(must_ask(test_admin, "select id from generated_articles limit 1")),
                    &id))
        return ERR_INTERNAL;
    return articles_approve(ctx, &(struct approval_terms){.reason = STR_NONE}, &id, 1, approval);
}

static void another_site_cannot_approve(void **state)
{
    struct run run = {claimed_job(), 1, 1};
    assert_int_equal(act(*state, AS_A, run_body, &run), OK);
    struct approval approval;
    assert_int_equal(act(*state, AS_B, approve_body, &approval), OK);
    assert_false(approval.is_approved);
    assert_true(approval.status.data == NULL);
    assert_int_equal(act(*state, AS_A, approve_body, &approval), OK);
    assert_true(approval.is_approved);
}

/* Dead for good, whether it gave up or was given up: the batch hears of it, and of a retry. */
static void the_batch_hears_of_dead_jobs(void **state)
{
    (void)state;
    must_run(test_admin, "insert into spark.jobs (site_id, kind, state, payload) select "
                         "'aaaaaaaa-0000-7000-8000-00000000000a', 'generate-articles', 'running', "
                         "'{\"job_id\":\"" GENERATION "\"}' from generate_series(1, 2)");
    must_run(test_admin, "update spark.jobs set state = 'dead', failures = failures + 1, "
                         "error = 'why' where id = (select min(id) from spark.jobs)");
    assert_string_equal(
        must_ask(test_admin, "select concat_ws(' ', status, jobs_failed) from generation_jobs"),
        "processing 1");
    must_run(test_admin, "update spark.jobs set state = 'dead', crashes = crashes + 1, "
                         "error = 'it died' where state <> 'dead'");
    assert_string_equal(
        must_ask(test_admin,
                 "select concat_ws(' ', status, jobs_failed, error) from generation_jobs"),
        "failed 2 it died");
    must_run(test_admin, "update spark.jobs set state = 'queued', failures = 0, crashes = 0");
    assert_string_equal(
        must_ask(test_admin, "select concat_ws(' ', status, jobs_failed) from generation_jobs"),
        "processing 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        factory_test(a_job_stores_its_articles_with_its_end),
        factory_test(a_fenced_job_leaves_nothing),
        factory_test(a_job_that_has_ended_is_not_done_again),
        factory_test(a_cancelled_job_has_done_all_or_nothing),
        factory_test(two_jobs_at_once_share_no_headline),
        factory_test(a_headline_with_an_article_does_not_come_twice),
        factory_test(equal_titles_are_numbered),
        factory_test(another_site_finds_no_campaign),
        factory_test(another_site_cannot_approve),
        factory_test(the_batch_hears_of_dead_jobs),
    };
    return cmocka_run_group_tests(tests, factory_database_setup, database_teardown);
}
