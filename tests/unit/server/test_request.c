#include "server/http/request.h"
#include "support/fixture.h"

static void query_parameters_are_found_by_name(void **state)
{
    struct ctx *ctx = *state;
    struct request request = {.query = STR_INIT("a=1&b%20c=x+y&d&e=")};
    expect_str(request_query(ctx->arena, &request, STR("a")), "1");
    expect_str(request_query(ctx->arena, &request, STR("b c")), "x y");
    assert_int_equal(request_query(ctx->arena, &request, STR("d")).len, 0);
    assert_int_equal(request_query(ctx->arena, &request, STR("e")).len, 0);
    assert_null(request_query(ctx->arena, &request, STR("z")).data);
}

static void cookies_are_found_whole(void **state)
{
    (void)state;
    struct request_header headers[] = {{STR_INIT("cookie"), STR_INIT("ab=1; b=2;c=3")}};
    struct request request = {.headers = headers, .header_count = 1};
    expect_str(request_cookie(&request, STR("b")), "2");
    expect_str(request_cookie(&request, STR("c")), "3");
    assert_null(request_cookie(&request, STR("a")).data);
}

static Err body(struct ctx *ctx, const char *type, const char *text, enum envelope envelope)
{
    struct request_header headers[] = {{STR_INIT("content-type"), str_from_z(type)}};
    struct request request = {
        .headers = headers, .header_count = 1, .body = str_from_z(text), .envelope = envelope};
    const struct json *json;
    return request_object(ctx, &request, &json);
}

static void an_empty_body_is_an_empty_object(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(body(ctx, "application/json", "", ENVELOPE_CMS), OK);
    assert_int_equal(body(ctx, "application/json; charset=utf-8", " ", ENVELOPE_API), OK);
}

static void broken_json_has_the_code_of_its_api(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(body(ctx, "application/json", "{", ENVELOPE_CMS), ERR_INVALID_PAYLOAD);
    assert_int_equal(body(ctx, "application/json", "{", ENVELOPE_API), ERR_INVALID_JSON);
    assert_int_equal(body(ctx, "application/json", "\"x\"", ENVELOPE_CMS), ERR_INVALID_PAYLOAD);
    assert_int_equal(body(ctx, "application/json", "[]", ENVELOPE_API), ERR_INVALID_PAYLOAD);
}

static void other_types_are_empty_for_directus_and_refused_for_us(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(body(ctx, "text/plain", "x=1", ENVELOPE_CMS), OK);
    assert_int_equal(body(ctx, "text/plain", "x=1", ENVELOPE_API), ERR_UNSUPPORTED_MEDIA_TYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(query_parameters_are_found_by_name),
        FIXTURE_TEST(cookies_are_found_whole),
        FIXTURE_TEST(an_empty_body_is_an_empty_object),
        FIXTURE_TEST(broken_json_has_the_code_of_its_api),
        FIXTURE_TEST(other_types_are_empty_for_directus_and_refused_for_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
