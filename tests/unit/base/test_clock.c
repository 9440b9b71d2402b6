#include "base/system/clock.h"
#include "support/fixture.h"

#include <time.h>

static const char *iso(struct ctx *ctx, int64_t us)
{
    return str_z(ctx->arena, clock_iso(ctx->arena, us));
}

static void check_parse(const char *text, int64_t want_us)
{
    int64_t us = 42;
    assert_true(clock_parse_iso(str_from_z(text), &us));
    assert_true(us == want_us);
}

static void clocks_go_forward(void **state)
{
    (void)state;
    int64_t now = clock_now_us(), boot = clock_boot_us(), cpu = clock_thread_cpu_us();
    assert_true(now > 0 && boot > 0 && clock_wall_us() > 1600000000 * SECOND_US);
    assert_true(clock_now_us() >= now);
    assert_true(clock_boot_us() >= boot);
    assert_true(clock_thread_cpu_us() >= cpu);
}

static void stamps_look_as_directus_writes_them(void **state)
{
    struct ctx *ctx = *state;
    assert_string_equal(iso(ctx, 0), "1970-01-01T00:00:00.000Z");
    assert_string_equal(iso(ctx, 1735516602000000), "2024-12-29T23:56:42.000Z");
    assert_string_equal(iso(ctx, 951827696789999), "2000-02-29T12:34:56.789Z");
    assert_string_equal(iso(ctx, -1), "1969-12-31T23:59:59.999Z");
    assert_string_equal(iso(ctx, -1000), "1969-12-31T23:59:59.999Z");
}

static void stamps_outside_four_digits_are_clamped(void **state)
{
    struct ctx *ctx = *state;
    assert_string_equal(iso(ctx, INT64_MAX), "9999-12-31T23:59:59.999Z");
    assert_string_equal(iso(ctx, INT64_MIN), "0000-01-01T00:00:00.000Z");
}

/* The C library's calendar is the reference, a prime number of seconds apart. */
static void dates_agree_with_the_c_library(void **state)
{
    struct ctx *ctx = *state;
    for (int64_t s = -62167219200; s < 253402300800; s += 8640001 * 7) {
        time_t at = s;
        struct tm tm;
        char want[96]; /* wide enough for any int, as gcc sees it */
        assert_non_null(gmtime_r(&at, &tm));
        (void)snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02d.000Z", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        ArenaMark mark = arena_mark(ctx->arena);
        assert_string_equal(iso(ctx, s * SECOND_US), want);
        check_parse(want, s * SECOND_US);
        arena_rewind(ctx->arena, mark);
    }
}

static void all_usual_forms_are_read(void **state)
{
    (void)state;
    check_parse("1970-01-02", 86400 * SECOND_US);
    check_parse("1970-01-01T00:01", 60 * SECOND_US);
    check_parse("1970-01-01 00:00:01", SECOND_US);
    check_parse("1970-01-01t00:00:01z", SECOND_US);
    check_parse("1970-01-01T00:00:00.5Z", SECOND_US / 2);
    check_parse("1970-01-01T00:00:00.123456Z", 123456);
    check_parse("1970-01-01T00:00:00.1234569999Z", 123456);
    check_parse("1970-01-01T02:00:00+02:00", 0);
    check_parse("1970-01-01T02:30:00+0230", 0);
    check_parse("1969-12-31T19:00:00-05", 0);
    check_parse("2024-02-29T00:00:00Z", 1709164800 * SECOND_US);
    check_parse("2024-02-28T24:00:00Z", 1709164800 * SECOND_US);
}

static void impossible_times_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",
                                      "1970",
                                      "1970-1-1",
                                      "1970-13-01",
                                      "1970-00-10",
                                      "1970-01-00",
                                      "1970-01-32",
                                      "2023-02-29",
                                      "1900-02-29",
                                      "2024-04-31",
                                      "1970-01-01T",
                                      "1970-01-01T1",
                                      "1970-01-01T24:01",
                                      "1970-01-01T24:00:00.1",
                                      "1970-01-01T25:00",
                                      "1970-01-01T00:60",
                                      "1970-01-01T00:00:60",
                                      "1970-01-01T00:00:00.",
                                      "1970-01-01T00:00:00,5",
                                      "1970-01-01T00:00Zx",
                                      "1970-01-01T00:00+",
                                      "1970-01-01T00:00+1",
                                      "1970-01-01T00:00+01:",
                                      "1970-01-01T00:00+16:00",
                                      "1970-01-01T00:00+01:60",
                                      "1970-01-01Z",
                                      "1970-01-01 ",
                                      " 1970-01-01",
                                      "+1970-01-01",
                                      "19700-01-01",
                                      "now",
                                      "1970-01-01T-1:00",
                                      "1970-01-01T00:00+01:000"};
    int64_t us = 42;
    for (unsigned i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(clock_parse_iso(str_from_z(BAD[i]), &us));
    assert_int_equal(us, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_go_forward),
        FIXTURE_TEST(stamps_look_as_directus_writes_them),
        FIXTURE_TEST(stamps_outside_four_digits_are_clamped),
        FIXTURE_TEST(dates_agree_with_the_c_library),
        cmocka_unit_test(all_usual_forms_are_read),
        cmocka_unit_test(impossible_times_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
