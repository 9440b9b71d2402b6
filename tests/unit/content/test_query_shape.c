/* Shapes: queries that differ in plain values share a plan, and no others do. */
#include "content/query/query.h"
#include "support/content_snapshot.h"
#include "support/fixture.h"

static struct query_shape shape_of(struct ctx *ctx, const char *text)
{
    return query_shape(ctx->arena, str_from_z(text));
}

static void same_shape(struct ctx *ctx, const char *a, const char *b, bool is_same)
{
    struct query_shape left = shape_of(ctx, a);
    struct query_shape right = shape_of(ctx, b);
    if ((left.count > 0 && right.count > 0 && str_eq(left.text, right.text)) != is_same)
        fail_msg("%s and %s %s a shape", a, b, is_same ? "share" : "do not share");
}

static void plain_values_are_taken_out(void **state)
{
    struct ctx *ctx = *state;
    struct query_shape shape =
        shape_of(ctx, "fields=id&filter[title][_eq]=a%20b&filter%5Bat%5D%5B_lt%5D=2023&limit=2");
    assert_int_equal(shape.count, 2);
    expect_str(shape.values[0], "a b");
    expect_str(shape.values[1], "2023");
    same_shape(ctx, "filter[title][_eq]=a", "filter[title][_eq]=b", true);
    same_shape(ctx, "filter[_and][0][n][_gte]=1", "filter[_and][0][n][_gte]=22", true);
    same_shape(ctx, "filter={\"title\":{\"_eq\":\"a\"}}", "filter={\"title\":{\"_eq\":\"bc\"}}",
               true);
    same_shape(ctx, "filter=%7B%22n%22:%20%7B%22_lt%22%20:%20%22a%22%7D%7D",
               "filter=%7B%22n%22:%20%7B%22_lt%22%20:%20%22b%22%7D%7D", true);
}

static void what_changes_the_meaning_stays(void **state)
{
    struct ctx *ctx = *state;
    static const char *const KEPT[] = {
        "filter[title][_eq]=null",
        "filter[title][_eq]=$NOW",
        "filter[title][_eq]=",
        "filter[title][_in]=a,b",
        "filter[title][_contains]=a",
        "filter[title]=a",
        "filter[title][_eq][]=a",
        "search=a",
        "filter[title][_eq]=%01",
        "filter[title][_eq]=%ff",
        "filter={\"n\":{\"_eq\":1}}",
        "filter={\"t\":{\"_in\":[\"a\"]}}",
        "filter={\"t\":{\"_eq\":\"\\u0061\"}}",
        "filter={\"t\":{\"_eq\":\"a}}",
        "deep[c][_filter][t][_eq]=a",
        "fields=filter",
    };
    for (size_t i = 0; i < sizeof KEPT / sizeof KEPT[0]; i++)
        assert_int_equal(shape_of(ctx, KEPT[i]).count, 0);
    same_shape(ctx, "filter[a][_eq]=x", "filter[b][_eq]=x", false);
    same_shape(ctx, "filter[a][_eq]=x", "filter[a][_neq]=x", false);
    same_shape(ctx, "filter[a][_eq]=x&limit=1", "filter[a][_eq]=x&limit=2", false);
    same_shape(ctx, "filter[a][_eq]=x&b=1%26c=2", "filter[a][_eq]=x&b=1&c=2", false);
    same_shape(ctx, "filter[a][_eq]=x", "filter={\"a\":{\"_eq\":\"x\"}}", false);
}

/* Bytes that serve as marks cannot be written into a query. */
static void marks_cannot_be_forged(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(shape_of(ctx, "filter[a][_eq]=x&b=\x01").count, 0);
    assert_int_equal(shape_of(ctx, "filter[a][_eq]=x&filter={}%02").count, 0);
}

static struct plan *compiled(struct ctx *ctx, const struct schema *schema, const char *text,
                             const struct query_shape *shape)
{
    struct query query;
    struct plan *plan = NULL;
    ctx_be(ctx, &SNAPSHOT_ADMIN, (Scope){.kind = SCOPE_SITE});
    assert_int_equal(query_parse(ctx, str_from_z(text), &query), OK);
    struct plan_request request = {.op = PLAN_LIST, .query = &query, .shape = shape};
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
    struct query_shape shape = shape_of(ctx, first);
    struct query_shape other = shape_of(ctx, second);
    assert_true(shape.count > 0 && str_eq(shape.text, other.text));
    struct plan *shared = compiled(ctx, schema, first, &shape);
    struct plan *own = compiled(ctx, schema, second, NULL);
    assert_int_equal(shared->shared_count, shape.count);
    assert_string_equal(shared->root->statement.sql, own->root->statement.sql);
    assert_int_equal(shared->root->param_count, own->root->param_count);
    for (uint32_t i = 0; i < own->root->param_count; i++) {
        const struct param *param = shared->root->params[i];
        Str text = param->text;
        assert_int_equal(param->kind, own->root->params[i]->kind);
        if (param->shared > 0)
            assert_true(value_again(ctx, &shared->shared[param->shared - 1],
                                    other.values[param->shared - 1], &text));
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
}

static void what_cannot_be_told_apart_is_not_shared(void **state)
{
    struct ctx *ctx = *state;
    struct schema *schema = snapshot_make();
    arena_defer(ctx->arena, schema_unref, schema);
    static const char *const UNCLEAR[] = {
        "filter[title][_eq]=a&filter[title][_neq]=a",
        "filter={\"_and\":[{\"title\":\"a\"},{\"title\":{\"_eq\":\"a\"}}]}",
    };
    for (size_t i = 0; i < sizeof UNCLEAR / sizeof UNCLEAR[0]; i++) {
        struct query_shape shape = shape_of(ctx, UNCLEAR[i]);
        assert_true(shape.count > 0);
        assert_int_equal(compiled(ctx, schema, UNCLEAR[i], &shape)->shared_count, 0);
    }
}

static void values_of_another_plan_are_refused(void **state)
{
    struct ctx *ctx = *state;
    struct schema *schema = snapshot_make();
    arena_defer(ctx->arena, schema_unref, schema);
    struct query_shape shape = shape_of(ctx, "filter[n][_eq]=1&filter[at][_lt]=2023-01-01");
    struct plan *plan =
        compiled(ctx, schema, "filter[n][_eq]=1&filter[at][_lt]=2023-01-01", &shape);
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
        FIXTURE_TEST(plain_values_are_taken_out),
        FIXTURE_TEST(what_changes_the_meaning_stays),
        FIXTURE_TEST(marks_cannot_be_forged),
        FIXTURE_TEST(a_shared_plan_is_the_plan_of_each),
        FIXTURE_TEST(what_cannot_be_told_apart_is_not_shared),
        FIXTURE_TEST(values_of_another_plan_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
