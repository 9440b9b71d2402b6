/*
 * Modules against a real database: a count is part of its article's transaction, and of its site.
 */
#include "../pack_test.h"
#include "factory/articles/generate.h"

#define CAMPAIGN "ca000000-0000-7000-8000-000000000001"
#define A_ID "'aaaaaaaa-0000-7000-8000-00000000000a'"
#define B_ID "'bbbbbbbb-0000-7000-8000-00000000000b'"

static const char SITES[] = "insert into sites (id, name, domain) values"
                            " (" A_ID ", 'Site A', 'a.example'),"
                            " (" B_ID ", 'Site B', 'b.example');";

static const char ROWS[] =
    "truncate campaign_masters, content_modules, generated_articles, work_log cascade;"
    "insert into campaign_masters (id, site_id, name, content_recipe, target_word_count) values"
    " ('" CAMPAIGN "', " A_ID ", 'C', '[\"intro\", \"end\", \"intro\"]', 0);"
    "insert into content_modules (id, site_id, module_type, content_spintax)"
    " select ('0' || n || '000000-0000-7000-8000-000000000001')::uuid,"
    "        case when n < 5 then " A_ID "::uuid else " B_ID "::uuid end,"
    "        case when n % 2 = 0 then 'intro' else 'end' end, '<p>' || n || ' {x|y|z} {x|y|z}</p>'"
    "   from generate_series(1, 8) n;";

static int modules_database_setup(void **state)
{
    return pack_setup(state, SITES);
}

static int modules_setup(void **state)
{
    must_run(test_admin, ROWS);
    *state = fixture_open(test_settings());
    return 0;
}

static int modules_teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

#define modules_test(name) cmocka_unit_test_setup_teardown(name, modules_setup, modules_teardown)

static Err assemble_body(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct assemble_request request = {.location.city = STR("Madison")};
    assert_true(uuid_parse(STR(CAMPAIGN), &request.campaign));
    struct assembled_article article;
    return article_assemble_now(ctx, &request, &article);
}

static void a_type_that_is_named_twice_takes_two_modules(void **state)
{
    assert_int_equal(act(*state, AS_A, assemble_body, NULL), OK);
    assert_string_equal(must_ask(test_admin, "select string_agg(left(id::text, 2), ' ' order by id)"
                                             "  from content_modules where usage_count = 1"),
                        "01 02 04");
    assert_string_equal(must_ask(test_admin, "select string_agg(left(u.id, 2), ' ' order by n)"
                                             "  from generated_articles, jsonb_array_elements_text"
                                             "  (modules_used) with ordinality u (id, n)"),
                        "02 01 04");
}

static void another_site_has_modules_of_its_own(void **state)
{
    must_run(test_admin, "update campaign_masters set site_id = spark.library_site()");
    assert_int_equal(act(*state, AS_B, assemble_body, NULL), OK);
    assert_int_equal(number("select sum(usage_count) from content_modules where site_id = " B_ID),
                     3);
    assert_int_equal(number("select sum(usage_count) from content_modules where site_id = " A_ID),
                     0);
}

/* Makes an article in a transaction that it then gives up. */
static Err give_up_body(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct article_batch batch = {0};
    struct assembled assembled = {.publish_us = 1, .modified_us = 1, .seed = 7};
    batch.assembled = &assembled;
    Uuid campaign;
    assert_true(uuid_parse(STR(CAMPAIGN), &campaign));
    TRY(article_plan_choose(ctx, campaign, &(struct plan_choice){.is_modules = true}, &batch.plan));
    struct claimed_headline title = {.title = STR("Title"), .text_hash = STR("00")};
    struct article_draft draft;
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(article_make_draft(ctx, &tx, &batch, &title, &draft));
    return fail(ctx, ERR_CANCELLED, "given up");
}

static void what_is_rolled_back_was_not_used(void **state)
{
    assert_int_equal(act(*state, AS_A, give_up_body, NULL), ERR_CANCELLED);
    assert_int_equal(number("select sum(usage_count) from content_modules"), 0);
    assert_int_equal(number("select count(*) from generated_articles"), 0);
}

static void a_text_comes_once_and_the_next_title_gets_its_own_address(void **state)
{
    for (int i = 0; i < 6; i++)
        assert_int_equal(act(*state, AS_A, assemble_body, NULL), OK);
    assert_int_equal(number("select count(distinct generation_hash) from generated_articles"), 6);
    assert_int_equal(number("select count(distinct slug) from generated_articles"), 6);
    assert_int_equal(number("select count(distinct title) from generated_articles"), 1);
    /* Attempts that met a taken address count for nothing. */
    assert_int_equal(number("select sum(usage_count) from content_modules"), 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        modules_test(a_type_that_is_named_twice_takes_two_modules),
        modules_test(another_site_has_modules_of_its_own),
        modules_test(what_is_rolled_back_was_not_used),
        modules_test(a_text_comes_once_and_the_next_title_gets_its_own_address),
    };
    return cmocka_run_group_tests(tests, modules_database_setup, database_teardown);
}
