/* Shapes: query strings that differ in plain values have one, and no others do. */
#include "content/query/query.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(plain_values_are_taken_out),
        FIXTURE_TEST(what_changes_the_meaning_stays),
        FIXTURE_TEST(marks_cannot_be_forged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
