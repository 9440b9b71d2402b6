#include "access/limits/login_limit.h"
#include "base/system/clock.h"
#include "support/fixture.h"

/* Each test has accounts and addresses of its own: the table belongs to the process. */
static const int64_t NOW_US = 1000 * SECOND_US;
static const struct login_limits LIMITS = {
    .window_s = 900, .failures = 10, .failures_address = 30, .failures_account = 20};
static const int64_t WINDOW_US = 900 * SECOND_US;

static Err take(struct ctx *ctx, Str email, Str ip, int64_t now_us, struct login_try *ret)
{
    return login_limit_take(ctx, &LIMITS, email, ip, false, now_us, ret);
}

static Str address(struct ctx *ctx, const char *prefix, int n)
{
    return str_printf(ctx->arena, "%s%d", prefix, n);
}

/* How many of `count` tries at one moment are let through; the address changes with each. */
static int tries(struct ctx *ctx, Str email, const char *prefix, int count, int64_t now_us)
{
    int passed = 0;
    for (int i = 0; i < count; i++) {
        struct login_try try;
        passed += take(ctx, email, address(ctx, prefix, i), now_us, &try) == OK;
    }
    return passed;
}

/* The same from one address. */
static int tries_from(struct ctx *ctx, Str email, Str ip, bool is_known, int count)
{
    int passed = 0;
    for (int i = 0; i < count; i++) {
        struct login_try try;
        passed += login_limit_take(ctx, &LIMITS, email, ip, is_known, NOW_US, &try) == OK;
    }
    return passed;
}

static void account_fails_ten_times_from_one_address_and_others_go_on(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(tries_from(ctx, STR("a@x.example"), STR("10.0.0.1"), false, 20), 10);
    assert_int_equal(tries_from(ctx, STR("A@X.EXAMPLE"), STR("10.0.0.1"), false, 1), 0);
    assert_int_equal(tries_from(ctx, STR("a@x.example"), STR("10.0.0.2"), false, 5), 5);
    assert_int_equal(tries_from(ctx, STR("b@x.example"), STR("10.0.0.1"), false, 5), 5);
}

static void strangers_together_fail_twenty_times(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(tries(ctx, STR("i@x.example"), "10.7.0.", 50, NOW_US), 20);
    assert_int_equal(tries(ctx, STR("I@X.EXAMPLE"), "10.7.1.", 20, NOW_US), 0);
}

static void known_addresses_are_not_held_up_by_strangers_and_have_their_own_limit(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(tries(ctx, STR("j@x.example"), "10.8.0.", 50, NOW_US), 20);
    assert_int_equal(tries_from(ctx, STR("j@x.example"), STR("10.8.1.1"), true, 20), 10);
    assert_int_equal(tries_from(ctx, STR("j@x.example"), STR("10.8.1.2"), true, 20), 10);
}

static void what_known_addresses_fail_slows_no_stranger(void **state)
{
    struct ctx *ctx = *state;
    tries_from(ctx, STR("k@x.example"), STR("10.9.1.1"), true, 10);
    assert_int_equal(tries(ctx, STR("k@x.example"), "10.9.0.", 50, NOW_US), 20);
}

static void refused_tries_take_no_place(void **state)
{
    struct ctx *ctx = *state;
    tries_from(ctx, STR("l@x.example"), STR("10.10.0.1"), false, 200);
    assert_int_equal(tries(ctx, STR("l@x.example"), "10.10.1.", 50, NOW_US), 10);
    int passed = 0;
    for (int i = 0; i < 40; i++) {
        struct login_try try;
        passed += take(ctx, address(ctx, "l@", i), STR("10.10.0.1"), NOW_US, &try) == OK;
    }
    assert_int_equal(passed, 20);
}

static void address_fails_thirty_times_for_anybody(void **state)
{
    struct ctx *ctx = *state;
    int passed = 0;
    for (int i = 0; i < 40; i++) {
        struct login_try try;
        Str email = str_printf(ctx->arena, "c%d@x.example", i);
        passed += take(ctx, email, STR("10.1.0.1"), NOW_US, &try) == OK;
    }
    assert_int_equal(passed, 30);
}

static void neighbours_in_one_ipv6_network_count_as_one(void **state)
{
    struct ctx *ctx = *state;
    int passed = 0;
    for (int i = 0; i < 40; i++) {
        struct login_try try;
        Str email = str_printf(ctx->arena, "d%d@x.example", i);
        passed += take(ctx, email, address(ctx, "2001:db8::", i), NOW_US, &try) == OK;
    }
    assert_int_equal(passed, 30);
    struct login_try try;
    assert_int_equal(take(ctx, STR("d@x.example"), STR("2001:db8:0:1::1"), NOW_US, &try), OK);
}

static void refusal_says_when_to_try_again(void **state)
{
    struct ctx *ctx = *state;
    tries(ctx, STR("e@x.example"), "10.2.0.", 20, NOW_US);
    struct login_try try;
    Err err = take(ctx, STR("e@x.example"), STR("10.2.1.1"), NOW_US, &try);
    assert_int_equal(err, ERR_RATE_LIMITED);
    assert_string_equal(ctx->diag.first->notes->key, "_retry_after");
    expect_str(ctx->diag.first->notes->value, "45");
    int64_t later_us = NOW_US + 45 * SECOND_US;
    assert_int_equal(take(ctx, STR("e@x.example"), STR("10.2.1.1"), later_us, &try), OK);
    assert_int_equal(take(ctx, STR("e@x.example"), STR("10.2.1.2"), later_us, &try),
                     ERR_RATE_LIMITED);
}

static void a_window_later_everything_is_forgotten(void **state)
{
    struct ctx *ctx = *state;
    tries(ctx, STR("f@x.example"), "10.3.0.", 40, NOW_US);
    assert_int_equal(tries(ctx, STR("f@x.example"), "10.3.1.", 40, NOW_US + WINDOW_US), 20);
}

static void right_passwords_cost_nothing(void **state)
{
    struct ctx *ctx = *state;
    for (int i = 0; i < 100; i++) {
        struct login_try try;
        assert_int_equal(take(ctx, STR("g@x.example"), STR("10.4.0.1"), NOW_US, &try), OK);
        login_limit_give_back(&try, NOW_US);
    }
}

static void many_strangers_do_not_free_the_one_who_guesses(void **state)
{
    struct ctx *ctx = *state;
    tries(ctx, STR("h@x.example"), "10.5.0.", 20, NOW_US);
    for (int i = 0; i < 5000; i++) {
        ArenaMark mark = arena_mark(ctx->arena);
        struct login_try try;
        Str email = str_printf(ctx->arena, "stranger%d@x.example", i);
        err_ignore(take(ctx, email, address(ctx, "10.6.", i), NOW_US, &try), "they only fill");
        arena_rewind(ctx->arena, mark);
    }
    assert_int_equal(tries(ctx, STR("h@x.example"), "10.5.1.", 5, NOW_US), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(account_fails_ten_times_from_one_address_and_others_go_on),
        FIXTURE_TEST(strangers_together_fail_twenty_times),
        FIXTURE_TEST(known_addresses_are_not_held_up_by_strangers_and_have_their_own_limit),
        FIXTURE_TEST(what_known_addresses_fail_slows_no_stranger),
        FIXTURE_TEST(refused_tries_take_no_place),
        FIXTURE_TEST(address_fails_thirty_times_for_anybody),
        FIXTURE_TEST(neighbours_in_one_ipv6_network_count_as_one),
        FIXTURE_TEST(refusal_says_when_to_try_again),
        FIXTURE_TEST(a_window_later_everything_is_forgotten),
        FIXTURE_TEST(right_passwords_cost_nothing),
        FIXTURE_TEST(many_strangers_do_not_free_the_one_who_guesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
