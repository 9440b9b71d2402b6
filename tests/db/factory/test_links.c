/*
 * Links against a real database: text, records and work log agree, whoever is late or foreign.
 */
#include "../pack_test.h"
#include "base/crypto/crypto.h"
#include "factory/links/links_store.h"
#include "gen/sql.h"
#include "io/fiber/offload.h"
#include "io/redis/redis.h"

#define CAMPAIGN "ca000000-0000-7000-8000-000000000001"
#define ARTICLE "a7000000-0000-7000-8000-000000000001"

static const char SITES[] = "insert into sites (id, name, domain) values"
                            " ('aaaaaaaa-0000-7000-8000-00000000000a', 'Site A', 'a.example'),"
                            " ('bbbbbbbb-0000-7000-8000-00000000000b', 'Site B', 'b.example');";

static const char EMPTY[] =
    "truncate campaign_masters, generated_articles, link_targets, spark.jobs, work_log cascade";

static const char ROWS[] =
    "insert into campaign_masters (id, site_id, name, headline_spintax_root) values"
    " ('" CAMPAIGN "', 'aaaaaaaa-0000-7000-8000-00000000000a', 'C', 'x');"
    "insert into link_targets (site_id, target_url, anchor_text) values"
    " ('aaaaaaaa-0000-7000-8000-00000000000a', '/t', 'word'),"
    " ('bbbbbbbb-0000-7000-8000-00000000000b', '/b', 'word');"
    "insert into generated_articles (id, site_id, campaign_id, campaign_site_id, title, content)"
    " select ('a7000000-0000-7000-8000-00000000000' || n)::uuid,"
    "        'aaaaaaaa-0000-7000-8000-00000000000a', '" CAMPAIGN "',"
    "        'aaaaaaaa-0000-7000-8000-00000000000a', 'T', '<p>a word</p>'"
    "   from generate_series(1, 5) n;";

static int links_database_setup(void **state)
{
    return pack_setup(state, SITES);
}

static int links_setup(void **state)
{
    must_run(test_admin, EMPTY);
    must_run(test_admin, ROWS);
    struct settings settings = test_settings();
    settings.redis_url = str_from_z(getenv("SPARK_TEST_REDIS_URL"));
    struct db_fixture *f = fixture_open(settings);
    f->reactor.redis = redis_new(f->loop, f->settings.redis_url);
    f->reactor.offload = offload_new(2, 8);
    *state = f;
    return 0;
}

static int links_teardown(void **state)
{
    struct db_fixture *f = *state;
    redis_free(f->reactor.redis);
    struct offload *offload = f->reactor.offload;
    fixture_close(f);
    offload_free(offload);
    return 0;
}

#define links_test(name) cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

static void expect_linked(int64_t articles)
{
    assert_int_equal(number("select count(*) from generated_articles"
                            " where content = '<p>a <a href=\"/t\">word</a></p>'"),
                     articles);
    assert_int_equal(number("select count(*) from article_links where anchor = 'word'"), articles);
    assert_int_equal(number("select count(*) from work_log where action = 'links_inserted'"),
                     articles);
}

static Uuid article_id(void)
{
    Uuid id;
    assert_true(uuid_parse(STR(ARTICLE), &id));
    return id;
}

static Err insert_body(struct ctx *ctx, void *arg)
{
    (void)arg;
    const struct link_index *index;
    TRY(links_index_of_site(ctx, &index));
    struct link_order order = {.limits = {5, 50}};
    struct links_stored stored;
    return links_insert_article(ctx, index, article_id(), &order, &stored);
}

static Err remove_body(struct ctx *ctx, void *arg)
{
    uint32_t missing;
    return links_remove_article(ctx, article_id(), (Uuid){0}, arg, &missing);
}

static void text_record_and_log_are_written_together(void **state)
{
    assert_int_equal(act(*state, AS_A, insert_body, NULL), OK);
    expect_linked(1);
    assert_int_equal(act(*state, AS_A, insert_body, NULL), OK);
    expect_linked(1);
    uint32_t removed = 0;
    assert_int_equal(act(*state, AS_A, remove_body, &removed), OK);
    assert_int_equal(removed, 1);
    assert_int_equal(number("select count(*) from article_links"), 0);
    assert_int_equal(number("select count(*) from generated_articles"
                            " where content = '<p>a word</p>'"),
                     5);
}

static void another_site_finds_no_article(void **state)
{
    uint32_t removed = 0;
    assert_int_equal(act(*state, AS_B, insert_body, NULL), ERR_NOT_FOUND);
    assert_int_equal(act(*state, AS_B, remove_body, &removed), ERR_NOT_FOUND);
    expect_linked(0);
}

/* The text was read as "x", says the hash; somebody has written another since. */
static Err late_body(struct ctx *ctx, void *arg)
{
    uint32_t *written = arg;
    struct link_target target = {.id = uuid_make(), .href = STR("/t")};
    struct link_made made = {.target = &target, .anchor = STR("word"), .word = 1};
    struct link_change change = {.article = article_id(),
                                 .links = {.html = STR("new"), .made = &made, .count = 1}};
    link_change_hash(ctx->arena, STR("x"), &change);
    TRY(links_store(ctx, uuid_make(), &change, 1));
    *written = change.is_stored ? 1 : 0;
    Uuid ids[] = {uuid_make()};
    Sha256 hash = sha256(STR("x"));
    struct rows rows;
    TRY(db_query(
        ctx, &SQL_LINKS_TAKE_OUT,
        links_take_out_args(ctx->arena,
                            &(struct links_take_out_args){
                                .site = ctx->scope.site,
                                .article = article_id(),
                                .content = STR("new"),
                                .content_hash = str_of((const char *)hash.bytes, sizeof hash.bytes),
                                .links = {ids, 1},
                                .removed = 1,
                                .audit_user = db_null(),
                                .audit_actor = db_null(),
                                .audit_ip = db_null(),
                            }),
        &rows));
    *written += rows.count;
    return OK;
}

static void a_text_that_changed_meanwhile_is_left_alone(void **state)
{
    uint32_t written = 9;
    assert_int_equal(act(*state, AS_A, late_body, &written), OK);
    assert_int_equal(written, 0);
    expect_linked(0);
    assert_int_equal(number("select count(*) from work_log"), 0);
    assert_int_equal(number("select count(*) from article_links"), 0);
}

static void a_target_that_went_leaves_its_link_and_the_undo(void **state)
{
    assert_int_equal(act(*state, AS_A, insert_body, NULL), OK);
    must_run(test_admin, "delete from link_targets");
    expect_linked(1);
    uint32_t removed = 0;
    assert_int_equal(act(*state, AS_A, remove_body, &removed), OK);
    assert_int_equal(removed, 1);
}

/* The bulk job */

static Err run_body(struct ctx *ctx, void *arg)
{
    const int64_t *id = arg;
    struct job job = {.id = *id,
                      .attempt = 1,
                      .kind = JOB_INSERT_LINKS.name,
                      .scope = ctx->scope,
                      .worker = STR("w")};
    TRY(json_parse(ctx, STR("{\"campaign_id\":\"" CAMPAIGN "\"}"), JSON_LIMITS_DEFAULT,
                   &job.payload));
    return links_run(ctx, &job);
}

static int64_t claimed_job(void)
{
    return number("insert into spark.jobs (site_id, kind, state, attempt, worker, payload)"
                  " values ('aaaaaaaa-0000-7000-8000-00000000000a', 'insert-links', 'running',"
                  " 1, 'w', '{}') returning id");
}

static void a_job_that_begins_again_links_nothing_twice(void **state)
{
    assert_int_equal(act(*state, AS_A, insert_body, NULL), OK);
    int64_t id = claimed_job();
    assert_int_equal(act(*state, AS_A, run_body, &id), OK);
    expect_linked(5);
    assert_int_equal(number("select count(*) from spark.jobs where state = 'done'"), 1);
    assert_int_equal(act(*state, AS_A, run_body, &id), ERR_FENCED);
    expect_linked(5);
}

static void a_job_of_several_pages_links_each_article_once(void **state)
{
    must_run(test_admin, "insert into generated_articles (id, site_id, campaign_id, "
                         "campaign_site_id, title, content)"
                         " select ('a8000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid,"
                         "        'aaaaaaaa-0000-7000-8000-00000000000a', '" CAMPAIGN "',"
                         "        'aaaaaaaa-0000-7000-8000-00000000000a', 'T', '<p>a word</p>'"
                         "   from generate_series(1, 3 * 50) n");
    int64_t id = claimed_job();
    assert_int_equal(act(*state, AS_A, run_body, &id), OK);
    expect_linked(5 + 3 * 50);
    assert_int_equal(number("select count(distinct batch_id) from article_links"), 1);
    assert_int_equal(number("select count(*) from spark.jobs where"
                            " result = '{\"articles\": 155, \"links_inserted\": 155,"
                            " \"skipped\": 0}'"),
                     1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        links_test(text_record_and_log_are_written_together),
        links_test(another_site_finds_no_article),
        links_test(a_text_that_changed_meanwhile_is_left_alone),
        links_test(a_target_that_went_leaves_its_link_and_the_undo),
        links_test(a_job_that_begins_again_links_nothing_twice),
        links_test(a_job_of_several_pages_links_each_article_once),
    };
    return cmocka_run_group_tests(tests, links_database_setup, database_teardown);
}
