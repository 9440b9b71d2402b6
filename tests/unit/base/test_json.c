#include "base/json/json.h"
#include "base/json/json_scan.h"
#include "support/fixture.h"

static const struct json *parse(struct ctx *ctx, const char *text)
{
    const struct json *json = NULL;
    if (json_parse(ctx, str_from_z(text), JSON_LIMITS_DEFAULT, &json) != OK)
        fail_msg("'%s' is refused", text);
    return json;
}

static void check_refused(struct ctx *ctx, Str text, const char *words)
{
    const struct json *json = NULL;
    assert_int_equal(json_parse(ctx, text, JSON_LIMITS_DEFAULT, &json), ERR_INVALID_JSON);
    assert_null(json);
    Str message = diag_message(ctx, ctx->diag.first);
    if (str_find(message, str_from_z(words)) < 0)
        fail_msg("'%.*s' does not say '%s'", STR_FMT(message), words);
}

static Str nested(struct ctx *ctx, unsigned depth)
{
    char *text = arena_alloc_raw(ctx->arena, 2 * (size_t)depth);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    return str_of(text, 2 * (size_t)depth);
}

static Str object_of(struct ctx *ctx, unsigned keys)
{
    Str text = STR("{");
    for (unsigned i = 0; i < keys; i++)
        text = str_printf(ctx->arena, "%.*s%s\"k%u\":%u", STR_FMT(text), i > 0 ? "," : "", i, i);
    return str_printf(ctx->arena, "%.*s}", STR_FMT(text));
}

static void values_of_every_kind_are_read(void **state)
{
    struct ctx *ctx = *state;
    assert_true(json_is_null(parse(ctx, "null")));
    assert_true(json_bool(parse(ctx, "true")));
    assert_false(json_bool(parse(ctx, "false")));
    assert_false(json_bool(parse(ctx, "1")));
    assert_true(json_int(parse(ctx, "-9223372036854775808")) == INT64_MIN);
    assert_true(json_number(parse(ctx, "2.5e3")) == 2500.0);
    assert_true(json_number(parse(ctx, "7")) == 7.0);
    assert_true(str_eq(json_str(parse(ctx, " \"z\\u017c\\n\" ")), STR("zż\n")));
    assert_int_equal(json_kind(parse(ctx, "[]")), JSON_ARRAY);
    assert_int_equal(json_kind(parse(ctx, "{}")), JSON_OBJECT);
    assert_int_equal(json_kind(parse(ctx, "1.0")), JSON_REAL);
}

static void kinds_have_names_for_sentences(void **state)
{
    struct ctx *ctx = *state;
    assert_string_equal(json_kind_name(NULL), "null");
    assert_string_equal(json_kind_name(parse(ctx, "true")), "a boolean");
    assert_string_equal(json_kind_name(parse(ctx, "1")), "an integer");
    assert_string_equal(json_kind_name(parse(ctx, "1.5")), "a number");
    assert_string_equal(json_kind_name(parse(ctx, "\"\"")), "a string");
    assert_string_equal(json_kind_name(parse(ctx, "[]")), "an array");
    assert_string_equal(json_kind_name(parse(ctx, "{}")), "an object");
}

static void lookups_of_nothing_chain(void **state)
{
    struct ctx *ctx = *state;
    const struct json *json = parse(ctx, "{\"a\":{\"b\":[10,20]}}");
    const struct json *b = json_get(json_get(json, STR("a")), STR("b"));
    assert_true(json_int(json_at(b, 1)) == 20);
    assert_null(json_at(b, 2));
    assert_null(json_get(json_get(json_get(json, STR("x")), STR("y")), STR("z")));
    assert_null(json_get(b, STR("a")));
    assert_null(json_at(NULL, 0));
    assert_null(json_at(json, 0));
    assert_int_equal(json_len(NULL), 0);
    assert_int_equal(json_len(json), 1);
    assert_int_equal(json_len(b), 2);
    assert_int_equal(json_len(parse(ctx, "\"abc\"")), 0);
    assert_null(json_get(json, STR_NONE));
}

static void objects_keep_the_order_of_the_text(void **state)
{
    struct ctx *ctx = *state;
    const struct json *json = parse(ctx, "{\"z\":1,\"a\":2,\"m\":3}");
    static const char KEYS[] = "zam";
    unsigned count = 0;
    for (struct json_iter it = json_iter(json); json_next(&it); count++) {
        assert_true(str_eq(it.key, str_of(&KEYS[count], 1)));
        assert_true(json_int(it.value) == (int64_t)count + 1);
    }
    assert_int_equal(count, 3);
}

static void iterating_nothing_ends_at_once(void **state)
{
    struct ctx *ctx = *state;
    struct json_iter none = json_iter(NULL);
    struct json_iter array = json_iter(parse(ctx, "[1]"));
    struct json_iter empty = json_iter(parse(ctx, "{}"));
    assert_false(json_next(&none));
    assert_false(json_next(&array));
    assert_false(json_next(&empty));
    assert_false(json_next(&empty));
}

static void bad_grammar_is_refused_with_its_place(void **state)
{
    struct ctx *ctx = *state;
    check_refused(ctx, STR("{\"a\":1,}"), "line 1, column");
    check_refused(ctx, STR("[1,\n2"), "ends too early (line 2");
    check_refused(ctx, STR("{} {}"), "something after the end");
    check_refused(ctx, STR("'a'"), "unexpected text");
    check_refused(ctx, STR("]"), "unexpected text");
    check_refused(ctx, STR("\"abc"), "Invalid JSON");
    check_refused(ctx, STR("\"\\"), "Invalid JSON");
    check_refused(ctx, STR("01"), "Invalid JSON");
    check_refused(ctx, STR("NaN"), "Invalid JSON");
    check_refused(ctx, STR("\"\\ud800\""), "Invalid JSON");
    check_refused(ctx, STR("\"a\tb\""), "Invalid JSON");
    check_refused(ctx, STR(""), "empty");
    check_refused(ctx, STR(" \n"), "empty");
}

static void duplicate_keys_are_refused(void **state)
{
    struct ctx *ctx = *state;
    check_refused(ctx, STR("{\"a\":1,\"a\":2}"), "appears twice");
    check_refused(ctx, STR("{\"a\":1,\"\\u0061\":2}"), "appears twice");
}

static void numbers_out_of_range_are_refused(void **state)
{
    struct ctx *ctx = *state;
    check_refused(ctx, STR("1e999"), "out of range");
    check_refused(ctx, str_printf(ctx->arena, "1%0400d", 0), "out of range");
}

/* JSON.stringify(1e20) is a one and twenty zeros. */
static void integers_beyond_64_bits_are_reals(void **state)
{
    struct ctx *ctx = *state;
    const struct json *json =
        parse(ctx, "[9223372036854775807,9223372036854775808,-9223372036854775808,"
                   "-9223372036854775809,{\"k9223372036854775808\":100000000000000000000},"
                   "\"\\\"9223372036854775808\",1.9223372036854775808,1e-9223372036854775808]");
    assert_int_equal(json_kind(json_at(json, 0)), JSON_INT);
    assert_int_equal(json_kind(json_at(json, 1)), JSON_REAL);
    assert_true(json_number(json_at(json, 1)) == 9223372036854775808.0);
    assert_int_equal(json_kind(json_at(json, 2)), JSON_INT);
    assert_int_equal(json_kind(json_at(json, 3)), JSON_REAL);
    const struct json *member = json_get(json_at(json, 4), STR("k9223372036854775808"));
    assert_true(json_number(member) == 1e20);
    assert_true(str_eq(json_text(ctx->arena, member), STR("100000000000000000000")));
    assert_true(str_eq(json_str(json_at(json, 5)), STR("\"9223372036854775808")));
    check_refused(ctx, STR("[9223372036854775808"), "ends too early");
    check_refused(ctx, STR("[--9223372036854775808]"), "unexpected text");
}

static void nul_is_refused_however_it_is_written(void **state)
{
    struct ctx *ctx = *state;
    check_refused(ctx, STR("\"a\0b\""), "NUL");
    check_refused(ctx, STR("\"\\u0000\""), "NUL");
    check_refused(ctx, STR("{\"\\u0000\":1}"), "NUL");
    assert_true(str_eq(json_str(parse(ctx, "\"\\\\u0000\"")), STR("\\u0000")));
}

static void bad_utf8_is_refused(void **state)
{
    struct ctx *ctx = *state;
    check_refused(ctx, STR("\"\xC3\""), "UTF-8");
    check_refused(ctx, STR("\"\xED\xA0\x80\""), "UTF-8");
}

static void nesting_ends_at_the_limit(void **state)
{
    struct ctx *ctx = *state;
    const struct json *json;
    Str deepest = nested(ctx, JSON_DEPTH_MAX);
    assert_int_equal(json_parse(ctx, deepest, JSON_LIMITS_DEFAULT, &json), OK);
    check_refused(ctx, nested(ctx, JSON_DEPTH_MAX + 1), "deeper than 16 levels");
    check_refused(ctx, nested(ctx, 100000), "deeper than 16 levels");
    struct json_limits most = {JSON_DEPTH_CAP, 1};
    assert_int_equal(json_parse(ctx, nested(ctx, JSON_DEPTH_CAP), most, &json), OK);
    assert_true(str_eq(json_text(ctx->arena, json), nested(ctx, JSON_DEPTH_CAP)));
}

static void brackets_in_strings_do_not_nest(void **state)
{
    struct ctx *ctx = *state;
    (void)parse(ctx, "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"");
    (void)parse(ctx, "\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"");
}

static void keys_end_at_the_limit_of_each_object(void **state)
{
    struct ctx *ctx = *state;
    const struct json *json;
    Str most = object_of(ctx, JSON_KEYS_MAX);
    assert_int_equal(json_parse(ctx, most, JSON_LIMITS_DEFAULT, &json), OK);
    Str two = str_printf(ctx->arena, "[%.*s,%.*s]", STR_FMT(most), STR_FMT(most));
    assert_int_equal(json_parse(ctx, two, JSON_LIMITS_DEFAULT, &json), OK);
    check_refused(ctx, object_of(ctx, JSON_KEYS_MAX + 1), "more than 256 keys");
}

/* A tree is some forty times as large as the smallest text of it. */
static void values_end_at_the_limit(void **state)
{
    struct ctx *ctx = *state;
    const struct json *json;
    char *data = arena_alloc_raw(ctx->arena, 2 * JSON_VALUES_MAX + 1);
    memset(data, ',', 2 * JSON_VALUES_MAX + 1);
    for (size_t i = 1; i < 2 * JSON_VALUES_MAX; i += 2)
        data[i] = '1';
    data[0] = '[';
    data[2 * JSON_VALUES_MAX] = ']';
    Str one_more = str_of(data, 2 * JSON_VALUES_MAX + 1);
    assert_int_equal(json_parse(ctx, one_more, JSON_LIMITS_DEFAULT, &json), ERR_TOO_LARGE);
    assert_non_null(strstr(str_z(ctx->arena, ctx->diag.first->reason), "3000000 values"));
    data[2 * JSON_VALUES_MAX - 2] = ']';
    Str most = str_of(data, 2 * JSON_VALUES_MAX - 1);
    assert_int_equal(json_parse(ctx, most, JSON_LIMITS_DEFAULT, &json), OK);
    assert_int_equal(json_len(json), JSON_VALUES_MAX - 1);
}

static void text_reads_back(void **state)
{
    struct ctx *ctx = *state;
    static const char TEXT[] = "{\"a\":[1,-2.5,true,false,null,\"q\\\"\\\\\\n\\u0001ż\"],\"b\":{},"
                               "\"c\":[],\"d\":{\"e\":[[{}]]}}";
    assert_string_equal(str_z(ctx->arena, json_text(ctx->arena, parse(ctx, TEXT))), TEXT);
    assert_true(str_eq(json_text(ctx->arena, NULL), STR("null")));
}

static void whether_a_text_is_long_is_said_without_writing_it(void **state)
{
    struct ctx *ctx = *state;
    const struct json *json = parse(ctx, "{\"a\":[1,2,{\"key\":\"0123456789\"}],\"b\":null}");
    assert_true(json_is_long(json, 20));
    assert_false(json_is_long(json, 200));
    assert_false(json_is_long(NULL, 3));
    assert_true(json_is_long(parse(ctx, "[[[[\"0123456789\"]]]]"), 12));
    assert_false(json_is_long(parse(ctx, "[]"), 3));
}

static void trees_go_with_the_arena(void **state)
{
    struct ctx *ctx = *state;
    ArenaMark mark = arena_mark(ctx->arena);
    (void)parse(ctx, "[\"released by the rewind, else the leak checker complains\"]");
    arena_rewind(ctx->arena, mark);
}

static void absent_and_null_members_leave_the_result_alone(void **state)
{
    struct ctx *ctx = *state;
    const struct json *json = parse(ctx, "{\"n\":null}");
    Str text = STR("kept");
    int64_t number = 7;
    bool flag = true;
    Uuid uuid = UUID_LIBRARY_SITE;
    static const char *const KEYS[] = {"n", "absent"};
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(json_take_str(ctx, json, KEYS[i], 9, &text), OK);
        assert_int_equal(json_take_int(ctx, json, KEYS[i], 0, 9, &number), OK);
        assert_int_equal(json_take_bool(ctx, json, KEYS[i], &flag), OK);
        assert_int_equal(json_take_uuid(ctx, json, KEYS[i], &uuid), OK);
    }
    assert_true(str_eq(text, STR("kept")) && number == 7 && flag);
    assert_true(uuid_eq(uuid, UUID_LIBRARY_SITE));
}

static void members_of_the_right_type_are_taken(void **state)
{
    struct ctx *ctx = *state;
    const struct json *json = parse(ctx, "{\"s\":\"żółw\",\"i\":5,\"r\":5.0,\"b\":true,"
                                         "\"u\":\"00000000-0000-7000-8000-000000000001\"}");
    Str text;
    int64_t number;
    bool flag;
    Uuid uuid;
    assert_int_equal(json_take_str(ctx, json, "s", 4, &text), OK);
    assert_true(str_eq(text, STR("żółw")));
    assert_int_equal(json_take_int(ctx, json, "i", 5, 5, &number), OK);
    assert_int_equal(number, 5);
    assert_int_equal(json_take_int(ctx, json, "r", 0, 9, &number), OK);
    assert_int_equal(json_take_bool(ctx, json, "b", &flag), OK);
    assert_true(flag);
    assert_int_equal(json_take_uuid(ctx, json, "u", &uuid), OK);
    assert_true(uuid_eq(uuid, UUID_LIBRARY_SITE));
}

static void every_bad_member_is_reported_with_its_field(void **state)
{
    struct ctx *ctx = *state;
    const struct json *json =
        parse(ctx, "{\"s\":1,\"l\":\"abcd\",\"i\":\"x\",\"r\":1.5,\"h\":1e300,"
                   "\"o\":10,\"b\":0,\"u\":\"no\"}");
    Str text = STR("kept");
    int64_t number = 7;
    bool flag = true;
    Uuid uuid = UUID_LIBRARY_SITE;
    assert_int_equal(json_take_str(ctx, json, "s", 9, &text), ERR_INVALID_PAYLOAD);
    assert_int_equal(json_take_str(ctx, json, "l", 3, &text), ERR_INVALID_PAYLOAD);
    assert_int_equal(json_take_int(ctx, json, "i", 0, 9, &number), ERR_INVALID_PAYLOAD);
    assert_int_equal(json_take_int(ctx, json, "r", 0, 9, &number), ERR_INVALID_PAYLOAD);
    assert_int_equal(json_take_int(ctx, json, "h", 0, 9, &number), ERR_INVALID_PAYLOAD);
    assert_int_equal(json_take_int(ctx, json, "o", 0, 9, &number), ERR_INVALID_PAYLOAD);
    assert_int_equal(json_take_bool(ctx, json, "b", &flag), ERR_INVALID_PAYLOAD);
    assert_int_equal(json_take_uuid(ctx, json, "u", &uuid), ERR_INVALID_PAYLOAD);
    assert_int_equal(ctx->diag.count, 8);
    static const char FIELDS[] = "slirhobu";
    unsigned at = 0;
    for (struct diag_entry *entry = ctx->diag.first; entry != NULL; entry = entry->next) {
        assert_string_equal(entry->notes->key, "field");
        assert_true(str_eq(entry->notes->value, str_of(&FIELDS[at++], 1)));
    }
    assert_true(str_eq(diag_message(ctx, ctx->diag.first),
                       STR("Invalid payload. \"s\" must be a string, not an integer.")));
    assert_true(str_eq(text, STR("kept")) && number == 7 && flag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(values_of_every_kind_are_read),
        FIXTURE_TEST(kinds_have_names_for_sentences),
        FIXTURE_TEST(lookups_of_nothing_chain),
        FIXTURE_TEST(objects_keep_the_order_of_the_text),
        FIXTURE_TEST(iterating_nothing_ends_at_once),
        FIXTURE_TEST(bad_grammar_is_refused_with_its_place),
        FIXTURE_TEST(duplicate_keys_are_refused),
        FIXTURE_TEST(numbers_out_of_range_are_refused),
        FIXTURE_TEST(integers_beyond_64_bits_are_reals),
        FIXTURE_TEST(nul_is_refused_however_it_is_written),
        FIXTURE_TEST(bad_utf8_is_refused),
        FIXTURE_TEST(nesting_ends_at_the_limit),
        FIXTURE_TEST(brackets_in_strings_do_not_nest),
        FIXTURE_TEST(keys_end_at_the_limit_of_each_object),
        FIXTURE_TEST(values_end_at_the_limit),
        FIXTURE_TEST(text_reads_back),
        FIXTURE_TEST(whether_a_text_is_long_is_said_without_writing_it),
        FIXTURE_TEST(trees_go_with_the_arena),
        FIXTURE_TEST(absent_and_null_members_leave_the_result_alone),
        FIXTURE_TEST(members_of_the_right_type_are_taken),
        FIXTURE_TEST(every_bad_member_is_reported_with_its_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
