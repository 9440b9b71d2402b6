#include "support/fixture.h"
#include "visitors/tracking/tracking.h"

static Str line_of(struct ctx *ctx, const struct pageview *view)
{
    struct buf *buf = buf_in_arena(ctx->arena, 4096);
    pageview_line(buf, view);
    return buf_str(buf);
}

static uint32_t count(Str s, char c)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.data[i] == c;
    return n;
}

static uint32_t column_count(void)
{
    return count(str_from_z(PAGEVIEW_COLUMNS), ',') + 1;
}

static void a_line_has_as_many_fields_as_the_copy_has_columns(void **state)
{
    struct ctx *ctx = *state;
    struct pageview view = {.page_path = STR_INIT("/")};
    assert_int_equal(count(line_of(ctx, &view), '\t') + 1, column_count());
}

static void what_separates_is_escaped(void **state)
{
    struct ctx *ctx = *state;
    struct pageview view = {.page_path = STR_INIT("/a\tb\nc\rd\\e")};
    Str line = line_of(ctx, &view);
    assert_int_equal(count(line, '\t') + 1, column_count());
    assert_int_equal(count(line, '\n'), 1);
    assert_true(str_find(line, STR("/a\\tb\\nc\\rd\\\\e")) > 0);
}

static void a_forged_end_of_data_stays_text(void **state)
{
    struct ctx *ctx = *state;
    struct pageview view = {.page_path = STR_INIT("/\n\\.\n")};
    Str line = line_of(ctx, &view);
    assert_int_equal(count(line, '\n'), 1);
    assert_true(str_find(line, STR("\\n\\\\.\\n")) > 0);
}

static void nul_is_dropped_and_none_is_null(void **state)
{
    struct ctx *ctx = *state;
    struct pageview view = {.page_path = str_of("/a\0b", 4)};
    Str line = line_of(ctx, &view);
    assert_true(str_find(line, STR("\t/ab\t\\N\t")) > 0);
    assert_int_equal(count(line, '\0'), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_line_has_as_many_fields_as_the_copy_has_columns),
        FIXTURE_TEST(what_separates_is_escaped),
        FIXTURE_TEST(a_forged_end_of_data_stays_text),
        FIXTURE_TEST(nul_is_dropped_and_none_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
