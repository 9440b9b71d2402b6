#include "base/text/buf.h"
#include "support/fixture.h"

#include <inttypes.h>

static void check_buf(const struct buf *buf, Str want)
{
    assert_true(str_eq(buf_str(buf), want));
}

static void bytes_are_appended_in_order(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    buf_put(&buf, STR("a"));
    buf_put_z(&buf, "bc");
    buf_put_char(&buf, 'd');
    buf_printf(&buf, "%03d", 7);
    buf_put(&buf, STR_NONE);
    check_buf(&buf, STR("abcd007"));
    buf_finish(&buf);
    buf_finish(NULL);
}

static void exactly_the_maximum_fits(void **state)
{
    struct ctx *ctx = *state;
    struct buf *buf = buf_in_arena(ctx->arena, 5);
    buf_put(buf, STR("1234"));
    buf_put_char(buf, '5');
    assert_false(buf->is_full);
    assert_int_equal(buf_check(ctx, buf, "x"), OK);
    buf_put(buf, STR(""));
    assert_false(buf->is_full);
    buf_put_char(buf, '6');
    assert_true(buf->is_full);
    check_buf(buf, STR("12345"));
}

static void after_the_maximum_everything_is_dropped(void **state)
{
    struct ctx *ctx = *state;
    struct buf *buf = buf_in_arena(ctx->arena, 5);
    buf_put(buf, STR("12"));
    buf_put(buf, STR("3456"));
    buf_put(buf, STR("3"));
    buf_printf(buf, "%d", 3);
    assert_null(buf_reserve(buf, 1));
    check_buf(buf, STR("12"));
    assert_int_equal(buf_check(ctx, buf, "The list"), ERR_TOO_LARGE);
    assert_true(
        str_eq(diag_message(ctx, ctx->diag.first), STR("The list is larger than 5 bytes.")));
    buf_clear(buf);
    buf_put(buf, STR("abcde"));
    check_buf(buf, STR("abcde"));
}

static void printing_over_the_maximum_sets_full(void **state)
{
    struct ctx *ctx = *state;
    struct buf *buf = buf_in_arena(ctx->arena, 10);
    buf_printf(buf, "%s", "1234567890");
    assert_false(buf->is_full);
    buf_printf(buf, "%s", "x");
    assert_true(buf->is_full);
    check_buf(buf, STR("1234567890"));
}

static void a_buffer_of_nothing_takes_nothing(void **state)
{
    struct ctx *ctx = *state;
    struct buf *buf = buf_in_arena(ctx->arena, 0);
    assert_non_null(buf_reserve(buf, 0));
    assert_int_equal(buf_str(buf).len, 0);
    buf_put_char(buf, 'x');
    assert_true(buf->is_full);
}

static void growing_keeps_what_was_written(void **state)
{
    struct ctx *ctx = *state;
    struct buf *buf = buf_in_arena(ctx->arena, 1 << 20);
    for (unsigned i = 0; i < 100000; i++)
        buf_put_char(buf, (char)('a' + i % 26));
    Str text = buf_str(buf);
    assert_int_equal(text.len, 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(text.data[i], 'a' + (int)(i % 26));
}

static void integers_are_written_as_printf_does(void **state)
{
    struct ctx *ctx = *state;
    struct buf *buf = buf_in_arena(ctx->arena, 100);
    static const int64_t EDGES[] = {0,  1,  9,   10,  11,        99,        100,     101, 999,
                                    -1, -9, -10, -99, INT64_MAX, INT64_MIN, 1000000, 90};
    for (unsigned i = 0; i < sizeof EDGES / sizeof EDGES[0]; i++) {
        buf_clear(buf);
        buf_put_i64(buf, EDGES[i]);
        check_buf(buf, str_printf(ctx->arena, "%" PRId64, EDGES[i]));
    }
    for (int64_t value = 1; value < INT64_MAX / 7; value = value * 7 + 3) {
        buf_clear(buf);
        buf_put_i64(buf, -value);
        check_buf(buf, str_printf(ctx->arena, "%" PRId64, -value));
    }
}

static void bytes_written_by_hand_are_counted(void **state)
{
    struct ctx *ctx = *state;
    struct buf *buf = buf_in_arena(ctx->arena, 4096);
    char *out = buf_reserve(buf, 3000);
    memset(out, 'x', 2000);
    buf_advance(buf, 2000);
    assert_int_equal(buf_str(buf).len, 2000);
    assert_null(buf_reserve(buf, 2097));
}

static void long_prints_are_whole(void **state)
{
    struct ctx *ctx = *state;
    struct buf *buf = buf_in_arena(ctx->arena, 10000);
    for (int width = 1; width < 600; width += 37)
        buf_printf(buf, "%*d", width, 1);
    size_t want = 0;
    for (int width = 1; width < 600; width += 37) {
        want += (size_t)width;
        assert_int_equal(buf_str(buf).data[want - 1], '1');
    }
    assert_int_equal(buf_str(buf).len, want);
}

static void borrowed_bytes_move_out_when_they_are_too_few(void **state)
{
    struct ctx *ctx = *state;
    struct buf *buf = buf_in_arena_from(ctx->arena, 8, 100);
    const char *first = buf_str(buf).data;
    buf_put(buf, STR("1234567"));
    assert_ptr_equal(buf_str(buf).data, first);
    buf_put(buf, STR("89012345"));
    assert_ptr_not_equal(buf_str(buf).data, first);
    expect_str(buf_str(buf), "123456789012345");
    for (int i = 0; i < 100; i++)
        buf_put_char(buf, 'x');
    assert_true(buf->is_full);
    assert_int_equal(buf->len, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_appended_in_order),
        FIXTURE_TEST(exactly_the_maximum_fits),
        FIXTURE_TEST(after_the_maximum_everything_is_dropped),
        FIXTURE_TEST(printing_over_the_maximum_sets_full),
        FIXTURE_TEST(a_buffer_of_nothing_takes_nothing),
        FIXTURE_TEST(growing_keeps_what_was_written),
        FIXTURE_TEST(integers_are_written_as_printf_does),
        FIXTURE_TEST(bytes_written_by_hand_are_counted),
        FIXTURE_TEST(long_prints_are_whole),
        FIXTURE_TEST(borrowed_bytes_move_out_when_they_are_too_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
