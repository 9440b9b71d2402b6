/* Stacks of fibers: the pool is bounded, and what it keeps is small. */
#include "io/fiber_stack.h"
#include "io_test.h"

#include <sys/mman.h>

enum { COUNT = 1500, POOL_MAX = 1024, POOL_WARM = 64, PAGE = 4096 };

static bool is_resident(void *page)
{
    unsigned char bits = 0;
    assert_int_equal(mincore(page, PAGE, &bits), 0);
    return bits & 1;
}

static void pool_is_bounded_and_gives_cold_pages_back(void **state)
{
    (void)state;
    struct fiber_stack_pool pool = {0};
    size_t size = fiber_stack_size();
    void **stacks = calloc(COUNT, sizeof(*stacks));
    for (int i = 0; i < COUNT; i++) {
        stacks[i] = fiber_stack_take(&pool);
        memset((char *)stacks[i] + size - 6 * PAGE, 1, 6 * PAGE); /* a deep call */
    }
    for (int i = 0; i < COUNT; i++)
        fiber_stack_give(&pool, stacks[i]);
    assert_int_equal(pool.free_count, POOL_MAX);
    for (int i = 0; i < POOL_MAX; i++) {
        char *high = (char *)stacks[i] + size;
        assert_true(is_resident(high - PAGE));
        assert_int_equal(is_resident(high - 6 * PAGE), i < POOL_WARM);
    }
    fiber_stack_pool_finish(&pool);
    assert_int_equal(pool.free_count, 0);
    free(stacks);
}

static void last_one_in_is_the_first_out(void **state)
{
    (void)state;
    struct fiber_stack_pool pool = {0};
    void *a = fiber_stack_take(&pool), *b = fiber_stack_take(&pool);
    fiber_stack_give(&pool, a);
    fiber_stack_give(&pool, b);
    assert_ptr_equal(fiber_stack_take(&pool), b);
    assert_ptr_equal(fiber_stack_take(&pool), a);
    fiber_stack_give(&pool, b);
    fiber_stack_give(&pool, a);
    fiber_stack_pool_finish(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_is_bounded_and_gives_cold_pages_back),
        cmocka_unit_test(last_one_in_is_the_first_out),
    };
    return cmocka_run_group_tests_name("fiber_stack", tests, NULL, NULL);
}
