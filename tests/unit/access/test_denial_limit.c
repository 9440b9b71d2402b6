#include "access/limits/denial_limit.h"
#include "base/system/clock.h"
#include "support/fixture.h"

#define MINUTE_US (DENIALS_WINDOW_S * SECOND_US)

/* Each test has hours of its own: the table belongs to the process. */
static int64_t now_us = 1000 * MINUTE_US;

static int next_hour(void **state)
{
    *state = arena_create();
    now_us += 60 * MINUTE_US;
    return 0;
}

static int release(void **state)
{
    arena_destroy(*state);
    return 0;
}

static uint32_t take(struct arena *arena, Str ip, uint32_t times, uint64_t *ret_skipped)
{
    uint32_t written = 0;
    for (uint32_t i = 0; i < times; i++)
        written += denial_limit_take(arena, ip, now_us, ret_skipped);
    return written;
}

static void one_address_is_written_ten_times_a_minute(void **state)
{
    uint64_t skipped;
    assert_int_equal(take(*state, STR("192.0.2.1"), 1000, &skipped), DENIALS_ADDRESS);
    now_us += MINUTE_US - 1;
    assert_int_equal(take(*state, STR("192.0.2.1"), 1000, &skipped), 0);
    now_us += 1;
    assert_int_equal(take(*state, STR("192.0.2.1"), 1000, &skipped), DENIALS_ADDRESS);
}

static void the_next_line_says_how_many_were_left_out(void **state)
{
    uint64_t skipped;
    take(*state, STR("192.0.2.2"), DENIALS_ADDRESS + 7, &skipped);
    now_us += MINUTE_US;
    assert_true(denial_limit_take(*state, STR("192.0.2.2"), now_us, &skipped));
    assert_int_equal(skipped, 7);
    assert_true(denial_limit_take(*state, STR("192.0.2.2"), now_us, &skipped));
    assert_int_equal(skipped, 0);
}

static void many_addresses_together_are_written_120_times_a_minute(void **state)
{
    uint64_t skipped;
    uint32_t written = 0;
    for (int i = 0; i < 1000; i++)
        written += take(*state, str_printf(*state, "198.51.%d.%d", i / 250, i % 250), 3, &skipped);
    assert_int_equal(written, DENIALS_PROCESS);
}

static void an_ipv6_network_counts_as_one_address(void **state)
{
    uint64_t skipped;
    uint32_t written = 0;
    for (int i = 0; i < 100; i++)
        written += take(*state, str_printf(*state, "2001:db8:1:2::%x", i), 1, &skipped);
    assert_int_equal(written, DENIALS_ADDRESS);
    assert_int_equal(take(*state, STR("2001:db8:1:3::1"), 1, &skipped), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, next_hour, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_address_is_written_ten_times_a_minute),
        TEST(the_next_line_says_how_many_were_left_out),
        TEST(many_addresses_together_are_written_120_times_a_minute),
        TEST(an_ipv6_network_counts_as_one_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
