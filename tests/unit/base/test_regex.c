#include "base/system/counters.h"
#include "base/text/regex.h"
#include "support/fixture.h"

#include <pthread.h>

static struct regex *compile(struct ctx *ctx, const char *pattern)
{
    struct regex *regex = NULL;
    if (regex_compile(ctx, str_from_z(pattern), 0, &regex) != OK)
        fail_msg("'%s' does not compile", pattern);
    return regex;
}

static bool matches(struct ctx *ctx, const char *pattern, Str subject)
{
    struct regex *regex = compile(ctx, pattern);
    bool is_match = regex_match(regex, subject, NULL);
    regex_free(regex);
    return is_match;
}

static void groups_are_views_into_the_subject(void **state)
{
    struct ctx *ctx = *state;
    struct regex *regex = compile(ctx, "(\\w+)@(\\w+)(x)?(y)?");
    Str subject = STR("to: ann@example.");
    struct regex_match match;
    assert_true(regex_match(regex, subject, &match));
    assert_ptr_equal(match.groups[0].data, subject.data + 4);
    assert_true(str_eq(match.groups[1], STR("ann")));
    assert_true(str_eq(match.groups[2], STR("example")));
    assert_int_equal(match.groups[3].len, 0);
    regex_free(regex);
    regex_free(NULL);
}

static void groups_that_took_no_part_are_none(void **state)
{
    struct ctx *ctx = *state;
    struct regex *regex = compile(ctx, "(a)|(b)");
    struct regex_match match;
    assert_true(regex_match(regex, STR("b"), &match));
    assert_int_equal(match.count, 3);
    assert_null(match.groups[1].data);
    assert_true(str_eq(match.groups[2], STR("b")));
    regex_free(regex);
}

static void groups_after_the_eighth_are_not_told(void **state)
{
    struct ctx *ctx = *state;
    struct regex *regex = compile(ctx, "(.)(.)(.)(.)(.)(.)(.)(.)(.)");
    struct regex_match match;
    assert_true(regex_match(regex, STR("123456789"), &match));
    assert_int_equal(match.count, 8);
    assert_true(str_eq(match.groups[7], STR("7")));
    regex_free(regex);
}

static void case_may_be_ignored_beyond_ascii(void **state)
{
    struct ctx *ctx = *state;
    struct regex *regex;
    assert_int_equal(regex_compile(ctx, STR("^żÓŁW$"), REGEX_NOCASE, &regex), OK);
    assert_true(regex_match(regex, STR("Żółw"), NULL));
    regex_free(regex);
    assert_false(matches(ctx, "^a$", STR("A")));
}

static void characters_are_matched_not_bytes(void **state)
{
    struct ctx *ctx = *state;
    assert_true(matches(ctx, "^.{4}$", STR("żółw")));
    assert_true(matches(ctx, "^\\p{Lu}", STR("Ł")));
}

static void nothing_is_a_subject_too(void **state)
{
    struct ctx *ctx = *state;
    struct regex_match match;
    struct regex *regex = compile(ctx, "^(a*)$");
    assert_true(regex_match(regex, STR_NONE, &match));
    assert_int_equal(match.groups[1].len, 0);
    regex_free(regex);
    assert_true(matches(ctx, "", STR("x")));
}

static void invalid_utf8_never_matches(void **state)
{
    struct ctx *ctx = *state;
    assert_false(matches(ctx, ".", STR("\xC3")));
}

static void check_pattern_refused(struct ctx *ctx, Str pattern, const char *words)
{
    struct regex *regex = NULL;
    assert_int_equal(regex_compile(ctx, pattern, 0, &regex), ERR_FAILED_VALIDATION);
    assert_null(regex);
    Str message = diag_message(ctx, ctx->diag.first);
    if (str_find(message, str_from_z(words)) < 0)
        fail_msg("'%.*s' does not say '%s'", STR_FMT(message), words);
}

static void bad_patterns_are_refused_with_their_place(void **state)
{
    struct ctx *ctx = *state;
    check_pattern_refused(ctx, STR("ab(c"), "offset 4");
    check_pattern_refused(ctx, STR("a\\C"), "offset");
    check_pattern_refused(ctx, STR("\xC3("), "UTF-8");
}

static Str repeated(struct ctx *ctx, const char *unit, unsigned count)
{
    size_t len = strlen(unit);
    char *text = arena_alloc_raw(ctx->arena, len * count);
    for (unsigned i = 0; i < count; i++)
        memcpy(text + i * len, unit, len);
    return str_of(text, len * count);
}

static void long_patterns_are_refused(void **state)
{
    struct ctx *ctx = *state;
    struct regex *regex;
    assert_int_equal(regex_compile(ctx, repeated(ctx, "a", 4096), 0, &regex), OK);
    regex_free(regex);
    check_pattern_refused(ctx, repeated(ctx, "a", 4097), "longer than the limit");
}

static Str nested(struct ctx *ctx, unsigned depth)
{
    return str_printf(ctx->arena, "%.*sa%.*s", STR_FMT(repeated(ctx, "(", depth)),
                      STR_FMT(repeated(ctx, ")+", depth)));
}

static void *compile_deep(void *state)
{
    struct ctx *ctx = state;
    struct regex *regex;
    Err err = regex_compile(ctx, nested(ctx, 20), 0, &regex);
    assert_int_equal(err, OK);
    assert_true(regex_match(regex, STR("aaa"), NULL));
    regex_free(regex);
    return NULL;
}

/* The stack of a fiber is 64 KB; the sanitizers need more for the same. */
static void the_deepest_pattern_compiles_on_a_small_stack(void **state)
{
    struct ctx *ctx = *state;
    pthread_attr_t attributes;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, 64 * 1024), 0);
    assert_int_equal(pthread_create(&thread, &attributes, compile_deep, ctx), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_attr_destroy(&attributes);
    check_pattern_refused(ctx, nested(ctx, 21), "too deeply nested");
}

static void hopeless_matches_are_given_up_and_counted(void **state)
{
    struct ctx *ctx = *state;
    int64_t before = counter_sum(COUNTER_regex_limit_hits);
    assert_false(
        matches(ctx, "^(a+)+$", STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")));
    assert_int_equal(counter_sum(COUNTER_regex_limit_hits), before + 1);
    assert_false(matches(ctx, "^b$", STR("a")));
    assert_int_equal(counter_sum(COUNTER_regex_limit_hits), before + 1);
}

/* What pcre2 would walk through for a second. */
static void ranges_that_ignore_case_have_a_limit(void **state)
{
    struct ctx *ctx = *state;
    Str ranges = repeated(ctx, "\\x{100}-\\x{10ffff}", 2);
    Str wide = str_printf(ctx->arena, "[%.*s]", STR_FMT(ranges));
    Str folded = str_printf(ctx->arena, "(?i)%.*s", STR_FMT(wide));
    Str spaced = str_printf(ctx->arena, "(?xxi)[\\x{100}- \\E\\x{10ffff}\\x{1}-\\N{U+10ffff}]");
    Str literal = STR("(?-s:(?^i:[\x01-\U0010ffff\x01-\U0010ffff]))");
    struct regex *regex;
    assert_int_equal(regex_compile(ctx, wide, 0, &regex), OK);
    regex_free(regex);
    assert_int_equal(regex_compile(ctx, STR("(?i)[\\x{1F300}-\\x{1F6FF}a-z0-9._-]+"), 0, &regex),
                     OK);
    regex_free(regex);
    const char *words = "too many characters in ranges";
    check_pattern_refused(ctx, folded, words);
    check_pattern_refused(ctx, spaced, words);
    check_pattern_refused(ctx, literal, words);
    assert_int_equal(regex_compile(ctx, wide, REGEX_NOCASE, &regex), ERR_FAILED_VALIDATION);
}

static bool matches_whole(struct ctx *ctx, const char *pattern, Str subject)
{
    const struct regex *regex = NULL;
    assert_int_equal(regex_find(ctx, str_from_z(pattern), REGEX_WHOLE, &regex), OK);
    return regex_match(regex, subject, NULL);
}

static void whole_means_from_the_first_to_the_last_character(void **state)
{
    struct ctx *ctx = *state;
    assert_true(matches_whole(ctx, "a|ab", STR("ab")));
    assert_false(matches_whole(ctx, "a|b", STR("ab")));
    assert_false(matches_whole(ctx, "a", STR("a\n")));
    assert_false(matches_whole(ctx, "^a$", STR("a\n")));
    assert_true(matches_whole(ctx, "^[0-9]{5}$", STR("12345")));
    /* Its own parentheses cannot get it out of that. */
    const struct regex *regex;
    assert_int_equal(regex_find(ctx, STR("a)|(?:b"), REGEX_WHOLE, &regex), ERR_FAILED_VALIDATION);
}

static void patterns_stay_compiled(void **state)
{
    struct ctx *ctx = *state;
    const struct regex *first, *again;
    assert_int_equal(regex_find(ctx, STR("kept"), 0, &first), OK);
    int64_t before = counter_sum(COUNTER_regex_compiles);
    assert_int_equal(regex_find(ctx, STR("kept"), 0, &again), OK);
    assert_ptr_equal(first, again);
    assert_int_equal(counter_sum(COUNTER_regex_compiles), before);
    assert_int_equal(regex_find(ctx, STR("kept"), REGEX_NOCASE, &again), OK);
    assert_ptr_not_equal(first, again);
    for (int i = 0; i < 2; i++)
        assert_int_equal(regex_find(ctx, STR("("), 0, &again), ERR_FAILED_VALIDATION);
    assert_int_equal(counter_sum(COUNTER_regex_compiles), before + 2);
    assert_int_equal(regex_find(ctx, repeated(ctx, "a", 5000), 0, &again), ERR_FAILED_VALIDATION);
}

/* 300 that are small, then 100 of 64 KB: neither their number nor their size grows for ever. */
static void what_was_used_longest_ago_goes(void **state)
{
    struct ctx *ctx = *state;
    const struct regex *regex;
    assert_int_equal(regex_find(ctx, STR("first"), 0, &regex), OK);
    for (int i = 0; i < 2 * REGEX_KEPT_MAX; i++) {
        assert_int_equal(regex_find(ctx, str_printf(ctx->arena, "p%d", i), 0, &regex), OK);
        assert_int_equal(regex_find(ctx, STR("often"), 0, &regex), OK);
    }
    int64_t before = counter_sum(COUNTER_regex_compiles);
    assert_int_equal(regex_find(ctx, STR("often"), 0, &regex), OK);
    assert_int_equal(counter_sum(COUNTER_regex_compiles), before);
    assert_int_equal(regex_find(ctx, STR("first"), 0, &regex), OK);
    assert_int_equal(counter_sum(COUNTER_regex_compiles), before + 1);

    for (int i = 0; i < 100; i++)
        assert_int_equal(
            regex_find(ctx, str_printf(ctx->arena, "(?:%d[a-z]){1,800}", i), 0, &regex), OK);
    before = counter_sum(COUNTER_regex_compiles);
    assert_int_equal(regex_find(ctx, STR("(?:99[a-z]){1,800}"), 0, &regex), OK);
    assert_int_equal(counter_sum(COUNTER_regex_compiles), before);
    assert_int_equal(regex_find(ctx, STR("(?:0[a-z]){1,800}"), 0, &regex), OK);
    assert_int_equal(counter_sum(COUNTER_regex_compiles), before + 1);
}

/* Steps that are walks through the whole subject: fewer than the limit of steps, and too long. */
static void matches_that_take_long_are_given_up(void **state)
{
    struct ctx *ctx = *state;
    int64_t before = counter_sum(COUNTER_regex_limit_hits);
    Str subject = repeated(ctx, "a", 200 * 1000);
    assert_false(matches_whole(ctx, "(?:a*+b|a*+c|a*+d|a*+e|a)*", subject));
    assert_int_equal(counter_sum(COUNTER_regex_limit_hits), before + 1);
    /* An honest one over a page of text is none of these. */
    assert_true(matches_whole(ctx, "(\\S+\\s*)+", repeated(ctx, "word and ", 200)));
    assert_int_equal(counter_sum(COUNTER_regex_limit_hits), before + 1);
}

static void *match_in_thread(void *regex)
{
    return regex_match(regex, STR("abc"), NULL) ? regex : NULL;
}

static void compiled_ones_are_shared_between_threads(void **state)
{
    (void)state;
    struct regex *regex = regex_must_compile("b");
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, match_in_thread, regex), 0);
    for (unsigned i = 0; i < 4; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, regex);
    }
    regex_free(regex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(groups_are_views_into_the_subject),
        FIXTURE_TEST(groups_that_took_no_part_are_none),
        FIXTURE_TEST(groups_after_the_eighth_are_not_told),
        FIXTURE_TEST(case_may_be_ignored_beyond_ascii),
        FIXTURE_TEST(characters_are_matched_not_bytes),
        FIXTURE_TEST(nothing_is_a_subject_too),
        FIXTURE_TEST(invalid_utf8_never_matches),
        FIXTURE_TEST(bad_patterns_are_refused_with_their_place),
        FIXTURE_TEST(long_patterns_are_refused),
        FIXTURE_TEST(the_deepest_pattern_compiles_on_a_small_stack),
        FIXTURE_TEST(hopeless_matches_are_given_up_and_counted),
        FIXTURE_TEST(matches_that_take_long_are_given_up),
        FIXTURE_TEST(ranges_that_ignore_case_have_a_limit),
        FIXTURE_TEST(whole_means_from_the_first_to_the_last_character),
        FIXTURE_TEST(patterns_stay_compiled),
        FIXTURE_TEST(what_was_used_longest_ago_goes),
        cmocka_unit_test(compiled_ones_are_shared_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
