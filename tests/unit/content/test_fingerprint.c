/* Fingerprints: queries that differ in plain values share a plan, and no others do. */
#include "base/memory/array.h"
#include "support/content_snapshot.h"
#include "support/fixture.h"

static struct query parsed(struct ctx *ctx, const char *text)
{
    struct query query;
    if (text[0] == '{') { /* the body of a SEARCH */
        const struct json *json;
        assert_int_equal(json_parse(ctx, str_from_z(text), JSON_LIMITS_DEFAULT, &json), OK);
        assert_int_equal(query_from_json(ctx, json, &query), OK);
    } else {
        assert_int_equal(query_parse(ctx, str_from_z(text), &query), OK);
    }
    return query;
}

static struct query_fingerprint fingerprint_of(struct ctx *ctx, const char *text)
{
    struct query query = parsed(ctx, text);
    struct query_fingerprint fingerprint;
    query_fingerprint(ctx->arena, &query, true, &fingerprint);
    return fingerprint;
}

static bool are_same(struct ctx *ctx, const char *a, const char *b)
{
    return str_eq(fingerprint_of(ctx, a).text, fingerprint_of(ctx, b).text);
}

static void the_source_does_not_matter(void **state)
{
    struct ctx *ctx = *state;
    static const char *const SOURCES[] = {
        "filter[n][_eq]=5&limit=3&sort=-title&fields=id,title",
        "fields[]=id&fields[]=title&filter={\"n\":{\"_eq\":7}}&limit=3&sort=-title",
        "{\"limit\":\"3\",\"sort\":[\"-title\"],\"fields\":\"id,title\",\"filter\":{\"n\":{\"_eq\":"
        "\"x\"}}}",
    };
    for (size_t i = 1; i < COUNT_OF(SOURCES); i++)
        if (!are_same(ctx, SOURCES[0], SOURCES[i]))
            fail_msg("%s has a fingerprint of its own", SOURCES[i]);
    static const Str FIELDS[] = {STR_INIT("id"), STR_INIT("title")};
    static const struct query_sort SORT = {.path = STR_INIT("title"), .descending = true};
    struct query by_hand = {
        .fields = FIELDS,
        .field_count = 2,
        .sort = &SORT,
        .sort_count = 1,
        .has_limit = true,
        .limit = 3,
        .filter = filter_condition(ctx->arena, STR("n"), OPERATOR_EQ, filter_literal(STR("1"))),
    };
    struct query_fingerprint fingerprint;
    query_fingerprint(ctx->arena, &by_hand, true, &fingerprint);
    assert_true(str_eq(fingerprint.text, fingerprint_of(ctx, SOURCES[0]).text));
    assert_int_equal(fingerprint.count, 1);
}

static void plain_values_are_lifted(void **state)
{
    struct ctx *ctx = *state;
    struct query_fingerprint lifted = fingerprint_of(
        ctx, "filter={\"a\":{\"_eq\":\"x\"},\"_or\":[{\"b\":5},{\"c\":{\"d\":{\"_lt\":true}}}]}");
    assert_int_equal(lifted.count, 3);
    expect_str(lifted.literals[0]->text, "x");
    expect_str(lifted.literals[1]->text, "5");
    expect_str(lifted.literals[2]->text, "true");
    assert_false(lifted.is_beside[0]);
    assert_true(lifted.is_beside[1]);
    struct query query = parsed(ctx, "filter[a][_eq]=x");
    struct query_fingerprint whole;
    query_fingerprint(ctx->arena, &query, false, &whole);
    assert_int_equal(whole.count, 0);
    assert_true(str_find(whole.text, STR("x")) >= 0);
}

static void what_changes_the_meaning_stays(void **state)
{
    struct ctx *ctx = *state;
    static const char *const KEPT[] = {
        "filter[a][_eq]=null",        "filter[a][_eq]=$NOW",
        "filter[a][_in]=x,y",         "filter[a][_contains]=x",
        "filter[a][_null]=true",      "filter[a][_between]=1,2",
        "filter={\"a\":null}",        "search=x",
        "deep[c][_filter][a][_eq]=x", "filter[a][_unknown]=x",
        "filter={\"a\":[\"x\"]}",
    };
    for (size_t i = 0; i < COUNT_OF(KEPT); i++)
        assert_int_equal(fingerprint_of(ctx, KEPT[i]).count, 0);
    static const char *const PAIRS[][2] = {
        {"filter[a][_eq]=x", "filter[b][_eq]=x"},
        {"filter[a][_eq]=x", "filter[a][_neq]=x"},
        {"filter[a][_eq]=x", "filter[a]=x"},
        {"filter[a][_eq]=x", "filter[a][_eq]=$NOW"},
        {"filter[a][_eq]=x", "filter[a][_eq]=null"},
        {"filter[a][_in]=x", "filter[a][_in]=y"},
        {"filter[a][_eq]=x&filter[b][_eq]=y", "filter[a][_eq]=x"},
        {"limit=1", "limit=2"},
        {"limit=1", ""},
        {"page=1", "offset=1"},
        {"fields=a,b", "fields=a.b"},
        {"fields=a&sort=b", "fields=a,b"},
        {"sort=a", "sort=-a"},
        {"search=a", "search=b"},
        {"meta=total_count", "meta=filter_count"},
        {"aggregate[count]=a", "aggregate[sum]=a"},
        {"groupBy=a", "fields=a"},
        {"alias[a]=b", "alias[b]=a"},
        {"deep[a][_limit]=1", "deep[a][_limit]=2"},
        {"deep[a][_limit]=1", "deep[b][_limit]=1"},
        {"deep[a][b][_limit]=1", "deep[a][_limit]=1"},
        {"deep[a][_limit]=x", "deep[a][_limit]=1"},
        {"deep[a][_filter][b][_eq]=1", "deep[a][_filter][b][_eq]=2"},
    };
    for (size_t i = 0; i < COUNT_OF(PAIRS); i++)
        if (are_same(ctx, PAIRS[i][0], PAIRS[i][1]))
            fail_msg("%s and %s have one fingerprint", PAIRS[i][0], PAIRS[i][1]);
}

static void a_query_that_is_too_long_has_none(void **state)
{
    struct ctx *ctx = *state;
    struct buf *text = buf_in_arena(ctx->arena, 64 * 1024);
    buf_put_z(text, "fields=a");
    for (int i = 0; i < FINGERPRINT_MAX / 8; i++)
        buf_put_z(text, ",abcdefgh");
    buf_put_char(text, '\0');
    assert_null(fingerprint_of(ctx, text->data).text.data);
}

static struct plan *compiled(struct ctx *ctx, const struct schema *schema, const char *text,
                             bool lifts)
{
    struct query query = parsed(ctx, text);
    struct query_fingerprint lifted;
    struct plan *plan = NULL;
    ctx_be(ctx, &SNAPSHOT_ADMIN, (Scope){.kind = SCOPE_SITE});
    query_fingerprint(ctx->arena, &query, true, &lifted);
    struct plan_request request = {
        .op = PLAN_LIST, .query = &query, .lifted = lifts ? &lifted : NULL};
    request.collection = schema_find(schema, STR("posts"));
    if (plan_compile(ctx, schema, &request, &plan) != OK)
        fail_msg("%s: %.*s", text, STR_FMT(ctx->diag.last->reason));
    arena_defer(ctx->arena, plan_unref, plan);
    return plan;
}

/* The plan of `first`, run with the values of `second`, is the plan of `second`. */
static void stands_for(struct ctx *ctx, const struct schema *schema, const char *first,
                       const char *second)
{
    struct query_fingerprint other = fingerprint_of(ctx, second);
    assert_true(other.count > 0 && are_same(ctx, first, second));
    struct plan *shared = compiled(ctx, schema, first, true);
    struct plan *own = compiled(ctx, schema, second, false);
    assert_int_equal(shared->shared_count, other.count);
    assert_string_equal(shared->root->statement.sql, own->root->statement.sql);
    assert_int_equal(shared->root->param_count, own->root->param_count);
    for (uint32_t i = 0; i < own->root->param_count; i++) {
        const struct param *param = shared->root->params[i];
        Str text = param->text;
        assert_int_equal(param->kind, own->root->params[i]->kind);
        if (param->shared > 0)
            assert_true(value_again(ctx, &shared->shared[param->shared - 1],
                                    other.literals[param->shared - 1]->text, &text));
        assert_true(str_eq(text, own->root->params[i]->text));
    }
}

static void a_shared_plan_is_the_plan_of_each(void **state)
{
    struct ctx *ctx = *state;
    struct schema *schema = snapshot_make();
    arena_defer(ctx->arena, schema_unref, schema);
    stands_for(ctx, schema, "filter[title][_eq]=a&limit=1", "filter[title][_eq]=b%20c&limit=1");
    stands_for(ctx, schema, "filter[at][_lt]=2023-01-01T00:00:00Z&filter[title][_neq]=x",
               "filter[at][_lt]=2024-05-06&filter[title][_neq]=y");
    stands_for(ctx, schema,
               "filter={\"_or\":[{\"title\":{\"_eq\":\"a\"}},{\"n\":{\"_gt\":\"3\"}}]}",
               "filter={\"_or\":[{\"title\":{\"_eq\":\"z\"}},{\"n\":{\"_gt\":\"44\"}}]}");
    stands_for(ctx, schema, "filter[author][name][_eq]=a", "filter[author][name][_eq]=b");
    stands_for(ctx, schema, "filter[comments][body][_eq]=a&meta=filter_count",
               "filter[comments][body][_eq]=b&meta=filter_count");
    stands_for(ctx, schema, "filter[n][_eq]=1", "{\"filter\":{\"n\":{\"_eq\":2}}}");
}

/* Literals are known by their place, not by their text. */
static void equal_values_are_told_apart(void **state)
{
    struct ctx *ctx = *state;
    struct schema *schema = snapshot_make();
    arena_defer(ctx->arena, schema_unref, schema);
    stands_for(ctx, schema, "filter[title][_eq]=a&filter[title][_neq]=a",
               "filter[title][_eq]=b&filter[title][_neq]=c");
    stands_for(ctx, schema, "filter={\"_and\":[{\"title\":\"a\"},{\"title\":{\"_eq\":\"a\"}}]}",
               "filter={\"_and\":[{\"title\":\"b\"},{\"title\":{\"_eq\":\"c\"}}]}");
    stands_for(ctx, schema, "filter[comments][_eq]=1", "filter[comments][_eq]=2");
}

static void values_of_another_plan_are_refused(void **state)
{
    struct ctx *ctx = *state;
    struct schema *schema = snapshot_make();
    arena_defer(ctx->arena, schema_unref, schema);
    struct plan *plan = compiled(ctx, schema, "filter[n][_eq]=1&filter[at][_lt]=2023-01-01", true);
    assert_int_equal(plan->shared_count, 2);
    Str text;
    assert_true(value_again(ctx, &plan->shared[0], STR("7"), &text));
    assert_false(value_again(ctx, &plan->shared[0], STR("7.5"), &text));
    assert_false(value_again(ctx, &plan->shared[0], STR("seven"), &text));
    assert_false(value_again(ctx, &plan->shared[1], STR("yesterday"), &text));
    assert_null(ctx->diag.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_source_does_not_matter),
        FIXTURE_TEST(plain_values_are_lifted),
        FIXTURE_TEST(what_changes_the_meaning_stays),
        FIXTURE_TEST(a_query_that_is_too_long_has_none),
        FIXTURE_TEST(a_shared_plan_is_the_plan_of_each),
        FIXTURE_TEST(equal_values_are_told_apart),
        FIXTURE_TEST(values_of_another_plan_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
