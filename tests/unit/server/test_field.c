#include "gen/routes/factory.h"
#include "gen/routes/jobs.h"
#include "gen/routes/visitors.h"
#include "support/fixture.h"

static const struct route *route_of(const char *name)
{
    for (uint32_t i = 0; i < ROUTES_COUNT; i++)
        if (strcmp(ROUTES[i].name, name) == 0)
            return &ROUTES[i];
    fail_msg("no route %s", name);
    return NULL;
}

/* Reads a body, or a query, of the route into *ret, which begins with the route's defaults. */
static Err read_fields(struct ctx *ctx, const char *name, const char *body, const char *query,
                       void *ret)
{
    const struct route *route = route_of(name);
    const struct json *json = NULL;
    struct request request = {.route = route, .query = str_from_z(query)};
    if (body != NULL)
        assert_int_equal(json_parse(ctx, str_from_z(body), JSON_LIMITS_DEFAULT, &json), OK);
    memset(ret, 0, route->input.size);
    if (route->input.defaults != NULL)
        memcpy(ret, route->input.defaults, route->input.size);
    diag_clear(ctx);
    return fields_read(ctx, &route->input, &request, json, ret);
}

static Str field_of_fault(const struct diag_entry *entry)
{
    for (const struct diag_note *note = entry->notes; note != NULL; note = note->next)
        if (strcmp(note->key, "field") == 0)
            return note->value;
    return STR_NONE;
}

static void assert_faults(struct ctx *ctx, const char *const *fields)
{
    const struct diag_entry *entry = ctx->diag.first;
    for (; *fields != NULL; fields++, entry = entry->next) {
        assert_non_null(entry);
        expect_str(field_of_fault(entry), *fields);
    }
    assert_null(entry);
}
#define ASSERT_FAULTS(ctx, ...) assert_faults((ctx), (const char *const[]){__VA_ARGS__, NULL})

static void a_good_body_fills_the_struct_over_its_defaults(void **state)
{
    struct ctx *ctx = *state;
    struct lead_post_input input;
    assert_int_equal(
        read_fields(ctx, "lead_post", "{\"email\":\"a@b.example\",\"phone\":null}", "", &input),
        OK);
    expect_str(input.email, "a@b.example");
    expect_str(input.source, "website");
    assert_null(input.phone.data);
}

static void all_faults_are_told_at_once_wrong_types_first(void **state)
{
    struct ctx *ctx = *state;
    struct publish_post_input input;
    assert_int_equal(
        read_fields(ctx, "publish_post", "{\"status\":\"x\",\"site_id\":5}", "", &input),
        ERR_INVALID_PAYLOAD);
    ASSERT_FAULTS(ctx, "site_id", "article_id", "status");
}

static void a_choice_is_told_in_words(void **state)
{
    struct ctx *ctx = *state;
    struct queue_control_post_input input;
    const char *id = "{\"queue\":\"00000000-0000-7000-8000-000000000001\"}";
    assert_int_equal(read_fields(ctx, "queue_control_post", id, "", &input), ERR_FAILED_VALIDATION);
    expect_str(ctx->diag.first->reason, "action must be pause, resume, cancel or retry");
}

static void an_older_name_counts_where_the_newer_is_absent(void **state)
{
    struct ctx *ctx = *state;
    struct process_queue_post_input input;
    const char *old = "{\"queue\":\"00000000-0000-7000-8000-000000000001\",\"limit\":7}";
    assert_int_equal(read_fields(ctx, "process_queue_post", old, "", &input), OK);
    assert_false(uuid_is_nil(input.queue_id));
    assert_int_equal(input.batch_limit, 7);
    const char *both = "{\"queue\":\"00000000-0000-7000-8000-000000000001\",\"limit\":7,"
                       "\"batch_limit\":8}";
    assert_int_equal(read_fields(ctx, "process_queue_post", both, "", &input), OK);
    assert_int_equal(input.batch_limit, 8);
}

static void members_of_objects_are_read(void **state)
{
    struct ctx *ctx = *state;
    struct schedule_post_input input;
    const char *good = "{\"campaign_id\":\"00000000-0000-7000-8000-000000000001\","
                       "\"total_articles\":3.0,\"velocity\":{\"mode\":\"\",\"seed\":0}}";
    assert_int_equal(read_fields(ctx, "schedule_post", good, "", &input), OK);
    assert_int_equal(input.total_articles, 3);
    assert_true(input.has_velocity_seed);
    assert_false(input.has_velocity_jitter_minutes);
    const char *bad = "{\"campaign_id\":\"00000000-0000-7000-8000-000000000001\","
                      "\"total_articles\":3,\"velocity\":\"x\",\"date_range\":1}";
    assert_int_equal(read_fields(ctx, "schedule_post", bad, "", &input), ERR_FAILED_VALIDATION);
    ASSERT_FAULTS(ctx, "date_range", "velocity");
}

static void ids_are_taken_once_each_and_the_bad_one_is_named(void **state)
{
    struct ctx *ctx = *state;
    struct publish_put_input input;
    const char *twice = "{\"article_ids\":[\"00000000-0000-7000-8000-000000000001\","
                        "\"00000000-0000-7000-8000-000000000001\"]}";
    assert_int_equal(read_fields(ctx, "publish_put", twice, "", &input), OK);
    assert_int_equal(input.article_ids.count, 1);
    assert_int_equal(read_fields(ctx, "publish_put", "{\"article_ids\":[\"x\"]}", "", &input),
                     ERR_FAILED_VALIDATION);
    ASSERT_FAULTS(ctx, "article_ids[0]");
    assert_int_equal(read_fields(ctx, "publish_put", "{}", "", &input), ERR_FAILED_VALIDATION);
    ASSERT_FAULTS(ctx, "article_ids");
}

static void one_of_several_fields_is_enough(void **state)
{
    struct ctx *ctx = *state;
    struct variants_post_input input;
    assert_int_equal(read_fields(ctx, "variants_post", "{}", "", &input), ERR_FAILED_VALIDATION);
    expect_str(ctx->diag.first->reason, "avatar_id or avatar_key is required");
    assert_int_equal(read_fields(ctx, "variants_post", "{\"avatar_key\":\"a\"}", "", &input), OK);
    /* Told once, as what it is. */
    assert_int_equal(read_fields(ctx, "variants_post", "{\"avatar_key\":1}", "", &input),
                     ERR_INVALID_PAYLOAD);
    ASSERT_FAULTS(ctx, "avatar_key");
}

static void what_another_member_makes_pointless_is_not_looked_at(void **state)
{
    struct ctx *ctx = *state;
    struct approve_post_input input;
    const char *articles = "{\"article_ids\":[\"00000000-0000-7000-8000-000000000001\"],"
                           "\"queue_id\":\"\",\"approved\":5}";
    assert_int_equal(read_fields(ctx, "approve_post", articles, "", &input), OK);
    assert_true(uuid_is_nil(input.queue_id));
    assert_true(input.approved);
    assert_int_equal(
        read_fields(ctx, "approve_post", "{\"queue_id\":\"\",\"reason\":5}", "", &input),
        ERR_INVALID_PAYLOAD);
    ASSERT_FAULTS(ctx, "queue_id");
}

static void a_query_is_read_strictly(void **state)
{
    struct ctx *ctx = *state;
    struct jobs_index_input input;
    assert_int_equal(read_fields(ctx, "jobs_index", NULL, "limit=&state=done", &input), OK);
    assert_int_equal(input.limit, 50);
    expect_str(input.state, "done");
    struct headlines_show_input strict;
    const char *empty = "campaign=00000000-0000-7000-8000-000000000001&preview=";
    assert_int_equal(read_fields(ctx, "headlines_show", NULL, empty, &strict), ERR_INVALID_QUERY);
    assert_int_equal(read_fields(ctx, "jobs_index", NULL, "limit=201&state=x&site=1", &input),
                     ERR_INVALID_QUERY);
    ASSERT_FAULTS(ctx, "site_id", "limit", "state");
}

static void money_has_two_places(void **state)
{
    struct ctx *ctx = *state;
    struct conversion_post_input input;
    assert_int_equal(read_fields(ctx, "conversion_post",
                                 "{\"conversion_type\":\"x\",\"value\":7.5}", "", &input),
                     OK);
    expect_str(input.value, "7.50");
    assert_int_equal(
        read_fields(ctx, "conversion_post", "{\"conversion_type\":\" \",\"value\":-1}", "", &input),
        ERR_FAILED_VALIDATION);
    ASSERT_FAULTS(ctx, "conversion_type", "value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_good_body_fills_the_struct_over_its_defaults),
        FIXTURE_TEST(all_faults_are_told_at_once_wrong_types_first),
        FIXTURE_TEST(a_choice_is_told_in_words),
        FIXTURE_TEST(an_older_name_counts_where_the_newer_is_absent),
        FIXTURE_TEST(members_of_objects_are_read),
        FIXTURE_TEST(ids_are_taken_once_each_and_the_bad_one_is_named),
        FIXTURE_TEST(one_of_several_fields_is_enough),
        FIXTURE_TEST(what_another_member_makes_pointless_is_not_looked_at),
        FIXTURE_TEST(a_query_is_read_strictly),
        FIXTURE_TEST(money_has_two_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
