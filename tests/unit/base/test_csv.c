#include "base/text/buf.h"
#include "base/text/csv.h"
#include "support/fixture.h"

enum { CELLS_MAX = 4 };

/* The cells of all rows, between bars; rows end with a slash. */
static Str spell(struct ctx *ctx, const char *text)
{
    struct buf *out = buf_in_arena(ctx->arena, 4096);
    struct csv csv = csv_begin(str_from_z(text));
    Str cells[CELLS_MAX];
    uint32_t count;
    while (csv_next(&csv, ctx->arena, cells, CELLS_MAX, &count)) {
        for (uint32_t i = 0; i < count; i++)
            buf_printf(out, "%s%.*s", i == 0 ? "" : "|", STR_FMT(cells[i]));
        buf_put_char(out, '/');
    }
    return buf_str(out);
}

static void check(struct ctx *ctx, const char *text, const char *expected)
{
    Str spelled = spell(ctx, text);
    if (!str_eq(spelled, str_from_z(expected)))
        fail_msg("%s: %.*s", text, STR_FMT(spelled));
}

static void rows_end_with_lines(void **state)
{
    struct ctx *ctx = *state;
    check(ctx, "", "");
    check(ctx, "a,b", "a|b/");
    check(ctx, "a,b\n", "a|b/");
    check(ctx, "a,b\r\nc,d\r\n", "a|b/c|d/");
    check(ctx, "a\n\nb", "a//b/");
    check(ctx, "a,\n,b", "a|/|b/");
    check(ctx,
          "\xef\xbb\xbf"
          "a,b",
          "a|b/");
    check(ctx, "1,2,3,4,5\n6", "1|2|3|4/6/");
}

static void quotes_hold_separators_lines_and_quotes(void **state)
{
    struct ctx *ctx = *state;
    check(ctx, "\"a,b\",\"c\nd\"\n\"e\"\"f\",", "a,b|c\nd/e\"f|/");
    check(ctx, "\"\",\"\"\"\"", "|\"/");
}

static void a_quote_in_the_wrong_place_is_part_of_the_cell(void **state)
{
    struct ctx *ctx = *state;
    check(ctx, "a\"b,c", "a\"b|c/");
    check(ctx, "\"a\"b,c\"\nd", "a\"b,c/d/");
    check(ctx, "x,\"a,b\nc", "x|a,b\nc/");
    check(ctx, "\"", "/");
}

static void the_most_frequent_separator_of_the_first_line_counts(void **state)
{
    struct ctx *ctx = *state;
    check(ctx, "a;b;c\n1,2;3", "a|b|c/1,2|3/");
    check(ctx, "a\tb\n1\t2", "a|b/1|2/");
    check(ctx, "a|b", "a|b/");
    check(ctx, "\";;;\",b", ";;;|b/");
}

static void a_row_has_a_limit(void **state)
{
    struct ctx *ctx = *state;
    Str cells[CELLS_MAX];
    uint32_t count;
    char *text = arena_alloc(ctx->arena, CSV_ROW_MAX + 2);
    memset(text, 'x', CSV_ROW_MAX + 2);
    text[CSV_ROW_MAX - 1] = '\n';
    struct csv csv = csv_begin(str_of(text, CSV_ROW_MAX + 2));
    assert_true(csv_next(&csv, ctx->arena, cells, CELLS_MAX, &count));
    assert_int_equal(cells[0].len, CSV_ROW_MAX - 1);
    assert_true(csv_next(&csv, ctx->arena, cells, CELLS_MAX, &count));
    assert_int_equal(cells[0].len, 2);
    assert_false(csv.is_too_long);
    static const char FIRST[] = {'"', 'x'};
    for (size_t i = 0; i < sizeof FIRST; i++) {
        text[0] = FIRST[i];
        text[CSV_ROW_MAX - 1] = 'x';
        csv = csv_begin(str_of(text, CSV_ROW_MAX + 2));
        assert_false(csv_next(&csv, ctx->arena, cells, CELLS_MAX, &count));
        assert_true(csv.is_too_long);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rows_end_with_lines),
        FIXTURE_TEST(quotes_hold_separators_lines_and_quotes),
        FIXTURE_TEST(a_quote_in_the_wrong_place_is_part_of_the_cell),
        FIXTURE_TEST(the_most_frequent_separator_of_the_first_line_counts),
        FIXTURE_TEST(a_row_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
