/* The query language as text: what is read, and what is refused with which sentence. */
#include "base/text/buf.h"
#include "content/query/query.h"
#include "content/query/query_qs.h"
#include "support/fixture.h"

static struct query parsed(struct ctx *ctx, const char *text)
{
    struct query query;
    if (query_parse(ctx, str_from_z(text), &query) != OK)
        fail_msg("%s: %.*s", text, STR_FMT(ctx->diag.last->reason));
    return query;
}

static void refused(struct ctx *ctx, const char *text, const char *reason)
{
    struct query query;
    assert_int_equal(query_parse(ctx, str_from_z(text), &query), ERR_INVALID_QUERY);
    expect_str(ctx->diag.last->reason, reason);
}

static void lists_come_as_csv_repeated_or_indexed(void **state)
{
    struct ctx *ctx = *state;
    static const char *const FORMS[] = {
        "fields=id,%20title%20,json(a, b.c)", "fields[]=id&fields[]=title&fields[]=json(a, b.c)",
        "fields=id&fields=title&fields=json(a, b.c)", "fields[0]=id&fields[1]=title,json(a, b.c)"};
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        struct query query = parsed(ctx, FORMS[i]);
        assert_int_equal(query.field_count, 3);
        expect_str(query.fields[1], "title");
        expect_str(query.fields[2], "json(a, b.c)");
    }
}

static void brackets_become_json(void **state)
{
    struct ctx *ctx = *state;
    struct query query =
        parsed(ctx, "filter[_and][0][a][_eq]=1&filter%5B_and%5D%5B1%5D%5Bb%5D%5Bc%5D=x%22y");
    expect_str(filter_json(ctx->arena, query.filter),
               "{\"_and\":[{\"a\":{\"_eq\":\"1\"}},{\"b\":{\"c\":\"x\\\"y\"}}]}");
    query = parsed(ctx, "filter={\"a\":{\"_in\":[1,2]}}");
    expect_str(filter_json(ctx->arena, query.filter), "{\"a\":{\"_in\":[1,2]}}");
}

static void a_large_index_names_a_member(void **state)
{
    struct query query = parsed(*state, "filter[a][501]=x");
    expect_str(filter_json(((struct ctx *)*state)->arena, query.filter), "{\"a\":{\"501\":\"x\"}}");
}

static void numbers_are_checked(void **state)
{
    struct ctx *ctx = *state;
    struct query query = parsed(ctx, "limit=-1&offset=5&page=2");
    assert_int_equal(query.limit, -1);
    assert_int_equal(query.offset, 5);
    assert_int_equal(query.page, 2);
    refused(ctx, "limit=abc", "\"limit\" must be a number");
    refused(ctx, "limit=1.5", "\"limit\" must be an integer");
    refused(ctx, "limit=-2", "\"limit\" must be greater than or equal to -1");
    refused(ctx, "limit=10001", "\"limit\" must be less than or equal to 10000");
    refused(ctx, "offset=-1", "\"offset\" must be greater than or equal to 0");
    refused(ctx, "page=x", "\"page\" must be a number");
}

static void sort_knows_its_direction(void **state)
{
    struct query query = parsed(*state, "sort=a,-b.c,-year(d)");
    assert_int_equal(query.sort_count, 3);
    assert_false(query.sort[0].descending);
    assert_true(query.sort[1].descending);
    expect_str(query.sort[1].path, "b.c");
    expect_str(query.sort[2].path, "year(d)");
}

static void meta_and_aggregate(void **state)
{
    struct query query =
        parsed(*state, "meta=*&aggregate[count]=*&aggregate[sum]=a,b&groupBy=x,year(y)");
    assert_int_equal(query.meta, META_TOTAL_COUNT | META_FILTER_COUNT);
    assert_int_equal(query.aggregate_count, 3);
    expect_str(query.aggregates[2].function, "sum");
    expect_str(query.aggregates[2].field, "b");
    assert_int_equal(query.group_by_count, 2);
    refused(*state, "meta=filter_count,foo",
            "\"meta[1]\" must be one of [total_count, filter_count]");
}

static void objects_that_are_none_are_refused(void **state)
{
    struct ctx *ctx = *state;
    refused(ctx, "filter={bad", "Invalid JSON for filter object");
    refused(ctx, "filter=null", "\"filter\" must be of type object");
    refused(ctx, "alias[a.b]=c", "\"alias\" key/value can't contain a period character `.`");
    refused(ctx, "alias[a]=b.c", "\"alias\" key/value can't contain a period character `.`");
}

static void too_many_parameters_are_refused(void **state)
{
    struct ctx *ctx = *state;
    struct buf *text = buf_in_arena(ctx->arena, 65536);
    for (int i = 0; i <= QS_PARAMETERS_MAX; i++)
        buf_put_z(text, "a=1&");
    struct query query;
    assert_int_equal(query_parse(ctx, buf_str(text), &query), ERR_INVALID_QUERY);
    expect_str(ctx->diag.last->reason, "More than 1000 parameters");
    refused(ctx, "search=a%00b", "NUL is not allowed in a query");
}

static void unknown_parameters_are_ignored(void **state)
{
    struct query query = parsed(*state, "foo=bar&__proto__[x]=1&access_token=t");
    assert_int_equal(query.field_count, 0);
    assert_null(query.filter);
}

static void json_means_the_same_as_text(void **state)
{
    struct ctx *ctx = *state;
    const struct json *json;
    struct query query;
    assert_int_equal(json_parse(ctx,
                                STR("{\"fields\":[\"id\",\"a.b\"],\"sort\":\"-x\",\"limit\":\"3\","
                                    "\"filter\":{\"a\":1},\"search\":\"s\",\"page\":null}"),
                                JSON_LIMITS_DEFAULT, &json),
                     OK);
    assert_int_equal(query_from_json(ctx, json, &query), OK);
    assert_int_equal(query.field_count, 2);
    assert_true(query.sort[0].descending);
    assert_int_equal(query.limit, 3);
    assert_int_equal(query.page, 0);
    expect_str(query.search, "s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(lists_come_as_csv_repeated_or_indexed),
        FIXTURE_TEST(brackets_become_json),
        FIXTURE_TEST(a_large_index_names_a_member),
        FIXTURE_TEST(numbers_are_checked),
        FIXTURE_TEST(sort_knows_its_direction),
        FIXTURE_TEST(meta_and_aggregate),
        FIXTURE_TEST(objects_that_are_none_are_refused),
        FIXTURE_TEST(too_many_parameters_are_refused),
        FIXTURE_TEST(unknown_parameters_are_ignored),
        FIXTURE_TEST(json_means_the_same_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
