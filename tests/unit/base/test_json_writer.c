#include "base/json/json_writer.h"
#include "support/fixture.h"

#include <math.h>
#include <stdlib.h>

static struct json_writer writer(struct ctx *ctx)
{
    return json_writer(buf_in_arena(ctx->arena, 1 << 20));
}

static void check_out(struct ctx *ctx, const struct json_writer *w, const char *want)
{
    assert_string_equal(str_z(ctx->arena, buf_str(w->out)), want);
}

static void check_real(struct ctx *ctx, double value, const char *want)
{
    struct json_writer w = writer(ctx);
    json_put_real(&w, value);
    check_out(ctx, &w, want);
}

static void check_escape(struct ctx *ctx, Str value, const char *want)
{
    struct buf *out = buf_in_arena(ctx->arena, 1000);
    json_escape(out, value);
    assert_string_equal(str_z(ctx->arena, buf_str(out)), want);
}

static void commas_are_placed(void **state)
{
    struct ctx *ctx = *state;
    struct json_writer w = writer(ctx);
    json_object_begin(&w);
    json_field_str(&w, "s", STR("x"));
    json_field_int(&w, "i", -1);
    json_key(&w, STR("list"));
    json_array_begin(&w);
    json_array_begin(&w);
    json_array_end(&w);
    json_put_int(&w, 1);
    json_object_begin(&w);
    json_object_end(&w);
    json_put_null(&w);
    json_put_bool(&w, true);
    json_array_end(&w);
    json_field_bool(&w, "b", false);
    json_field_null(&w, "n");
    json_field_raw(&w, "r", STR("[1, 2]"));
    json_object_end(&w);
    check_out(ctx, &w,
              "{\"s\":\"x\",\"i\":-1,\"list\":[[],1,{},null,true],\"b\":false,\"n\":null,"
              "\"r\":[1, 2]}");
    assert_int_equal(w.depth, 0);
}

static void ids_and_times_are_strings(void **state)
{
    struct ctx *ctx = *state;
    struct json_writer w = writer(ctx);
    json_array_begin(&w);
    json_put_uuid(&w, UUID_LIBRARY_SITE);
    json_put_time(&w, 1735516602000000);
    json_object_begin(&w);
    json_field_uuid(&w, "id", UUID_LIBRARY_SITE);
    json_object_end(&w);
    json_array_end(&w);
    check_out(ctx, &w,
              "[\"00000000-0000-7000-8000-000000000001\",\"2024-12-29T23:56:42.000Z\","
              "{\"id\":\"00000000-0000-7000-8000-000000000001\"}]");
}

static void strings_are_escaped_as_json_stringify_does(void **state)
{
    struct ctx *ctx = *state;
    check_escape(ctx, STR(""), "");
    check_escape(ctx, STR_NONE, "");
    check_escape(ctx, STR("\"\\/"), "\\\"\\\\/");
    check_escape(ctx, STR("\b\t\n\f\r"), "\\b\\t\\n\\f\\r");
    check_escape(ctx, STR("\0\x01\x1f\x7f"), "\\u0000\\u0001\\u001f\x7f");
    check_escape(ctx, STR("zażółć \U0001F600 </script>"), "zażółć \U0001F600 </script>");
}

static void invalid_utf8_becomes_the_replacement_character(void **state)
{
    struct ctx *ctx = *state;
    check_escape(ctx,
                 STR("a\xFF"
                     "b"),
                 "a\xEF\xBF\xBD"
                 "b");
    check_escape(ctx, STR("\xC5"), "\xEF\xBF\xBD");
    check_escape(ctx, STR("12345678\xC5"), "12345678\xEF\xBF\xBD");
    check_escape(ctx, STR("\xC5\""), "\xEF\xBF\xBD\\\"");
}

/* The scanner takes eight bytes at a time: a special one must be seen at every place of every
 * length. */
static void no_special_byte_is_overlooked(void **state)
{
    struct ctx *ctx = *state;
    static const char SPECIAL[] = {'"', '\\', '\n', 0x1f, 0};
    struct buf *out = buf_in_arena(ctx->arena, 1000);
    char text[40];
    for (size_t len = 1; len <= sizeof text; len++) {
        for (size_t at = 0; at < len; at++) {
            for (size_t s = 0; s < sizeof SPECIAL; s++) {
                memset(text, 'a', sizeof text);
                text[at] = SPECIAL[s];
                buf_clear(out);
                json_escape(out, str_of(text, len));
                assert_true(out->len > len);
                assert_int_equal(out->data[at], '\\');
            }
        }
    }
}

static void every_byte_value_is_escaped_or_kept(void **state)
{
    struct ctx *ctx = *state;
    for (unsigned c = 0; c < 0x80; c++) {
        char text[9] = "aaaaaaaa";
        text[3] = (char)c;
        struct buf *out = buf_in_arena(ctx->arena, 100);
        json_escape(out, str_of(text, 8));
        bool is_special = c < 0x20 || c == '"' || c == '\\';
        assert_int_equal(out->len > 8, is_special);
    }
}

static void reals_look_as_in_javascript(void **state)
{
    struct ctx *ctx = *state;
    check_real(ctx, 0, "0");
    check_real(ctx, -0.0, "0");
    check_real(ctx, 5, "5");
    check_real(ctx, -1.5, "-1.5");
    check_real(ctx, 0.1, "0.1");
    check_real(ctx, 0.1 + 0.2, "0.30000000000000004");
    check_real(ctx, 1.0 / 3, "0.3333333333333333");
    check_real(ctx, 123456.789, "123456.789");
    check_real(ctx, 1e-6, "0.000001");
    check_real(ctx, 1.5e-6, "0.0000015");
    check_real(ctx, 1e-7, "1e-7");
    check_real(ctx, 1.25e-7, "1.25e-7");
    check_real(ctx, 9007199254740993.0, "9007199254740992");
    check_real(ctx, 1e20, "100000000000000000000");
    check_real(ctx, 123456789012345680000.0, "123456789012345680000");
    check_real(ctx, 1e21, "1e+21");
    check_real(ctx, -1.7976931348623157e308, "-1.7976931348623157e+308");
    check_real(ctx, 5e-324, "5e-324");
    check_real(ctx, 2.2250738585072014e-308, "2.2250738585072014e-308");
}

static void what_is_no_number_is_null(void **state)
{
    struct ctx *ctx = *state;
    check_real(ctx, (double)NAN, "null");
    check_real(ctx, (double)INFINITY, "null");
    check_real(ctx, -(double)INFINITY, "null");
}

static void reals_read_back_exactly(void **state)
{
    struct ctx *ctx = *state;
    uint64_t bits = 1;
    for (unsigned i = 0; i < 20000; i++) {
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        ArenaMark mark = arena_mark(ctx->arena);
        struct json_writer w = writer(ctx);
        json_put_real(&w, value);
        assert_true(strtod(str_z(ctx->arena, buf_str(w.out)), NULL) == value);
        arena_rewind(ctx->arena, mark);
    }
}

static void a_full_buffer_is_told_at_the_end(void **state)
{
    struct ctx *ctx = *state;
    struct json_writer w = json_writer(buf_in_arena(ctx->arena, 20));
    json_array_begin(&w);
    json_put_uuid(&w, UUID_LIBRARY_SITE);
    json_put_time(&w, 0);
    json_put_str(&w, STR("x"));
    json_array_end(&w);
    assert_int_equal(buf_check(ctx, w.out, "The answer"), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(commas_are_placed),
        FIXTURE_TEST(ids_and_times_are_strings),
        FIXTURE_TEST(strings_are_escaped_as_json_stringify_does),
        FIXTURE_TEST(invalid_utf8_becomes_the_replacement_character),
        FIXTURE_TEST(no_special_byte_is_overlooked),
        FIXTURE_TEST(every_byte_value_is_escaped_or_kept),
        FIXTURE_TEST(reals_look_as_in_javascript),
        FIXTURE_TEST(what_is_no_number_is_null),
        FIXTURE_TEST(reals_read_back_exactly),
        FIXTURE_TEST(a_full_buffer_is_told_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
