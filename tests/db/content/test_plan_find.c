/* Plans are found: one for all queries that differ in plain values only, whatever they were read
 * from, and each query gets the rows of its own values. */
#include "../content_test.h"
#include "base/memory/array.h"
#include "content/plan/plan.h"

/* Each is asked twice: its plan is made, then found, then found for the values of another. */
static void queries_found_by_their_text_keep_their_values(void **state)
{
    static const struct {
        const char *query;
        const char *slugs;
    } QUERIES[] = {
        {"filter[slug][_eq]=post-1", "1"},
        {"filter[slug][_eq]=post-2", "2"},
        {"filter={\"slug\":{\"_eq\":\"post-3\"}}", "3"},
        {"filter={\"slug\":\"post-3\"}", "3"},
        {"filter={\"slug\":\"post-1\"}", "1"},
        /* equal values: which is which cannot be told from the text */
        {"filter[slug][_eq]=post-1&filter[title][_neq]=post-1", "1"},
        {"filter[slug][_eq]=post-1&filter[title][_neq]=One", ""},
        {"filter[slug][_eq]=post-2&filter[title][_neq]=post-2", "2"},
        /* a value beside the field has the text of one behind an operator */
        {"filter={\"_or\":[{\"slug\":\"post-1\"},{\"slug\":{\"_eq\":\"post-1\"}}]}", "1"},
        {"filter={\"_or\":[{\"slug\":\"post-1\"},{\"slug\":{\"_eq\":\"post-2\"}}]}", "12"},
        {"filter={\"_or\":[{\"slug\":\"post-3\"},{\"slug\":{\"_eq\":\"post-2\"}}]}", "23"},
        /* qs orders members by their first mention */
        {"filter[_and][0][slug][_gte]=&filter[slug][_eq]=post-1", NULL},
        {"filter[slug][_eq]=post-1&filter[word_count][_lt]=1000&filter[slug][_neq]=x", "1"},
        {"filter[slug][_eq]=x&filter[word_count][_lt]=1000&filter[slug][_neq]=post-1", ""},
        /* a fraction is compared as numeric: another plan */
        {"filter[word_count][_gt]=359", "1"},
        {"filter[word_count][_gt]=359.5", "1"},
        {"filter[word_count][_gt]=360.5", ""},
        {"filter[word_count][_gt]=359", "1"},
        {"filter[word_count][_gt]=many", NULL},
        {"filter[word_count][_gt]=359", "1"},
    };
    struct ask *ask = calloc(1, sizeof *ask);
    for (size_t i = 0; i < 2 * COUNT_OF(QUERIES); i++) {
        const char *query = QUERIES[i / 2].query;
        const char *slugs = QUERIES[i / 2].slugs;
        char text[512];
        char want[512] = "{\"data\":[";
        snprintf(text, sizeof text, "fields=slug&sort=slug&%s", query);
        *ask = (struct ask){.collection = "posts", .query = text};
        if (slugs == NULL) {
            expect_refusal(state, AS_A, ask, ERR_INVALID_QUERY, NULL);
            continue;
        }
        for (const char *slug = slugs; *slug != '\0'; slug++)
            snprintf(want + strlen(want), sizeof want - strlen(want), "%s{\"slug\":\"post-%c\"}",
                     slug == slugs ? "" : ",", *slug);
        strcat(want, "]}");
        expect_answer(state, AS_A, ask, want);
    }
    free(ask);
}

struct found {
    const struct plan *plans[4];
    const Str *values[4];
};

static fiber_fn Err find_plans(struct ctx *ctx, void *arg)
{
    struct found *found = arg;
    const struct schema *schema;
    const struct json *body;
    struct query queries[4];
    ctx_be(ctx, &TEST_ADMIN, ctx->scope);
    TRY(schema_current(ctx, &schema));
    queries[0] = query_unparsed(STR("filter[slug][_eq]=a&limit=3"));
    queries[1] = query_unparsed(STR("limit=3&filter={\"slug\":{\"_eq\":\"b\"}}"));
    TRY(json_parse(ctx, STR("{\"limit\":3,\"filter\":{\"slug\":{\"_eq\":\"c\"}}}"),
                   JSON_LIMITS_DEFAULT, &body));
    TRY(query_from_json(ctx, body, &queries[2]));
    queries[3] = (struct query){
        .has_limit = true,
        .limit = 3,
        .filter = filter_condition(ctx->arena, STR("slug"), OPERATOR_EQ, filter_literal(STR("d"))),
    };
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        struct plan_request request = {.op = PLAN_LIST,
                                       .collection = schema_find(schema, STR("posts")),
                                       .query = &queries[i],
                                       .ret_values = &found->values[i]};
        TRY(plan_get(ctx, schema, &request, &found->plans[i]));
    }
    for (size_t i = 1; i < COUNT_OF(queries); i++)
        if (found->values[i] == NULL || found->values[i][0].data[0] != (char)('a' + i))
            return fail(ctx, ERR_INTERNAL, "Query %zu has another's value", i);
    return OK;
}

static void one_query_has_one_plan_whatever_it_was_read_from(void **state)
{
    struct found found = {0};
    assert_int_equal(act(*state, AS_A, find_plans, &found), OK);
    for (size_t i = 1; i < COUNT_OF(found.plans); i++)
        assert_ptr_equal(found.plans[0], found.plans[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        content_test(queries_found_by_their_text_keep_their_values),
        content_test(one_query_has_one_plan_whatever_it_was_read_from),
    };
    return RUN_CONTENT_TESTS(tests);
}
