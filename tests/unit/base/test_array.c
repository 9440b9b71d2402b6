#include "base/memory/array.h"
#include "support/fixture.h"

#include <assert.h>

enum { MANY = 1000, FIRST = 8 };

static void an_array_knows_its_count(void **state)
{
    (void)state;
    static const Str NAMES[] = {STR_INIT("a"), STR_INIT("b"), STR_INIT("c")};
    struct {
        uint16_t list[7];
    } inside;
    static_assert(COUNT_OF(NAMES) == 3, "a constant");
    static_assert(COUNT_OF(inside.list) == 7, "of a member, too");
    static_assert(COUNT_OF("text") == 5, "with its NUL");
    static_assert(ARRAY_IS_POINTER_(NAMES[0].data), "what COUNT_OF refuses");
}

static void it_doubles_from_its_first_capacity(void **state)
{
    (void)state;
    assert_int_equal(array_more(0, FIRST), FIRST);
    assert_int_equal(array_more(FIRST, FIRST), 2 * FIRST);
    assert_int_equal(array_more(UINT32_C(1) << 30, FIRST), UINT32_C(1) << 31);
}

static void what_was_added_stays(void **state)
{
    (void)state;
    uint32_t *list = NULL;
    uint32_t count = 0;
    uint32_t capacity = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        ARRAY_GROW(list, count, capacity, FIRST);
        assert_true(count < capacity);
        list[count++] = i;
    }
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(list[i], i);
    assert_int_equal(capacity, 1024);
    free(list);
}

static void what_was_added_in_an_arena_stays(void **state)
{
    struct ctx *ctx = *state;
    Str *list = NULL;
    uint32_t count = 0;
    uint32_t capacity = 0;
    for (int i = 0; i < MANY; i++) {
        ARRAY_GROW_IN(ctx->arena, list, count, capacity, FIRST);
        list[count++] = str_printf(ctx->arena, "%d", i);
    }
    expect_str(list[0], "0");
    expect_str(list[FIRST], "8");
    expect_str(list[MANY - 1], "999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_knows_its_count),
        cmocka_unit_test(it_doubles_from_its_first_capacity),
        cmocka_unit_test(what_was_added_stays),
        FIXTURE_TEST(what_was_added_in_an_arena_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
