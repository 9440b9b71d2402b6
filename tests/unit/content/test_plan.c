/* The compiler: which SQL a query becomes, with the site at every level and values as parameters.
 */
#include "support/content_snapshot.h"
#include "support/fixture.h"

static struct plan *compiled(struct ctx *ctx, enum scope_kind scope, const char *collection,
                             const char *text)
{
    struct schema *schema = snapshot_make();
    arena_defer(ctx->arena, schema_unref, schema);
    struct query query;
    struct plan *plan = NULL;
    ctx_be(ctx, ctx->actor, (Scope){.kind = scope});
    if (query_parse(ctx, str_from_z(text), &query) != OK ||
        snapshot_compile(ctx, schema, collection, &query, &plan) != OK)
        fail_msg("%s: %.*s", text, STR_FMT(ctx->diag.last->reason));
    return plan;
}

static void expect_sql(const struct select *select, const char *want)
{
    assert_string_equal(select->statement.sql, want);
}

static void refused(struct ctx *ctx, const char *collection, const char *text, Err err,
                    const char *reason)
{
    struct schema *schema = snapshot_make();
    arena_defer(ctx->arena, schema_unref, schema);
    struct query query;
    struct plan *plan;
    ctx_be(ctx, ctx->actor, (Scope){.kind = SCOPE_SITE});
    Err result = query_parse(ctx, str_from_z(text), &query);
    if (result == OK)
        result = snapshot_compile(ctx, schema, collection, &query, &plan);
    assert_int_equal(result, err);
    expect_contains(ctx->diag.last->reason, reason);
}

static void a_plain_list(void **state)
{
    struct plan *plan = compiled(*state, SCOPE_SITE, "posts", "fields=title&limit=2");
    expect_sql(plan->root, "select t0.\"title\" from \"posts\" t0 where t0.\"site_id\" = $1 "
                           "order by t0.\"id\" limit 2");
    assert_int_equal(plan->root->params[0]->kind, PARAM_SITE);
}

static void scopes_bind_rows(void **state)
{
    struct plan *plan = compiled(*state, SCOPE_PLATFORM, "posts", "fields=id&limit=1");
    expect_lacks(str_from_z(plan->root->statement.sql), "site_id");
    plan = compiled(*state, SCOPE_NONE, "posts", "fields=id&limit=1");
    expect_contains(str_from_z(plan->root->statement.sql), "where false");
    plan = compiled(*state, SCOPE_SITE, "snippets", "fields=id&limit=1");
    expect_contains(
        str_from_z(plan->root->statement.sql),
        "t0.\"site_id\" = any(array[$1, '00000000-0000-7000-8000-000000000001'::uuid])");
    plan = compiled(*state, SCOPE_PLATFORM, "sites", "fields=id&limit=1");
    expect_contains(str_from_z(plan->root->statement.sql),
                    "t0.\"id\" <> '00000000-0000-7000-8000-000000000001'::uuid");
    plan = compiled(*state, SCOPE_NONE, "directus_users", "fields=id&limit=1");
    expect_contains(str_from_z(plan->root->statement.sql), "t0.\"site_id\" is null");
    refused(*state, "nobodys", "", ERR_FORBIDDEN, "collection \"nobodys\"");
}

static void joins_repeat_the_site_and_are_shared(void **state)
{
    struct plan *plan =
        compiled(*state, SCOPE_SITE, "posts",
                 "fields=author.name&filter[author][name]=x&sort=author.name&limit=1");
    expect_sql(
        plan->root,
        "select t1.\"name\", t1.\"id\" from \"posts\" t0 left join \"authors\" t1 on t1.\"id\" "
        "= t0.\"author\" and t1.\"site_id\" = $1 where (t0.\"site_id\" = $1 and t1.\"name\" = "
        "$2) order by t1.\"name\" limit 1");
}

static void to_many_is_one_more_statement_cut_per_parent(void **state)
{
    struct plan *plan = compiled(*state, SCOPE_SITE, "posts",
                                 "fields=comments.body&deep[comments][_limit]=2&limit=1");
    assert_int_equal(plan->branch_count, 1);
    expect_sql(plan->root->first_branch->select,
               "select c0, c1 from (select t1.\"post\" as c0, t1.\"body\" as c1, row_number() over "
               "(partition by t1.\"post\" order by t1.\"id\") as place from \"comments\" t1 where "
               "(t1.\"site_id\" = $1 and t1.\"post\" = any((select $2::uuid[])::uuid[]))) x where "
               "place > $3::int8 and place <= $4::int8 order by c0, place limit 100001");
}

/* The comments of posts, with an index of this kind on their reference. */
static const char *children_sql(struct ctx *ctx, enum scope_kind scope, enum field_index index)
{
    struct schema *schema = snapshot_make();
    arena_defer(ctx->arena, schema_unref, schema);
    struct query query;
    struct plan *plan;
    const struct collection *comments = schema_find(schema, STR("comments"));
    ((struct field *)(uintptr_t)collection_field(comments, STR("post")))->indexed = index;
    ctx_be(ctx, ctx->actor, (Scope){.kind = scope});
    assert_int_equal(query_parse(ctx, STR("fields=comments.body&deep[comments][_limit]=2"), &query),
                     OK);
    assert_int_equal(snapshot_compile(ctx, schema, "posts", &query, &plan), OK);
    return plan->root->first_branch->select->statement.sql;
}

static void children_are_read_parent_by_parent_if_an_index_finds_them(void **state)
{
    assert_string_equal(
        children_sql(*state, SCOPE_SITE, INDEX_IN_SITE),
        "select parent.place, c1 from unnest((select $1::uuid[])) with ordinality parent (key, "
        "place), lateral (select t1.\"body\" as c1 from \"comments\" t1 where (t1.\"site_id\" = "
        "$2 and t1.\"post\" = parent.key) order by t1.\"id\" limit 2) x order by parent.place "
        "limit 100001");
    assert_non_null(strstr(children_sql(*state, SCOPE_PLATFORM, INDEX_ALONE), "lateral"));
    /* Without a site an index that begins with it finds nothing. */
    assert_null(strstr(children_sql(*state, SCOPE_PLATFORM, INDEX_IN_SITE), "lateral"));
    assert_null(strstr(children_sql(*state, SCOPE_SITE, INDEX_NONE), "lateral"));
}

static void filters_through_to_many_are_exists(void **state)
{
    struct plan *plan =
        compiled(*state, SCOPE_SITE, "posts", "fields=id&filter[comments][body]=x&limit=1");
    expect_contains(str_from_z(plan->root->statement.sql),
                    "exists (select 1 from \"comments\" t1 where (t1.\"post\" = t0.\"id\" and "
                    "t1.\"site_id\" = $1 and t1.\"body\" = $2))");
}

static void lists_are_one_parameter(void **state)
{
    struct plan *plan =
        compiled(*state, SCOPE_SITE, "posts", "fields=id&limit=1&filter[n][_in]=1,2,3");
    expect_contains(str_from_z(plan->root->statement.sql), "t0.\"n\" = any($2)");
    assert_int_equal(plan->root->params[1]->item_count, 3);
}

static void values_and_names_cannot_inject(void **state)
{
    struct plan *plan =
        compiled(*state, SCOPE_SITE, "posts",
                 "fields=id&limit=1&filter[title]=';drop table posts;--&search=x';--");
    expect_lacks(str_from_z(plan->root->statement.sql), "drop");
    plan = compiled(*state, SCOPE_PLATFORM, "nobodys", "fields=na\"me&limit=1");
    expect_contains(str_from_z(plan->root->statement.sql), "t0.\"na\"\"me\"");
    refused(*state, "posts", "sort=title\";drop", ERR_FORBIDDEN, "field \"title\";drop\"");
}

static void hidden_sites_and_secrets_stay_hidden(void **state)
{
    struct plan *plan = compiled(*state, SCOPE_SITE, "directus_users", "limit=1");
    for (uint32_t i = 0; i < plan->root->shape->count; i++)
        expect_lacks(plan->root->shape->outs[i].name, "site_id");
    refused(*state, "directus_users", "fields=site_id", ERR_FORBIDDEN, "field \"site_id\"");
    refused(*state, "directus_users", "filter[site_id][_null]=true", ERR_FORBIDDEN, "\"site_id\"");
    refused(*state, "directus_users", "filter[password][_starts_with]=x", ERR_INVALID_QUERY,
            "\"hash\" field type does not contain the \"_starts_with\" filter operator");
    refused(*state, "directus_users", "sort=password", ERR_FORBIDDEN, "\"password\"");
    refused(*state, "directus_users", "aggregate[min]=password", ERR_FORBIDDEN, "\"password\"");
    refused(*state, "directus_users", "groupBy=password", ERR_FORBIDDEN, "\"password\"");
    refused(*state, "posts", "sort=author.secret", ERR_FORBIDDEN, "\"secret\"");
}

static void depth_joins_and_nodes_are_limited(void **state)
{
    struct ctx *ctx = *state;
    refused(ctx, "posts",
            "fields=author.posts.author.posts.author.posts.author.posts.author.posts.author.name",
            ERR_INVALID_QUERY, "Max relational depth exceeded");
    refused(
        ctx, "posts",
        "filter={\"author\":{\"posts\":{\"author\":{\"posts\":{\"author\":{\"posts\":{\"author\":"
        "{\"posts\":{\"author\":{\"posts\":{\"author\":{\"name\":1}}}}}}}}}}}}",
        ERR_INVALID_QUERY, "Max relational depth exceeded");
    struct buf *text = buf_in_arena(ctx->arena, 1024 * 1024);
    buf_put_z(text, "filter={\"_or\":[{\"n\":1}");
    for (int i = 0; i < PLAN_FILTER_NODES_MAX; i++)
        buf_put_z(text, ",{\"n\":1}");
    buf_put_z(text, "]}");
    refused(ctx, "posts", str_z(ctx->arena, buf_str(text)), ERR_INVALID_QUERY,
            "The filter has more than 1000 conditions");
    buf_clear(text);
    buf_put_z(text, "filter={\"n\":{\"_in\":[1");
    for (int i = 0; i < PLAN_LIST_MAX; i++)
        buf_put_z(text, ",1");
    buf_put_z(text, "]}}");
    refused(ctx, "posts", str_z(ctx->arena, buf_str(text)), ERR_INVALID_QUERY,
            "\"_in\" has more than 10000 values");
    buf_clear(text);
    buf_put_z(text, "fields=id");
    for (int i = 0; i < PLAN_SELECTS_MAX; i++)
        buf_printf(text, ",a%d.id", i);
    buf_put_z(text, "&alias={\"a\":\"id\"");
    for (int i = 0; i < PLAN_SELECTS_MAX; i++)
        buf_printf(text, ",\"a%d\":\"comments\"", i);
    buf_put_z(text, "}");
    refused(ctx, "posts", str_z(ctx->arena, buf_str(text)), ERR_INVALID_QUERY,
            "More than 500 to-many relations in one query");
}

static void dynamic_values_stay_out_of_the_plan(void **state)
{
    struct plan *plan = compiled(*state, SCOPE_SITE, "posts",
                                 "fields=id&limit=1&filter[author]=$CURRENT_USER&filter[at][_lt]="
                                 "$NOW(-2 days)");
    assert_int_equal(plan->root->params[1]->kind, PARAM_USER);
    assert_int_equal(plan->root->params[2]->kind, PARAM_NOW);
    assert_int_equal(plan->root->params[2]->shift_ms, -172800000);
}

static void the_cache_forgets_what_was_used_longest_ago(void **state)
{
    struct ctx *ctx = *state;
    struct plan_cache *cache = plan_cache_new();
    for (int i = 0; i < PLAN_CACHE_MAX + 1; i++) {
        struct arena *arena = arena_create();
        struct plan *plan = arena_new(arena, struct plan);
        *plan = (struct plan){.arena = arena, .references = 1};
        plan_cache_add(cache, str_printf(ctx->arena, "%d", i), plan, NULL);
        assert_ptr_equal(plan_cache_find(cache, STR("0"), NULL),
                         plan_cache_find(cache, STR("0"), NULL));
        assert_non_null(plan_cache_find(cache, STR("0"), NULL));
    }
    assert_null(plan_cache_find(cache, STR("1"), NULL));
    assert_non_null(plan_cache_find(cache, STR("2"), NULL));
    plan_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_plain_list),
        FIXTURE_TEST(scopes_bind_rows),
        FIXTURE_TEST(joins_repeat_the_site_and_are_shared),
        FIXTURE_TEST(to_many_is_one_more_statement_cut_per_parent),
        FIXTURE_TEST(children_are_read_parent_by_parent_if_an_index_finds_them),
        FIXTURE_TEST(filters_through_to_many_are_exists),
        FIXTURE_TEST(lists_are_one_parameter),
        FIXTURE_TEST(values_and_names_cannot_inject),
        FIXTURE_TEST(hidden_sites_and_secrets_stay_hidden),
        FIXTURE_TEST(depth_joins_and_nodes_are_limited),
        FIXTURE_TEST(dynamic_values_stay_out_of_the_plan),
        FIXTURE_TEST(the_cache_forgets_what_was_used_longest_ago),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
