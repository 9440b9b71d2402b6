/* The address filter: the public internet and nothing else. */
#include "io/net/address_filter.h"
#include "io_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static bool is_public(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return address_is_public((const struct sockaddr *)&in, sizeof(in));
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return address_is_public((const struct sockaddr *)&in6, sizeof(in6));
}

static void public_addresses_pass(void **state)
{
    (void)state;
    static const char *const PUBLIC[] = {
        "1.1.1.1",         "8.8.8.8",        "9.255.255.255",    "11.0.0.0",
        "100.63.255.255",  "100.128.0.0",    "172.15.255.255",   "172.32.0.0",
        "192.167.255.255", "192.169.0.0",    "223.255.255.255",  "2606:4700::1111",
        "2001:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
        "2a00:1450::1",    "2001:200::1",    "128.0.0.1",
    };
    for (size_t i = 0; i < sizeof(PUBLIC) / sizeof(PUBLIC[0]); i++)
        assert_true(is_public(PUBLIC[i]));
}

static void all_others_are_refused(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {
        "0.0.0.0",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "2001:0:1::1",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "2001:10::1",
        "fec0::1",
        "4000::1",
    };
    for (size_t i = 0; i < sizeof(REFUSED) / sizeof(REFUSED[0]); i++) {
        if (is_public(REFUSED[i]))
            print_error("%s counts as public\n", REFUSED[i]);
        assert_false(is_public(REFUSED[i]));
    }
}

static void other_families_are_refused(void **state)
{
    (void)state;
    struct sockaddr_storage any = {.ss_family = AF_UNIX};
    assert_false(address_is_public((const struct sockaddr *)&any, sizeof(any)));
    any.ss_family = AF_INET6;
    assert_false(address_is_public((const struct sockaddr *)&any, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_addresses_pass),
        cmocka_unit_test(all_others_are_refused),
        cmocka_unit_test(other_families_are_refused),
    };
    return cmocka_run_group_tests_name("address_filter", tests, NULL, NULL);
}
