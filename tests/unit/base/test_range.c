#include "base/system/range.h"
#include "support/fixture.h"

static void the_smaller_and_the_larger_are_found(void **state)
{
    (void)state;
    assert_int_equal(min_i64(-1, 1), -1);
    assert_int_equal(max_i64(INT64_MIN, INT64_MAX), INT64_MAX);
    assert_int_equal(min_u32(1, UINT32_MAX), 1);
    assert_int_equal(max_u32(1, UINT32_MAX), UINT32_MAX);
    assert_int_equal(min_u64(3, 3), 3);
    assert_int_equal(max_u64(0, UINT64_MAX), UINT64_MAX);
    assert_int_equal(min_size(2, SIZE_MAX), 2);
    assert_int_equal(max_size(2, SIZE_MAX), SIZE_MAX);
}

static void a_value_is_kept_within_bounds(void **state)
{
    (void)state;
    assert_int_equal(clamp_i64(-5, 0, 10), 0);
    assert_int_equal(clamp_i64(5, 0, 10), 5);
    assert_int_equal(clamp_i64(15, 0, 10), 10);
    assert_int_equal(clamp_i64(15, 7, 7), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smaller_and_the_larger_are_found),
        cmocka_unit_test(a_value_is_kept_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
