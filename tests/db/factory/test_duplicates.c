/*
 * The duplicate scan as a job, against a real database: its flags come with its end or not at all,
 * and what is remembered of an article goes with its text.
 */
#include "../jobs_test.h"
#include "../pack_test.h"
#include "factory/duplicates/duplicates.h"

#define SITE "'aaaaaaaa-0000-7000-8000-00000000000a'"

enum { ARTICLES = 130, COPIES = 4 };

static const char SITES[] = "insert into sites (id, name, domain) values"
                            " ('aaaaaaaa-0000-7000-8000-00000000000a', 'Site A', 'a.example'),"
                            " ('bbbbbbbb-0000-7000-8000-00000000000b', 'Site B', 'b.example')";

/* A text of its own for each but the last few, which repeat the first ones; the same on site B. */
static const char ROWS[] =
    "delete from generated_articles; delete from campaign_masters; delete from work_log;"
    "insert into campaign_masters (id, site_id, name, niche_variables) values"
    " ('ca000000-0000-7000-8000-000000000001', " SITE ", 'C', '{\"Niche\": \"bikes\"}');"
    "insert into generated_articles (id, site_id, campaign_id, campaign_site_id, title, content)"
    " select format('%s0000000-0000-7000-8000-%s', s.name, lpad(n::text, 12, '0'))::uuid,"
    "        s.id, case when s.name = 'a' then 'ca000000-0000-7000-8000-000000000001'::uuid end,"
    "        case when s.name = 'a' then s.id end, 'T' || n,"
    "        (select '<p>' || string_agg('word' || (n % 126) * 1000 + i, ' ' order by i)"
    "           from generate_series(1, 80) i)"
    "   from (select id, lower(right(name, 1)) as name from sites where name like 'Site %') s,"
    "        generate_series(0, 129) n";

static int scan_database_setup(void **state)
{
    if (jobs_database_setup(state) != 0)
        return 1;
    pack_install();
    tell(SITES);
    return 0;
}

static int scan_setup(void **state)
{
    tell(ROWS);
    return jobs_setup(state);
}

#define scan_test(name) cmocka_unit_test_setup_teardown(name, scan_setup, jobs_teardown)

static int64_t flags(void)
{
    return ask("select count(*) from quality_flags");
}

static int64_t signatures(void)
{
    return ask("select count(*) from spark.article_signatures where site_id = " SITE);
}

static int64_t marked(void)
{
    return ask("select count(*) from spark.article_signatures where scanned_threshold = 0.3");
}

static Err enqueue_scan(struct ctx *ctx, void *arg)
{
    int64_t *ret_job = arg;
    struct duplicate_request request = {.min_shared = 3, .words = SHINGLE_WORDS};
    struct duplicate_report report;
    return duplicates_scan(ctx, &request, &report, ret_job);
}

static struct job *claimed_scan(struct db_fixture *f, struct claim_call *call)
{
    int64_t id = 0;
    assert_int_equal(act(f, AS_A, enqueue_scan, &id), OK);
    assert_true(id != 0);
    assert_int_equal(claim(f, call, W1, 1), 1);
    return &call->claimed[0].job;
}

static Err run_scan(struct ctx *ctx, void *arg)
{
    return duplicates_run(ctx, arg);
}

static void flags_come_with_the_end_of_the_job(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    struct job *job = claimed_scan(f, &call);
    assert_int_equal(act(f, AS_A, run_scan, job), OK);
    assert_true(job->is_finished);
    assert_int_equal(flags(), COPIES);
    assert_int_equal(ask("select count(*) from quality_flags where verdict = 'block' and"
                         " similarity_score = 100 and containment_score = 100 and"
                         " article_a < article_b and site_id = " SITE),
                     COPIES);
    assert_int_equal(signatures(), ARTICLES);
    assert_int_equal(marked(), ARTICLES);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'done' and"
                         " (result ->> 'flags_created')::int = 4"),
                     1);
    assert_int_equal(ask("select count(*) from work_log where action = 'duplicates_scanned'"), 1);
}

static void a_fenced_scan_leaves_no_flag_and_no_mark(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    struct job *job = claimed_scan(f, &call);
    tell("update spark.jobs set attempt = attempt + 1, worker = 'other'");
    assert_int_equal(act(f, AS_A, run_scan, job), ERR_FENCED);
    assert_int_equal(flags(), 0);
    assert_int_equal(marked(), 0);
    assert_int_equal(ask("select count(*) from work_log"), 0);
    /* What a signature is made of has not changed: the next attempt need not read the texts. */
    assert_int_equal(signatures(), ARTICLES);
}

static void a_second_scan_waits_for_the_first_and_then_finds_nothing(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    struct job *job = claimed_scan(f, &call);
    int64_t id = 0;
    assert_int_equal(act(f, AS_A, enqueue_scan, &id), ERR_CONFLICT);
    assert_int_equal(act(f, AS_A, run_scan, job), OK);
    struct claim_call again = {0};
    assert_int_equal(act(f, AS_A, run_scan, claimed_scan(f, &again)), OK);
    assert_int_equal(flags(), COPIES);
    assert_int_equal(ask("select count(*) from spark.jobs where state = 'done' and"
                         " (result ->> 'collisions_found')::int = 0"),
                     1);
}

static void a_new_article_is_compared_with_all_that_were_scanned(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    assert_int_equal(act(f, AS_A, run_scan, claimed_scan(f, &call)), OK);
    tell("insert into generated_articles (id, site_id, campaign_id, campaign_site_id, title, "
         "content)"
         " select 'a9000000-0000-7000-8000-000000000001', site_id, campaign_id, campaign_site_id, "
         "'N',"
         "        content from generated_articles where title = 'T10' and site_id = " SITE);
    struct claim_call again = {0};
    assert_int_equal(act(f, AS_A, run_scan, claimed_scan(f, &again)), OK);
    assert_int_equal(flags(), COPIES + 1);
    assert_int_equal(ask("select count(*) from quality_flags q join generated_articles a"
                         " on a.id = q.article_a and a.title = 'T10'"
                         " join generated_articles b on b.id = q.article_b and b.title = 'N'"),
                     1);
    assert_int_equal(marked(), ARTICLES + 1);
    tell("delete from generated_articles where title = 'N'");
}

static void a_signature_goes_with_its_text_and_its_masks(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    assert_int_equal(act(f, AS_A, run_scan, claimed_scan(f, &call)), OK);
    tell("update generated_articles set status = 'qc' where title = 'T1'");
    assert_int_equal(signatures(), ARTICLES);
    tell("update generated_articles set content = 'x' where title = 'T1'");
    assert_int_equal(signatures(), ARTICLES - 1);
    tell("update generated_articles set location_city = 'Austin' where title = 'T2'");
    assert_int_equal(signatures(), ARTICLES - 2);
    tell("update campaign_masters set name = 'D'");
    assert_int_equal(signatures(), ARTICLES - 2);
    tell("update campaign_masters set niche_variables = '{}'");
    assert_int_equal(signatures(), 0);
}

static void signatures_of_an_older_version_are_made_again(void **state)
{
    struct db_fixture *f = *state;
    tell("insert into spark.article_signatures (site_id, article_id, version, shingles, rows)"
         " select site_id, id, 0, 1, decode(repeat('00', 512), 'hex') from generated_articles"
         " where site_id = " SITE);
    struct claim_call call = {0};
    assert_int_equal(act(f, AS_A, run_scan, claimed_scan(f, &call)), OK);
    assert_int_equal(ask("select count(*) from spark.article_signatures where version = 1"
                         " and shingles = 74"),
                     ARTICLES);
}

static void no_site_sees_the_signatures_of_another(void **state)
{
    struct db_fixture *f = *state;
    struct claim_call call = {0};
    assert_int_equal(act(f, AS_A, run_scan, claimed_scan(f, &call)), OK);
    tell("begin; set local role spark_tenant;"
         " set local spark.scope = ''; set local spark.site = "
         "'bbbbbbbb-0000-7000-8000-00000000000b'");
    int64_t seen = ask("select count(*) from spark.article_signatures");
    int64_t flagged = ask("select count(*) from quality_flags");
    tell("rollback");
    assert_int_equal(seen, 0);
    assert_int_equal(flagged, 0);
    assert_int_equal(ask("select count(*) from quality_flags where site_id <> " SITE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scan_test(flags_come_with_the_end_of_the_job),
        scan_test(a_fenced_scan_leaves_no_flag_and_no_mark),
        scan_test(a_second_scan_waits_for_the_first_and_then_finds_nothing),
        scan_test(a_new_article_is_compared_with_all_that_were_scanned),
        scan_test(a_signature_goes_with_its_text_and_its_masks),
        scan_test(signatures_of_an_older_version_are_made_again),
        scan_test(no_site_sees_the_signatures_of_another),
    };
    return cmocka_run_group_tests(tests, scan_database_setup, jobs_database_teardown);
}
