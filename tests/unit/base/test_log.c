#include "base/system/log.h"
#include "support/fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Everything that `write_lines` writes to the descriptor, read back through a pipe. */
static Str capture(struct ctx *ctx, int target, void (*write_lines)(struct ctx *))
{
    enum { CAPTURE_MAX = 32 * 1024 };
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int kept = dup(target);
    assert_true(kept >= 0 && dup2(ends[1], target) == target);
    write_lines(ctx);
    assert_int_equal(dup2(kept, target), target);
    (void)close(kept);
    (void)close(ends[1]);
    char *text = arena_alloc_raw(ctx->arena, CAPTURE_MAX);
    size_t len = 0;
    ssize_t got;
    while ((got = read(ends[0], text + len, CAPTURE_MAX - len)) > 0)
        len += (size_t)got;
    (void)close(ends[0]);
    return str_of(text, len);
}

static const struct json *line_of(struct ctx *ctx, Str text)
{
    const struct json *json = NULL;
    assert_true(str_ends_with(text, STR("\n")));
    assert_int_equal(str_find_char(text, '\n'), (ptrdiff_t)text.len - 1);
    assert_int_equal(json_parse(ctx, text, JSON_LIMITS_DEFAULT, &json), OK);
    return json;
}

static void write_all_kinds(struct ctx *ctx)
{
    (void)ctx;
    log_event(LOG_WARN, "tried", LOG_S("s", STR("a\"\n")), LOG_Z("z", "zed"), LOG_I("i", -5),
              LOG_R("r", 0.5), LOG_B("b", true),
              ((struct log_field){"j", LOG_JSON, STR("[1]"), 0, 0}),
              ((struct log_field){"none", LOG_JSON, STR_NONE, 0, 0}));
}

static void a_line_is_one_json_object(void **state)
{
    struct ctx *ctx = *state;
    log_init(LOG_INFO, "test-1");
    const struct json *line = line_of(ctx, capture(ctx, STDERR_FILENO, write_all_kinds));
    assert_int_equal(json_str(json_get(line, STR("time"))).len, 24);
    assert_true(str_eq(json_str(json_get(line, STR("level"))), STR("warn")));
    assert_true(str_eq(json_str(json_get(line, STR("process"))), STR("test-1")));
    assert_true(str_eq(json_str(json_get(line, STR("event"))), STR("tried")));
    assert_true(str_eq(json_str(json_get(line, STR("s"))), STR("a\"\n")));
    assert_true(str_eq(json_str(json_get(line, STR("z"))), STR("zed")));
    assert_int_equal(json_int(json_get(line, STR("i"))), -5);
    assert_true(json_number(json_get(line, STR("r"))) == 0.5);
    assert_true(json_bool(json_get(line, STR("b"))));
    assert_int_equal(json_len(json_get(line, STR("j"))), 1);
    assert_true(json_is_null(json_get(line, STR("none"))));
}

static void write_two_levels(struct ctx *ctx)
{
    (void)ctx;
    log_event(LOG_DEBUG, "quiet");
    log_event(LOG_INFO, "loud");
}

static void levels_below_the_minimum_are_silent(void **state)
{
    struct ctx *ctx = *state;
    log_init(LOG_INFO, "test");
    assert_false(log_is_on(LOG_DEBUG));
    assert_true(log_is_on(LOG_ERROR));
    const struct json *line = line_of(ctx, capture(ctx, STDERR_FILENO, write_two_levels));
    assert_true(str_eq(json_str(json_get(line, STR("event"))), STR("loud")));
}

static void the_target_may_be_standard_output(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(fflush(stdout), 0);
    assert_int_equal(setenv("LOG_TARGET", "stdout", 1), 0);
    log_init(LOG_INFO, "test");
    const struct json *line = line_of(ctx, capture(ctx, STDOUT_FILENO, write_two_levels));
    assert_true(str_eq(json_str(json_get(line, STR("event"))), STR("loud")));
    assert_int_equal(unsetenv("LOG_TARGET"), 0);
    log_init(LOG_INFO, "test");
}

static void write_long_fields(struct ctx *ctx)
{
    Str wide = str_printf(ctx->arena, "x%01500d\U0001F600%03000d", 0, 0);
    /* 10 KB of quotes double when they are escaped. */
    char *quotes = arena_alloc_raw(ctx->arena, 10000);
    memset(quotes, '"', 10000);
    log_event(LOG_INFO, "long", LOG_S("a", wide), LOG_S("b", str_of(quotes, 10000)),
              LOG_S("c", str_of(quotes, 10000)), LOG_I("d", 4));
}

static void long_lines_are_cut_and_stay_json(void **state)
{
    struct ctx *ctx = *state;
    Str text = capture(ctx, STDERR_FILENO, write_long_fields);
    assert_true(text.len <= 8192);
    const struct json *line = line_of(ctx, text);
    assert_true(json_str(json_get(line, STR("a"))).len <= 2048);
    assert_int_equal(json_str(json_get(line, STR("b"))).len, 2048);
    assert_null(json_get(line, STR("c")));
    assert_int_equal(json_int(json_get(line, STR("d"))), 4);
    assert_true(json_bool(json_get(line, STR("truncated"))));
}

static void levels_have_names(void **state)
{
    (void)state;
    enum log_level level = LOG_WARN;
    assert_true(log_level_parse(STR("debug"), &level) && level == LOG_DEBUG);
    assert_true(log_level_parse(STR("error"), &level) && level == LOG_ERROR);
    assert_false(log_level_parse(STR("loud"), &level));
    assert_false(log_level_parse(STR(""), &level));
    assert_int_equal(level, LOG_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_line_is_one_json_object),
        FIXTURE_TEST(levels_below_the_minimum_are_silent),
        FIXTURE_TEST(the_target_may_be_standard_output),
        FIXTURE_TEST(long_lines_are_cut_and_stay_json),
        cmocka_unit_test(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
