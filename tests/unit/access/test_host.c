#include "access/identity/authenticate.h"
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
    check(ctx, "[2001:0DB8:0:0:0:0:0:1]:80", "[2001:db8::1]");
    check(ctx, "[2001:db8::1]", "[2001:db8::1]");
    check(ctx, "[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]");
}

static void unicode_and_punycode_of_a_name_are_one_host(void **state)
{
    struct ctx *ctx = *state;
    check(ctx, "m\u00fcnchen.example", "xn--mnchen-3ya.example");
    check(ctx, "M\u00dcNCHEN.Example.:8055", "xn--mnchen-3ya.example");
    check(ctx, "mu\u0308nchen.example", "xn--mnchen-3ya.example");
    check(ctx, "XN--Mnchen-3YA.example", "xn--mnchen-3ya.example");
    check(ctx, "a\u3002example", "a.example");
    check(ctx, "\u0430.example", "xn--80a.example"); /* looks like a.example, and is not */
    check(ctx, "stra\u00dfe.example", "xn--strae-oqa.example");
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
                               "[evil]",
                               "[a.example]",
                               "[::1%eth0]",
                               "[]",
                               "[127.0.0.1]",
                               "\xff.example",
                               "a\xc3",
                               "a\u2100c.example", /* becomes a/c */
                               "a.example\u2024.",
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
        FIXTURE_TEST(unicode_and_punycode_of_a_name_are_one_host),
        FIXTURE_TEST(what_is_no_host_is_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
