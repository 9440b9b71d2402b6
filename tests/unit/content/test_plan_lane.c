/* Patterns and searches take the slow lane; what finds its rows by key or by equality does not. */
#include "support/content_snapshot.h"
#include "support/fixture.h"

static struct plan *compiled(struct ctx *ctx, enum plan_op op, const char *text)
{
    struct schema *schema = snapshot_make();
    arena_defer(ctx->arena, schema_unref, schema);
    struct query query;
    struct plan *plan = NULL;
    ctx_be(ctx, &SNAPSHOT_ADMIN, (Scope){.kind = SCOPE_SITE});
    assert_int_equal(query_parse(ctx, str_from_z(text), &query), OK);
    struct plan_request request = {.op = op, .query = &query};
    request.collection = schema_find(schema, STR("posts"));
    if (plan_compile(ctx, schema, &request, &plan) != OK)
        fail_msg("%s: %.*s", text, STR_FMT(ctx->diag.last->reason));
    arena_defer(ctx->arena, plan_unref, plan);
    return plan;
}

static void expect_lane(struct ctx *ctx, enum plan_op op, const char *text, enum db_lane want)
{
    struct plan *plan = compiled(ctx, op, text);
    if (plan->root->statement.lane != want)
        fail_msg("%s: lane %d, want %d", text, (int)plan->root->statement.lane, (int)want);
}

static void patterns_and_searches_take_the_slow_lane(void **state)
{
    static const char *const QUERIES[] = {
        "search=roof",
        "search=12",
        "filter[title][_contains]=x",
        "filter[title][_icontains]=x",
        "filter[title][_starts_with]=x",
        "filter[title][_nends_with]=x",
        "filter[author][name][_contains]=x",
        "filter[comments][body][_contains]=x",
        "filter={\"_or\":[{\"n\":1},{\"_and\":[{\"title\":{\"_contains\":\"x\"}},{\"n\":2}]}]}",
        ("filter={\"_and\":[{\"id\":{\"_neq\":\"00000000-0000-4000-8000-000000000001\"}},"
         "{\"title\":{\"_contains\":\"x\"}}]}"),
        "aggregate[count]=*&filter[title][_contains]=x",
    };
    for (size_t i = 0; i < sizeof QUERIES / sizeof QUERIES[0]; i++) {
        expect_lane(*state, PLAN_LIST, QUERIES[i], DB_SLOW);
        expect_lane(*state, PLAN_ONLY_KEYS, QUERIES[i], DB_SLOW);
    }
}

static void everything_else_stays_where_it_is_quick(void **state)
{
    static const char *const QUERIES[] = {
        "",
        "filter[title]=x",
        "filter[n][_in]=1,2",
        "filter[title][_empty]=true",
        "sort=-title&limit=5",
        "aggregate[count]=*",
        "search=",
        ("filter={\"_and\":[{\"id\":\"00000000-0000-4000-8000-000000000001\"},"
         "{\"title\":{\"_contains\":\"x\"}}]}"),
        ("filter={\"id\":{\"_in\":[\"00000000-0000-4000-8000-000000000001\"]},"
         "\"title\":{\"_contains\":\"x\"}}"),
    };
    for (size_t i = 0; i < sizeof QUERIES / sizeof QUERIES[0]; i++)
        expect_lane(*state, PLAN_LIST, QUERIES[i], DB_READ);
}

static void rows_by_key_are_no_search(void **state)
{
    expect_lane(*state, PLAN_ONE, "filter[title][_contains]=x&search=y", DB_READ);
    expect_lane(*state, PLAN_KEYS, "filter[title][_contains]=x&search=y", DB_READ);
}

static void counts_go_with_the_rows(void **state)
{
    struct plan *plan = compiled(*state, PLAN_LIST, "search=roof&meta=*");
    assert_int_equal(plan->filter->statement.lane, DB_SLOW);
    assert_int_equal(plan->total->statement.lane, DB_READ); /* by itself; with them in one batch */
    plan = compiled(*state, PLAN_LIST, "meta=*&filter[title]=x");
    assert_int_equal(plan->filter->statement.lane, DB_READ);
}

/* What hangs on rows is found by their keys, whatever found the rows. */
static void relations_of_what_was_found_are_read_quickly(void **state)
{
    struct plan *plan = compiled(*state, PLAN_LIST, "search=roof&fields=title,comments.body");
    assert_int_equal(plan->root->statement.lane, DB_SLOW);
    assert_int_equal(plan->root->first_branch->select->statement.lane, DB_READ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(patterns_and_searches_take_the_slow_lane),
        FIXTURE_TEST(everything_else_stays_where_it_is_quick),
        FIXTURE_TEST(rows_by_key_are_no_search),
        FIXTURE_TEST(counts_go_with_the_rows),
        FIXTURE_TEST(relations_of_what_was_found_are_read_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
