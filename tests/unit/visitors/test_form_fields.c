#include "base/text/buf.h"
#include "support/fixture.h"
#include "visitors/forms/form_fields.h"

static const struct json *parse(struct ctx *ctx, const char *text)
{
    const struct json *json;
    assert_int_equal(json_parse(ctx, str_from_z(text), JSON_LIMITS_DEFAULT, &json), OK);
    return json;
}

/* What is stored of `data` in a form of `fields`; STR_NONE when it is refused. */
static Str stored(struct ctx *ctx, const char *fields, const char *data)
{
    Str text = STR_NONE;
    diag_clear(ctx);
    Err err = form_check(ctx, parse(ctx, fields), parse(ctx, data), &text);
    assert_true(err == OK || err == ERR_FAILED_VALIDATION);
    return err == OK ? text : STR_NONE;
}

static void assert_stored(struct ctx *ctx, const char *fields, const char *data, const char *wanted)
{
    assert_string_equal(str_z(ctx->arena, stored(ctx, fields, data)), wanted);
}

static void assert_refused(struct ctx *ctx, const char *fields, const char *data)
{
    assert_null(stored(ctx, fields, data).data);
}

static void equal_answers_are_equal_texts(void **state)
{
    struct ctx *ctx = *state;
    const char *fields = "[{\"name\":\"a\"},{\"name\":\"b\",\"type\":\"number\"}]";
    const char *wanted = "{\"a\":\"x\",\"b\":1}";
    assert_stored(ctx, fields, "{\"a\":\"x\",\"b\":1}", wanted);
    assert_stored(ctx, fields, "{\"b\":1,\"a\":\"  x \"}", wanted);
    assert_stored(ctx, fields, "{}", "{}");
}

static void form_that_is_nonsense_takes_nothing_and_breaks_nothing(void **state)
{
    struct ctx *ctx = *state;
    assert_stored(ctx, "[1,null,\"x\",{},{\"name\":1},{\"name\":\"\"},[]]", "{}", "{}");
    assert_refused(ctx, "[]", "{\"a\":1}");
    assert_refused(ctx, "[{\"name\":\"\"}]", "{\"\":\"x\"}");
}

static void field_of_a_name_that_came_before_does_not_count(void **state)
{
    struct ctx *ctx = *state;
    const char *fields =
        "[{\"name\":\"a\"},{\"name\":\"a\",\"type\":\"number\",\"required\":true}]";
    assert_stored(ctx, fields, "{\"a\":\"x\"}", "{\"a\":\"x\"}");
    assert_stored(ctx, fields, "{}", "{}");
}

static void numbers_may_come_as_text_and_never_as_anything_else(void **state)
{
    struct ctx *ctx = *state;
    const char *fields = "[{\"name\":\"n\",\"type\":\"number\",\"min\":\"-1\",\"max\":2.5}]";
    assert_stored(ctx, fields, "{\"n\":\"2.5\"}", "{\"n\":2.5}");
    assert_stored(ctx, fields, "{\"n\":-1}", "{\"n\":-1}");
    assert_refused(ctx, fields, "{\"n\":2.6}");
    assert_refused(ctx, fields, "{\"n\":-2}");
    assert_refused(ctx, fields, "{\"n\":\"1e999\"}");
    assert_refused(ctx, fields, "{\"n\":\"nan\"}");
    assert_refused(ctx, fields, "{\"n\":\"inf\"}");
    assert_refused(ctx, fields, "{\"n\":\"0x10\"}");
    assert_refused(ctx, fields, "{\"n\":true}");
}

static void ticks_are_read_in_the_words_of_browsers(void **state)
{
    struct ctx *ctx = *state;
    const char *may = "[{\"name\":\"t\",\"type\":\"checkbox\"}]";
    const char *must = "[{\"name\":\"t\",\"type\":\"checkbox\",\"required\":true}]";
    assert_stored(ctx, may, "{\"t\":\"on\"}", "{\"t\":true}");
    assert_stored(ctx, may, "{\"t\":\"off\"}", "{\"t\":false}");
    assert_refused(ctx, must, "{\"t\":false}");
    assert_refused(ctx, must, "{\"t\":\"\"}");
    assert_refused(ctx, may, "{\"t\":1}");
}

static void pattern_holds_for_the_whole_value(void **state)
{
    struct ctx *ctx = *state;
    const char *fields = "[{\"name\":\"p\",\"pattern\":\"ab|cd\"}]";
    assert_stored(ctx, fields, "{\"p\":\"cd\"}", "{\"p\":\"cd\"}");
    assert_refused(ctx, fields, "{\"p\":\"abx\"}");
    assert_refused(ctx, fields, "{\"p\":\"xcd\"}");
}

static void pattern_that_is_broken_forgets_no_fault_told_before(void **state)
{
    struct ctx *ctx = *state;
    assert_refused(ctx, "[{\"name\":\"a\",\"required\":true},{\"name\":\"p\",\"pattern\":\"(\"}]",
                   "{\"p\":\"x\"}");
    assert_int_equal(ctx->diag.count, 1);
    assert_string_equal(str_z(ctx->arena, ctx->diag.first->reason), "\"a\" is required");
}

static void more_faults_than_are_kept_are_counted(void **state)
{
    struct ctx *ctx = *state;
    struct buf *data = buf_in_arena(ctx->arena, 65536);
    for (int i = 0; i < 200; i++)
        buf_printf(data, "%s\"k%d\":1", i == 0 ? "{" : ",", i);
    buf_put(data, STR("}"));
    assert_refused(ctx, "[]", str_z(ctx->arena, buf_str(data)));
    assert_int_equal(ctx->diag.count, 200);
}

static void text_of_a_lead_is_the_first_that_is_filled_in_and_cut_between_characters(void **state)
{
    struct ctx *ctx = *state;
    static const char *const NAMES[] = {"name", "full_name", NULL};
    const struct json *data = parse(ctx, "{\"name\":\"  \",\"full_name\":\" a\xc3\xa4 \"}");
    assert_string_equal(str_z(ctx->arena, form_text(data, NAMES, 10)), "a\xc3\xa4");
    assert_string_equal(str_z(ctx->arena, form_text(data, NAMES, 2)), "a");
    assert_null(form_text(parse(ctx, "{\"name\":5}"), NAMES, 10).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(equal_answers_are_equal_texts),
        FIXTURE_TEST(form_that_is_nonsense_takes_nothing_and_breaks_nothing),
        FIXTURE_TEST(field_of_a_name_that_came_before_does_not_count),
        FIXTURE_TEST(numbers_may_come_as_text_and_never_as_anything_else),
        FIXTURE_TEST(ticks_are_read_in_the_words_of_browsers),
        FIXTURE_TEST(pattern_holds_for_the_whole_value),
        FIXTURE_TEST(pattern_that_is_broken_forgets_no_fault_told_before),
        FIXTURE_TEST(more_faults_than_are_kept_are_counted),
        FIXTURE_TEST(text_of_a_lead_is_the_first_that_is_filled_in_and_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
