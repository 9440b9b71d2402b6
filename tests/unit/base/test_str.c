#include "base/text/str.h"
#include "support/fixture.h"

static void check_str(Str got, const char *want)
{
    Str expected = str_from_z(want);
    assert_int_equal(got.len, expected.len);
    if (got.len > 0)
        assert_memory_equal(got.data, expected.data, got.len);
}

static void views_of_nothing_are_equal(void **state)
{
    (void)state;
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_eq(str_from_z(NULL), STR_NONE));
    assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
    assert_null(str_from_z(NULL).data);
}

static void comparing_is_bytewise_and_shorter_comes_first(void **state)
{
    (void)state;
    assert_true(str_cmp(STR("a"), STR("ab")) < 0);
    assert_true(str_cmp(STR("b"), STR("ab")) > 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
    assert_int_equal(str_cmp(STR("ab"), STR("ab")), 0);
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
}

static void case_is_ignored_for_ascii_only(void **state)
{
    (void)state;
    assert_true(str_eq_nocase(STR("Content-TYPE"), STR("content-type")));
    assert_false(str_eq_nocase(STR("a"), STR("ab")));
    assert_false(str_eq_nocase(STR("Ż"), STR("ż")));
    assert_false(str_eq_nocase(STR("["), STR("{")));
}

static void prefixes_and_suffixes_are_found(void **state)
{
    (void)state;
    assert_true(str_starts_with(STR("abc"), STR("ab")));
    assert_true(str_starts_with(STR_NONE, STR("")));
    assert_false(str_starts_with(STR("a"), STR("ab")));
    assert_true(str_ends_with(STR("abc"), STR("bc")));
    assert_false(str_ends_with(STR("c"), STR("bc")));
}

static void searching_answers_offset_or_minus_one(void **state)
{
    (void)state;
    assert_int_equal(str_find_char(STR("abcabc"), 'c'), 2);
    assert_int_equal(str_find_char(STR_NONE, 'c'), -1);
    assert_int_equal(str_find(STR("a needle"), STR("needle")), 2);
    assert_int_equal(str_find(STR("short"), STR("longer than it")), -1);
    assert_int_equal(str_find(STR("x"), STR("")), 0);
}

static void slices_are_clamped(void **state)
{
    (void)state;
    check_str(str_slice(STR("abcdef"), 2, 4), "cd");
    check_str(str_slice(STR("abc"), 2, 99), "c");
    check_str(str_slice(STR("abc"), 5, 2), "");
    assert_null(str_slice(STR_NONE, 1, 2).data);
}

static void trim_takes_ascii_space_at_both_ends(void **state)
{
    (void)state;
    check_str(str_trim(STR(" \t\r\na b\v\f ")), "a b");
    check_str(str_trim(STR("   ")), "");
}

static void splitting_keeps_empty_parts(void **state)
{
    (void)state;
    static const char *const WANT[] = {"a", "", "b", ""};
    Str rest = STR("a,,b,");
    Str part;
    for (unsigned i = 0; i < 4; i++) {
        assert_true(str_next(&rest, ',', &part));
        check_str(part, WANT[i]);
    }
    assert_false(str_next(&rest, ',', &part));
}

static void splitting_nothing_has_no_part_but_empty_text_has_one(void **state)
{
    (void)state;
    Str none = STR_NONE;
    Str empty = STR("");
    Str part = STR("untouched");
    assert_false(str_next(&none, ',', &part));
    check_str(part, "untouched");
    assert_true(str_next(&empty, ',', &part));
    check_str(part, "");
    assert_false(str_next(&empty, ',', &part));
}

static void copies_are_independent(void **state)
{
    struct ctx *ctx = *state;
    char source[] = "AbC";
    Str copy = str_dup(ctx->arena, str_from_z(source));
    Str lower = str_lower(ctx->arena, str_from_z(source));
    char *z = str_z(ctx->arena, str_of(source, 2));
    source[0] = 'x';
    check_str(copy, "AbC");
    check_str(lower, "abc");
    assert_string_equal(z, "Ab");
    assert_string_equal(str_z(ctx->arena, STR_NONE), "");
    assert_null(str_dup(ctx->arena, STR_NONE).data);
    assert_null(str_lower(ctx->arena, STR_NONE).data);
}

static void printing_is_not_cut(void **state)
{
    struct ctx *ctx = *state;
    check_str(str_printf(ctx->arena, "%s-%d", "a", 7), "a-7");
    for (int width = 250; width < 260; width++) {
        Str text = str_printf(ctx->arena, "%*d", width, 7);
        assert_int_equal(text.len, width);
        assert_int_equal(text.data[width - 1], '7');
    }
}

static void integers_are_read_up_to_their_limits(void **state)
{
    (void)state;
    int64_t i = 0;
    uint64_t u = 0;
    assert_true(str_to_i64(STR("9223372036854775807"), &i) && i == INT64_MAX);
    assert_true(str_to_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(str_to_i64(STR("007"), &i) && i == 7);
    assert_true(str_to_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
}

static void integers_refuse_everything_else(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",
                                      "-",
                                      "--1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x1",
                                      "1e3",
                                      "9223372036854775808",
                                      "a",
                                      "1a",
                                      "１",
                                      "-9223372036854775809",
                                      "99999999999999999999999"};
    int64_t i = 42;
    for (unsigned n = 0; n < sizeof BAD / sizeof BAD[0]; n++)
        assert_false(str_to_i64(str_from_z(BAD[n]), &i));
    uint64_t u = 42;
    assert_false(str_to_u64(STR("18446744073709551616"), &u));
    assert_false(str_to_u64(STR("-1"), &u));
    assert_int_equal(i, 42);
    assert_int_equal(u, 42);
}

static void doubles_are_read_whole(void **state)
{
    (void)state;
    double d = 0;
    assert_true(str_to_double(STR("-12.5e-1"), &d) && d == -1.25);
    assert_true(str_to_double(STR("1E+3"), &d) && d == 1000);
    assert_true(str_to_double(STR("0.1"), &d) && d == 0.1);
    assert_true(str_to_double(STR("1e-999"), &d) && d == 0);
    assert_true(str_to_double(str_of("7", 1), &d) && d == 7);
}

static void doubles_refuse_everything_else(void **state)
{
    struct ctx *ctx = *state;
    static const char *const BAD[] = {"",    "-",   ".5",    "5.", "1e",  "1e+", "inf",
                                      "nan", "0x1", "1e999", " 1", "1 2", "1,5"};
    double d = 42;
    for (unsigned n = 0; n < sizeof BAD / sizeof BAD[0]; n++)
        assert_false(str_to_double(str_from_z(BAD[n]), &d));
    assert_true(str_to_double(str_printf(ctx->arena, "%0128d", 1), &d) && d == 1);
    d = 42;
    assert_false(str_to_double(str_printf(ctx->arena, "%0129d", 1), &d));
    assert_true(d == 42);
}

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"",
                                       "plain text longer than eight",
                                       "zażółć gęślą jaźń",
                                       "\x7f",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "12345678\xF0\x9F\x98\x80"};
    static const char *const BAD[] = {"\x80",         "\xC0\x80",         "\xC1\xBF",
                                      "\xC2",         "\xC2\x41",         "\xE0\x9F\xBF",
                                      "\xE2\x82",     "\xED\xA0\x80",     "\xF0\x8F\xBF\xBF",
                                      "\xF0\x9F\x98", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
                                      "\xFF",         "12345678\xFE",     "1234567\xC3"};
    for (unsigned n = 0; n < sizeof GOOD / sizeof GOOD[0]; n++)
        assert_true(str_is_utf8(str_from_z(GOOD[n])));
    for (unsigned n = 0; n < sizeof BAD / sizeof BAD[0]; n++)
        assert_false(str_is_utf8(str_from_z(BAD[n])));
    assert_int_equal(str_count_codepoints(STR("zażółć")), 6);
    assert_int_equal(str_count_codepoints(STR_NONE), 0);
}

/* Every length from 0 to 40, each byte in turn: none may be overlooked. */
static void hash_depends_on_every_byte(void **state)
{
    (void)state;
    char bytes[40] = {0};
    for (size_t len = 0; len <= sizeof bytes; len++) {
        Str s = str_of(bytes, len);
        uint64_t hash = str_hash(s);
        assert_int_equal(hash, str_hash(s));
        if (len > 0)
            assert_int_not_equal(hash, str_hash(str_of(bytes, len - 1)));
        for (size_t i = 0; i < len; i++) {
            bytes[i] = 1;
            assert_int_not_equal(hash, str_hash(s));
            bytes[i] = 0;
        }
    }
}

static void stable_hash_is_fnv_1a(void **state)
{
    (void)state;
    assert_true(str_hash_stable(STR("")) == UINT64_C(0xCBF29CE484222325));
    assert_true(str_hash_stable(STR("foobar")) == UINT64_C(0x85944171F73967E8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_of_nothing_are_equal),
        cmocka_unit_test(comparing_is_bytewise_and_shorter_comes_first),
        cmocka_unit_test(case_is_ignored_for_ascii_only),
        cmocka_unit_test(prefixes_and_suffixes_are_found),
        cmocka_unit_test(searching_answers_offset_or_minus_one),
        cmocka_unit_test(slices_are_clamped),
        cmocka_unit_test(trim_takes_ascii_space_at_both_ends),
        cmocka_unit_test(splitting_keeps_empty_parts),
        cmocka_unit_test(splitting_nothing_has_no_part_but_empty_text_has_one),
        FIXTURE_TEST(copies_are_independent),
        FIXTURE_TEST(printing_is_not_cut),
        cmocka_unit_test(integers_are_read_up_to_their_limits),
        cmocka_unit_test(integers_refuse_everything_else),
        cmocka_unit_test(doubles_are_read_whole),
        FIXTURE_TEST(doubles_refuse_everything_else),
        cmocka_unit_test(utf8_is_told_from_other_bytes),
        cmocka_unit_test(hash_depends_on_every_byte),
        cmocka_unit_test(stable_hash_is_fnv_1a),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
