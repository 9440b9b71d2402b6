/* JSON values made in memory: they read like parsed ones, and stay within their limit. */
#include "base/json/json_build.h"
#include "base/json/json_memory.h"
#include "support/fixture.h"

#include <math.h>

static struct json_builder *builder(struct ctx *ctx, uint64_t bytes_max)
{
    struct json_builder *b = NULL;
    assert_int_equal(json_builder_new(ctx, bytes_max, &b), OK);
    return b;
}

static void expect_text(struct ctx *ctx, struct json_builder *b, const char *want)
{
    const struct json *value = NULL;
    assert_int_equal(json_builder_end(ctx, b, &value), OK);
    Str text = json_text(ctx->arena, value);
    assert_int_equal(text.len, strlen(want));
    assert_memory_equal(text.data, want, text.len);
}

static void a_value_reads_like_a_parsed_one(void **state)
{
    struct ctx *ctx = *state;
    struct json_builder *b = builder(ctx, 4096);
    const struct json *parsed;
    assert_int_equal(json_parse(ctx, STR("{\"x\":[1]}"), JSON_LIMITS_DEFAULT, &parsed), OK);
    json_build_object_begin(b);
    json_build_key(b, STR("list"));
    json_build_array_begin(b);
    json_build_int(b, -7);
    json_build_real(b, 1.5);
    json_build_real(b, NAN);
    json_build_bool(b, true);
    json_build_null(b);
    json_build_array_end(b);
    json_build_key(b, STR("text"));
    json_build_str(b, STR("a \"b\" \xc3\xa4"));
    json_build_key(b, STR("empty"));
    json_build_str(b, STR(""));
    json_build_key(b, STR("other"));
    json_build_value(b, parsed);
    json_build_key(b, STR("none"));
    json_build_value(b, NULL);
    json_build_object_end(b);
    expect_text(ctx, b,
                "{\"list\":[-7,1.5,null,true,null],\"text\":\"a \\\"b\\\" \xc3\xa4\","
                "\"empty\":\"\",\"other\":{\"x\":[1]},\"none\":null}");
}

static void one_value_needs_no_container(void **state)
{
    struct json_builder *b = builder(*state, 256);
    json_build_str(b, STR("alone"));
    expect_text(*state, b, "\"alone\"");
}

static void two_values_are_made_in_turn(void **state)
{
    struct json_builder *a = builder(*state, 1024);
    struct json_builder *b = builder(*state, 1024);
    json_build_array_begin(a);
    json_build_array_begin(b);
    json_build_int(a, 1);
    json_build_int(b, 2);
    json_build_array_end(a);
    json_build_array_end(b);
    expect_text(*state, a, "[1]");
    expect_text(*state, b, "[2]");
}

static void a_value_that_passes_its_limit_is_too_large(void **state)
{
    struct ctx *ctx = *state;
    struct json_builder *b = builder(ctx, 2048);
    const struct json *value = NULL;
    json_build_array_begin(b);
    for (int i = 0; i < 1000; i++) {
        json_build_object_begin(b);
        json_build_key(b, STR("text"));
        json_build_str(b, STR("0123456789"));
        json_build_object_end(b);
    }
    json_build_array_end(b);
    assert_true(json_builder_is_full(b));
    assert_int_equal(json_builder_end(ctx, b, &value), ERR_TOO_LARGE);
    assert_null(value);
}

static void what_was_reserved_and_not_used_is_given_back(void **state)
{
    struct ctx *ctx = *state;
    uint64_t before = json_memory_used();
    struct json_builder *b = builder(ctx, 512 * 1024);
    assert_true(json_memory_used() >= before + 512 * 1024);
    json_build_int(b, 1);
    expect_text(ctx, b, "1");
    assert_true(json_memory_used() < before + 64 * 1024);
}

static void without_room_there_is_no_builder(void **state)
{
    struct json_builder *b = NULL;
    json_memory_set_limit(4 * 1024 * 1024);
    assert_int_equal(json_builder_new(*state, 8 * 1024 * 1024, &b), ERR_TOO_LARGE);
    json_memory_set_limit(UINT64_MAX);
    assert_null(b);
}

static Err build_any(struct ctx *ctx, struct json_builder *b, Str text)
{
    json_build_object_begin(b);
    json_build_key(b, STR("own"));
    json_build_int(b, 1);
    json_build_key(b, STR("parsed"));
    TRY(json_build_text(ctx, b, text, JSON_LIMITS_DEFAULT));
    json_build_key(b, STR("after"));
    json_build_array_begin(b);
    json_build_str(b, STR("x"));
    json_build_array_end(b);
    json_build_object_end(b);
    return OK;
}

static void text_of_others_is_parsed_into_the_value(void **state)
{
    struct json_builder *b = builder(*state, 4096);
    Str text = STR(" {\"b\" : [1, 0.50, \"\\u00e4\"], \"a\" : 12345678901234567890}");
    assert_int_equal(build_any(*state, b, text), OK);
    expect_text(*state, b,
                "{\"own\":1,\"parsed\":{\"b\":[1,0.5,\"\xc3\xa4\"],"
                "\"a\":12345678901234567000},\"after\":[\"x\"]}");
}

static void text_that_is_no_json_or_too_deep_is_refused(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(build_any(ctx, builder(ctx, 4096), STR("{\"a\":}")), ERR_INVALID_JSON);
    assert_int_equal(build_any(ctx, builder(ctx, 4096), STR("{\"a\":1,\"a\":2}")),
                     ERR_INVALID_JSON);
    struct json_limits flat = {1, 1};
    struct json_builder *b = builder(ctx, 4096);
    assert_int_equal(json_build_text(ctx, b, STR("[[]]"), flat), ERR_INVALID_JSON);
    assert_int_equal(json_build_text(ctx, b, STR("{\"a\":1,\"b\":2}"), flat), ERR_INVALID_JSON);
}

static void what_was_measured_is_enough_and_no_more(void **state)
{
    struct ctx *ctx = *state;
    Str text = STR("{\"list\":[1,2,3,{\"deep\":\"text\"}],\"none\":null}");
    const struct json *value = NULL;
    struct json_builder *measuring = json_builder_measuring(ctx);
    assert_int_equal(build_any(ctx, measuring, text), OK);
    uint64_t bytes = json_builder_bytes(measuring);
    assert_true(bytes > text.len);
    struct json_builder *b = builder(ctx, bytes);
    assert_int_equal(build_any(ctx, b, text), OK);
    assert_int_equal(json_builder_end(ctx, b, &value), OK);
    b = builder(ctx, bytes - 1);
    assert_int_equal(build_any(ctx, b, text), OK);
    assert_int_equal(json_builder_end(ctx, b, &value), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_value_reads_like_a_parsed_one),
        FIXTURE_TEST(one_value_needs_no_container),
        FIXTURE_TEST(two_values_are_made_in_turn),
        FIXTURE_TEST(a_value_that_passes_its_limit_is_too_large),
        FIXTURE_TEST(what_was_reserved_and_not_used_is_given_back),
        FIXTURE_TEST(text_of_others_is_parsed_into_the_value),
        FIXTURE_TEST(text_that_is_no_json_or_too_deep_is_refused),
        FIXTURE_TEST(what_was_measured_is_enough_and_no_more),
        FIXTURE_TEST(without_room_there_is_no_builder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
