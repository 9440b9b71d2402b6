/*
 * pcre2 on a fiber: the worst patterns that are accepted, compiled and matched. Which are the worst
 * is measured: without the deep stack "optional groups" takes 180 KB, and with a JIT the patterns
 * of REVIEWED take 73 to 163 KB.
 */
#include "base/text/regex.h"
#include "stack_test.h"

enum { PATTERN_SIZE = 4096 + 1 };

/* `head`, as many `unit`s as fit, `tail`. */
static Str filled(struct ctx *ctx, const char *head, const char *unit, const char *tail)
{
    char *text = arena_alloc_raw(ctx->arena, PATTERN_SIZE);
    size_t len = (size_t)snprintf(text, PATTERN_SIZE, "%s", head);
    while (len + strlen(unit) + strlen(tail) < PATTERN_SIZE)
        len += (size_t)snprintf(text + len, PATTERN_SIZE - len, "%s", unit);
    len += (size_t)snprintf(text + len, PATTERN_SIZE - len, "%s", tail);
    return str_of(text, len);
}

/* `head` and a chain of groups of which each calls the next. */
static Str chained(struct ctx *ctx, const char *head, const char *group)
{
    char *text = arena_alloc_raw(ctx->arena, PATTERN_SIZE);
    size_t len = (size_t)snprintf(text, PATTERN_SIZE, "%s", head);
    for (int i = 2; len + 40 < PATTERN_SIZE; i++) {
        Str one = str_printf(ctx->arena, "(%s(?%d))", group, i);
        memcpy(text + len, one.data, one.len);
        len += one.len;
    }
    len += (size_t)snprintf(text + len, PATTERN_SIZE - len, "(b)");
    return str_of(text, len);
}

struct attempt {
    Str pattern;
    unsigned flags;
    Str subject;
    Err expected;
};

static void compile_and_match(struct ctx *ctx, void *arg)
{
    const struct attempt *attempt = arg;
    struct regex *regex = NULL;
    Err err = regex_compile(ctx, attempt->pattern, attempt->flags, &regex);
    assert_int_equal(err, attempt->expected);
    if (err == OK)
        (void)regex_match(regex, attempt->subject, NULL);
    regex_free(regex);
}

static void measure(const char *what, Str pattern, unsigned flags, Str subject)
{
    struct attempt attempt = {pattern, flags, subject, OK};
    (void)stack_measure(what, compile_and_match, &attempt);
}

static Str repeated(struct ctx *ctx, const char *unit, size_t size)
{
    char *text = arena_alloc_raw(ctx->arena, size);
    for (size_t i = 0; i < size; i++)
        text[i] = unit[i % strlen(unit)];
    return str_of(text, size);
}

static void patterns_with_many_repeats_fit_a_fiber(void **state)
{
    static const char *const REVIEWED[] = {
        "(?:\\d{1,3}\\.?){1,200}",
        "(\\s*\\S{1,100}){1,250}",
        "([^,]{1,40},? ?){1,150}",
        "(?:\\X{1,255}){1,255}",
    };
    struct ctx *ctx = *state;
    Str subject = repeated(ctx, "1.2 a, ", 10 * 1000);
    for (size_t i = 0; i < sizeof REVIEWED / sizeof REVIEWED[0]; i++)
        measure(REVIEWED[i], str_from_z(REVIEWED[i]), REGEX_WHOLE, subject);
}

static void patterns_that_are_long_fit_a_fiber(void **state)
{
    struct ctx *ctx = *state;
    Str subject = repeated(ctx, "aab", 10 * 1000);
    measure("optional groups", filled(ctx, "a*", "(b)?", ""), 0, subject);
    measure("optional groups, ignoring case", filled(ctx, "a*", "(?:b|c)?", ""), REGEX_NOCASE,
            subject);
    measure("alternatives", filled(ctx, "(?:a", "|a*", ")*"), REGEX_WHOLE, subject);
    measure("lookbehinds of calls", chained(ctx, "(?<=(?1))", "a"), 0, subject);
    measure("calls of calls", chained(ctx, "", "a?"), 0, subject);
    measure("alternative calls", chained(ctx, "", "a|(?1)|"), 0, subject);
    measure("conditions", filled(ctx, "", "(?(?=a)b|c)", ""), 0, subject);
    measure("20 groups deep", filled(ctx, "((((((((((((((((((((", "a*b?", "))))))))))))))))))))"),
            0, subject);
    measure("classes", filled(ctx, "", "[\\p{L}\\d_]*", ""), 0, subject);
    measure("repeats of repeats",
            STR("((((((((((a{1,2}){1,2}){1,2}){1,2}){1,2}){1,2}){1,2}){1,2})"
                "{1,2}){1,2})"),
            0, subject);
    /* They did recurse: elsewhere. */
    if (fiber_stack_size() == FIBER_STACK_SIZE)
        assert_in_range(deep_high_water(), FIBER_STACK_SIZE, DEEP_STACK_SIZE / 2);
}

static void matches_that_recurse_fit_a_fiber(void **state)
{
    struct ctx *ctx = *state;
    Str many = repeated(ctx, "a", 40 * 1000);
    measure("recursion", STR("(a(?R)?b)"), 0, many);
    measure("recursion in recursion", STR("(?:a(?R)?)+"), REGEX_WHOLE, many);
    measure("backtracking", STR("(a+)+b"), REGEX_WHOLE, many);
    measure("lookaheads", filled(ctx, "", "(?=a*)", "b"), 0, many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(patterns_with_many_repeats_fit_a_fiber),
        FIXTURE_TEST(patterns_that_are_long_fit_a_fiber),
        FIXTURE_TEST(matches_that_recurse_fit_a_fiber),
    };
    return cmocka_run_group_tests_name("stack of pcre2", tests, NULL, NULL);
}
