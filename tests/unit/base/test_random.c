#include "base/crypto/random.h"
#include "support/fixture.h"

/* Pinned: articles made from a seed must stay the same for ever. */
static void a_seed_gives_the_same_numbers_for_ever(void **state)
{
    (void)state;
    Random random = random_seeded(0);
    assert_true(random.state[0] == UINT64_C(0xE220A8397B1DCDAF));
    assert_true(random.state[1] == UINT64_C(0x6E789E6AA1B965F4));
    assert_true(random_next(&random) == UINT64_C(0x99EC5F36CB75F2B4));
    assert_true(random_next(&random) == UINT64_C(0xBF6E1F784956452A));
    Random other = random_seeded(42);
    assert_true(random_below(&other, 1000) == 83);
    assert_true(random_below(&other, 1000) == 378);
}

static void the_generator_follows_its_definition(void **state)
{
    (void)state;
    Random random = {{1, 2, 3, 4}};
    assert_true(random_next(&random) == 11520);
    assert_true(random_next(&random) == 0);
    assert_true(random_next(&random) == 1509978240);
    assert_true(random_next(&random) == UINT64_C(1215971899390074240));
}

static void numbers_stay_below_the_bound_and_reach_all_of_it(void **state)
{
    (void)state;
    Random random = random_seeded(7);
    unsigned seen[6] = {0};
    for (unsigned i = 0; i < 60000; i++) {
        uint64_t n = random_below(&random, 6);
        assert_true(n < 6);
        seen[n]++;
    }
    for (unsigned i = 0; i < 6; i++)
        assert_true(seen[i] > 9500 && seen[i] < 10500);
}

static void odd_bounds_work(void **state)
{
    (void)state;
    Random random = random_seeded(9);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(random_below(&random, 1), 0);
        assert_true(random_below(&random, UINT64_MAX) < UINT64_MAX);
        assert_true(random_below(&random, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
    }
}

static void units_are_below_one(void **state)
{
    (void)state;
    Random random = random_seeded(3);
    double sum = 0;
    for (unsigned i = 0; i < 10000; i++) {
        double unit = random_unit(&random);
        assert_true(unit >= 0 && unit < 1);
        sum += unit;
    }
    assert_true(sum > 4800 && sum < 5200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_same_numbers_for_ever),
        cmocka_unit_test(the_generator_follows_its_definition),
        cmocka_unit_test(numbers_stay_below_the_bound_and_reach_all_of_it),
        cmocka_unit_test(odd_bounds_work),
        cmocka_unit_test(units_are_below_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
