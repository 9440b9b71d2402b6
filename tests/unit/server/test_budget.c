#include "server/http/budget.h"
#include "support/fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { MIB = 1024 * 1024 };

static struct budgets budgets;

static int begin(void **state)
{
    (void)state;
    static const struct settings settings = {
        .server_threads = 2, .body_memory_bytes = 16 * MIB, .answer_memory_bytes = 8 * MIB};
    budgets_init(&budgets, &settings);
    return 0;
}

/* Asserts that nobody counts on anything any more. */
static int end(void **state)
{
    (void)state;
    for (int i = 0; i < BUDGET_COUNT; i++)
        assert_int_equal(budgets.used[i], 0);
    budgets_finish(&budgets);
    return 0;
}

static bool are_one(const char *a, const char *b)
{
    struct account *first = account_of_ip(&budgets, str_from_z(a));
    struct account *second = account_of_ip(&budgets, str_from_z(b));
    assert_non_null(first);
    assert_non_null(second);
    bool is_one = first == second;
    account_close(&budgets, first);
    account_close(&budgets, second);
    return is_one;
}

static void an_address_of_ipv6_is_its_first_64_bits(void **state)
{
    (void)state;
    assert_true(are_one("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"));
    assert_false(are_one("2001:db8:0:1::1", "2001:db8:0:2::1"));
    assert_true(are_one("192.0.2.1", "::ffff:192.0.2.1"));
    assert_false(are_one("192.0.2.1", "192.0.2.2"));
    assert_false(are_one("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    assert_null(account_of_ip(&budgets, STR("nobody")));
    assert_null(account_of_ip(&budgets, STR_NONE));
}

static void the_peer_and_its_text_are_one(void **state)
{
    (void)state;
    struct sockaddr_in6 peer = {.sin6_family = AF_INET6};
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &peer.sin6_addr), 1);
    struct account *by_peer = account_of_peer(&budgets, (struct sockaddr *)&peer);
    struct account *by_text = account_of_ip(&budgets, STR("192.0.2.1"));
    assert_ptr_equal(by_peer, by_text);
    account_close(&budgets, by_peer);
    account_close(&budgets, by_text);
}

static void one_owner_has_three_quarters_and_a_refusal_changes_nothing(void **state)
{
    (void)state;
    struct holding own = {.budget = BUDGET_BODIES};
    struct holding other = {.budget = BUDGET_BODIES};
    holding_add_owner(&budgets, &own, account_of_ip(&budgets, STR("192.0.2.1")));
    holding_add_owner(&budgets, &other, account_of_ip(&budgets, STR("192.0.2.2")));
    assert_true(holding_grow(&budgets, &own, 6 * MIB));
    assert_false(holding_grow(&budgets, &own, 1));
    assert_int_equal(own.bytes, 6 * MIB);
    assert_true(holding_grow(&budgets, &other, 2 * MIB));
    assert_false(holding_grow(&budgets, &other, 1));
    holding_end(&budgets, &own);
    assert_true(holding_grow(&budgets, &other, 4 * MIB));
    holding_end(&budgets, &other);
}

static void what_is_held_counts_once_for_each_owner(void **state)
{
    (void)state;
    struct holding holding = {.budget = BUDGET_ANSWERS};
    Uuid site = {.bytes = {1}};
    struct account *seen = account_of_site(&budgets, site);
    holding_add_owner(&budgets, &holding, account_of_ip(&budgets, STR("192.0.2.1")));
    assert_true(holding_grow(&budgets, &holding, MIB));
    for (int i = 0; i < 3; i++) {
        holding_add_owner(&budgets, &holding, account_of_site(&budgets, site));
        holding_add_owner(&budgets, &holding, account_of_ip(&budgets, STR("192.0.2.1")));
    }
    holding_add_owner(&budgets, &holding, account_of_ip(&budgets, STR("192.0.2.3")));
    assert_int_equal(seen->used[BUDGET_ANSWERS], MIB);
    assert_int_equal(budgets.used[BUDGET_ANSWERS], MIB);
    holding_shrink(&budgets, &holding, MIB / 2);
    assert_int_equal(seen->used[BUDGET_ANSWERS], MIB / 2);
    holding_end(&budgets, &holding);
    assert_int_equal(seen->used[BUDGET_ANSWERS], 0);
    account_close(&budgets, seen);
}

static void what_has_to_be_is_counted_beyond_the_budget(void **state)
{
    (void)state;
    struct holding must = {.budget = BUDGET_ANSWERS};
    struct holding other = {.budget = BUDGET_ANSWERS};
    holding_take(&budgets, &must, 5 * MIB);
    assert_false(holding_grow(&budgets, &other, 1));
    holding_end(&budgets, &must);
    assert_true(holding_grow(&budgets, &other, 1));
    holding_end(&budgets, &other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_address_of_ipv6_is_its_first_64_bits, begin, end),
        cmocka_unit_test_setup_teardown(the_peer_and_its_text_are_one, begin, end),
        cmocka_unit_test_setup_teardown(one_owner_has_three_quarters_and_a_refusal_changes_nothing,
                                        begin, end),
        cmocka_unit_test_setup_teardown(what_is_held_counts_once_for_each_owner, begin, end),
        cmocka_unit_test_setup_teardown(what_has_to_be_is_counted_beyond_the_budget, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
