/* Stacks of fibers: the pool is bounded, and what it keeps is small. */
#include "base/system/counters.h"
#include "io/fiber/fiber_stack.h"
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

static void a_stack_used_to_its_reserve_is_counted_once(void **state)
{
    (void)state;
    struct fiber_stack_pool pool = {0};
    int64_t before = counter_sum(COUNTER_fiber_stacks_deep);
    char *stack = fiber_stack_take(&pool);
    memset(stack + FIBER_STACK_RESERVE, 1, fiber_stack_size() - FIBER_STACK_RESERVE);
    fiber_stack_give(&pool, stack);
    assert_int_equal(counter_sum(COUNTER_fiber_stacks_deep), before);
    stack = fiber_stack_take(&pool);
    stack[FIBER_STACK_RESERVE - 8] = 1;
    for (int i = 0; i < 2; i++) {
        fiber_stack_give(&pool, stack);
        assert_int_equal(counter_sum(COUNTER_fiber_stacks_deep), before + 1);
        assert_ptr_equal(fiber_stack_take(&pool), stack);
    }
    fiber_stack_give(&pool, stack);
    fiber_stack_pool_finish(&pool);
}

static void the_guard_is_what_lies_below(void **state)
{
    (void)state;
    struct fiber_stack_pool pool = {0};
    char *stack = fiber_stack_take(&pool);
    assert_false(fiber_stack_guard_holds(stack, stack));
    assert_true(fiber_stack_guard_holds(stack, (void *)((uintptr_t)stack - 1)));
    assert_true(fiber_stack_guard_holds(stack, (void *)((uintptr_t)stack - 20 * 1024)));
    assert_false(fiber_stack_guard_holds(stack, NULL));
    fiber_stack_give(&pool, stack);
    fiber_stack_pool_finish(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_is_bounded_and_gives_cold_pages_back),
        cmocka_unit_test(last_one_in_is_the_first_out),
        cmocka_unit_test(a_stack_used_to_its_reserve_is_counted_once),
        cmocka_unit_test(the_guard_is_what_lies_below),
    };
    return cmocka_run_group_tests_name("fiber_stack", tests, NULL, NULL);
}
