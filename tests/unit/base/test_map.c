#include "base/memory/map.h"
#include "support/fixture.h"

enum { MANY = 5000 };

static int values[MANY];

static Str key_of(struct ctx *ctx, unsigned i)
{
    return str_printf(ctx->arena, "key-%u", i);
}

static struct map *full_map(struct ctx *ctx)
{
    struct map *map = map_in_arena(ctx->arena);
    for (unsigned i = 0; i < MANY; i++)
        assert_null(map_put(map, key_of(ctx, i), &values[i]));
    return map;
}

static void an_empty_map_answers(void **state)
{
    (void)state;
    struct map map;
    uint32_t cursor = 0;
    map_init(&map);
    assert_null(map_get(&map, STR("a")));
    assert_null(map_remove(&map, STR("a")));
    assert_null(map_next(&map, &cursor));
    map_clear(&map);
    map_finish(&map);
    map_finish(NULL);
}

static void what_was_put_is_found(void **state)
{
    struct ctx *ctx = *state;
    const struct map *map = full_map(ctx);
    assert_int_equal(map->count, MANY);
    for (unsigned i = 0; i < MANY; i++)
        assert_ptr_equal(map_get(map, key_of(ctx, i)), &values[i]);
    assert_null(map_get(map, STR("key-5000")));
    assert_null(map_get(map, STR("")));
}

static void putting_again_returns_the_old_value(void **state)
{
    struct ctx *ctx = *state;
    struct map *map = map_in_arena(ctx->arena);
    assert_null(map_put(map, STR(""), &values[0]));
    assert_ptr_equal(map_put(map, STR(""), &values[1]), &values[0]);
    assert_ptr_equal(map_get(map, STR_NONE), &values[1]);
    assert_int_equal(map->count, 1);
}

static void removing_leaves_the_others(void **state)
{
    struct ctx *ctx = *state;
    struct map *map = full_map(ctx);
    for (unsigned i = 0; i < MANY; i += 3)
        assert_ptr_equal(map_remove(map, key_of(ctx, i)), &values[i]);
    for (unsigned i = 0; i < MANY; i++)
        assert_ptr_equal(map_get(map, key_of(ctx, i)), i % 3 == 0 ? NULL : &values[i]);
    assert_null(map_remove(map, key_of(ctx, 0)));
    for (unsigned i = 0; i < MANY; i++)
        (void)map_remove(map, key_of(ctx, i));
    assert_int_equal(map->count, 0);
}

static void iterating_meets_every_entry_once(void **state)
{
    struct ctx *ctx = *state;
    const struct map *map = full_map(ctx);
    static bool is_seen[MANY];
    memset(is_seen, 0, sizeof is_seen);
    const struct map_slot *slot;
    unsigned count = 0;
    for (uint32_t i = 0; (slot = map_next(map, &i)) != NULL; count++) {
        ptrdiff_t at = (int *)slot->value - values;
        assert_false(is_seen[at]);
        is_seen[at] = true;
    }
    assert_int_equal(count, MANY);
}

static void clearing_keeps_the_room(void **state)
{
    (void)state;
    struct map map;
    map_init(&map);
    (void)map_put(&map, STR("a"), &values[0]);
    uint32_t capacity = map.capacity;
    map_clear(&map);
    assert_null(map_get(&map, STR("a")));
    assert_int_equal(map.count, 0);
    assert_int_equal(map.capacity, capacity);
    (void)map_put(&map, STR("a"), &values[1]);
    assert_ptr_equal(map_get(&map, STR("a")), &values[1]);
    map_finish(&map);
}

static void heap_maps_grow_and_are_given_back(void **state)
{
    struct ctx *ctx = *state;
    struct map map;
    map_init(&map);
    for (unsigned i = 0; i < MANY; i++)
        (void)map_put(&map, key_of(ctx, i), &values[i]);
    assert_int_equal(map.count, MANY);
    assert_true(map.capacity >= MANY && map.capacity <= 4 * MANY);
    map_finish(&map);
    assert_null(map.slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_answers),
        FIXTURE_TEST(what_was_put_is_found),
        FIXTURE_TEST(putting_again_returns_the_old_value),
        FIXTURE_TEST(removing_leaves_the_others),
        FIXTURE_TEST(iterating_meets_every_entry_once),
        cmocka_unit_test(clearing_keeps_the_room),
        FIXTURE_TEST(heap_maps_grow_and_are_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
