#include "access/limits/ip_range.h"
#include "support/fixture.h"

static bool in(const char *ip, const char *ranges)
{
    return ip_in_ranges(str_from_z(ip), str_from_z(ranges));
}

static void an_address_matches_itself(void **state)
{
    (void)state;
    assert_true(in("10.0.0.1", "10.0.0.1"));
    assert_true(in("::1", "::1"));
    assert_false(in("10.0.0.2", "10.0.0.1"));
}

static void a_network_matches_what_is_in_it(void **state)
{
    (void)state;
    assert_true(in("10.255.0.9", "10.0.0.0/8"));
    assert_false(in("11.0.0.1", "10.0.0.0/8"));
    assert_true(in("2001:db8::5", "2001:db8::/32"));
    assert_false(in("2001:db9::5", "2001:db8::/32"));
    assert_true(in("1.2.3.4", "0.0.0.0/0"));
}

static void an_ipv4_network_never_matches_ipv6(void **state)
{
    (void)state;
    assert_false(in("2001:db8::1", "0.0.0.0/0"));
    assert_true(in("::ffff:10.0.0.1", "10.0.0.0/8"));
}

static void a_span_matches_its_ends(void **state)
{
    (void)state;
    assert_true(in("10.0.0.1", "10.0.0.1-10.0.0.9"));
    assert_true(in("10.0.0.9", "192.168.0.1, 10.0.0.1-10.0.0.9"));
    assert_false(in("10.0.0.10", "10.0.0.1-10.0.0.9"));
}

static void a_malformed_range_matches_nothing(void **state)
{
    (void)state;
    const char *const bad[] = {"10.0.0.0/33", "10.0.0.0/x", "/8",     "-",
                               "10.0.0",      "a",          "::/129", ","};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(in("10.0.0.0", bad[i]));
    assert_false(in("not an address", "0.0.0.0/0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_matches_itself),
        cmocka_unit_test(a_network_matches_what_is_in_it),
        cmocka_unit_test(an_ipv4_network_never_matches_ipv6),
        cmocka_unit_test(a_span_matches_its_ends),
        cmocka_unit_test(a_malformed_range_matches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
