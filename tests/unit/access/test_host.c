#include "access/authenticate.h"
#include "support/fixture.h"

static void check(struct ctx *ctx, const char *host, const char *expected)
{
    Str got = host_normalise(ctx->arena, str_from_z(host));
    expect_str(got, expected);
}

static void case_port_and_trailing_dot_do_not_count(void **state)
{
    struct ctx *ctx = *state;
    check(ctx, "A.Example", "a.example");
    check(ctx, "a.example:8055", "a.example");
    check(ctx, "a.example.", "a.example");
    check(ctx, "A.EXAMPLE.:80", "a.example");
    check(ctx, " a.example ", "a.example");
}

static void neighbours_stay_apart(void **state)
{
    struct ctx *ctx = *state;
    check(ctx, "aa.example", "aa.example");
    check(ctx, "a.example.evil", "a.example.evil");
    check(ctx, "xn--mnchen-3ya.example", "xn--mnchen-3ya.example");
}

static void address_literals_keep_their_form(void **state)
{
    struct ctx *ctx = *state;
    check(ctx, "127.0.0.1:80", "127.0.0.1");
    check(ctx, "[::1]:8055", "[::1]");
    check(ctx, "[FE80::1]", "[fe80::1]");
}

static void what_is_no_host_is_nobody(void **state)
{
    struct ctx *ctx = *state;
    static char long_name[400];
    memset(long_name, 'a', sizeof long_name - 1);
    const char *const bad[] = {"",
                               ".",
                               ":80",
                               "a/b",
                               "a b",
                               "%",
                               "a'--",
                               "[::1",
                               "a\texample",
                               long_name,
                               "a.example:evil",
                               "a.example:80:80",
                               "a.example:123456",
                               "[::1]x",
                               "[::1]:x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(host_normalise(ctx->arena, str_from_z(bad[i])).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(case_port_and_trailing_dot_do_not_count),
        FIXTURE_TEST(neighbours_stay_apart),
        FIXTURE_TEST(address_literals_keep_their_form),
        FIXTURE_TEST(what_is_no_host_is_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
