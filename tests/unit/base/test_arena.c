#include "base/memory/arena.h"
#include "support/fixture.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(HAS_ASAN)
#include <sanitizer/asan_interface.h>
#else
static int __asan_address_is_poisoned(const void *address)
{
    (void)address;
    return -1; /* cannot tell */
}
#endif

static char released[16];
static size_t released_count;

static void note_release(void *object)
{
    released[released_count++] = *(char *)object;
}

static void forget_releases(void)
{
    memset(released, 0, sizeof released);
    released_count = 0;
}

static void memory_is_zeroed_and_aligned(void **state)
{
    struct ctx *ctx = *state;
    for (size_t size = 0; size < 20000; size = size * 2 + 1) {
        unsigned char *data = arena_alloc(ctx->arena, size);
        assert_int_equal((uintptr_t)data % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(data[i], 0);
        memset(data, 0xFF, size);
    }
}

static void zeroed_again_after_rewind(void **state)
{
    struct ctx *ctx = *state;
    ArenaMark mark = arena_mark(ctx->arena);
    memset(arena_alloc(ctx->arena, 64), 0xFF, 64);
    arena_rewind(ctx->arena, mark);
    const unsigned char *data = arena_alloc(ctx->arena, 64);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(data[i], 0);
}

static void allocations_do_not_overlap(void **state)
{
    struct ctx *ctx = *state;
    enum { COUNT = 3000 };
    static unsigned char *blocks[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        blocks[i] = arena_alloc_raw(ctx->arena, 1 + i % 97);
        memset(blocks[i], (int)(i & 0xFF), 1 + i % 97);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        for (unsigned n = 0; n < 1 + i % 97; n++)
            assert_int_equal(blocks[i][n], i & 0xFF);
    }
}

static void used_returns_to_the_mark(void **state)
{
    struct ctx *ctx = *state;
    (void)arena_alloc(ctx->arena, 100);
    size_t before = arena_used(ctx->arena);
    ArenaMark mark = arena_mark(ctx->arena);
    for (unsigned i = 0; i < 200; i++)
        (void)arena_alloc(ctx->arena, 1000);
    (void)arena_alloc(ctx->arena, 3 * 1024 * 1024);
    assert_true(arena_used(ctx->arena) >= before + 200 * 1000 + 3 * 1024 * 1024);
    arena_rewind(ctx->arena, mark);
    assert_int_equal(arena_used(ctx->arena), before);
}

static void a_fresh_arena_holds_nothing(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    assert_int_equal(arena_used(arena), 0);
    (void)arena_alloc(arena, 50000);
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
    arena_destroy(arena);
    arena_destroy(NULL);
}

static void what_is_older_than_the_mark_survives(void **state)
{
    struct ctx *ctx = *state;
    char *old = arena_alloc(ctx->arena, 6000);
    char *large = arena_alloc(ctx->arena, 100000);
    memset(old, 'o', 6000);
    memset(large, 'l', 100000);
    for (unsigned turn = 0; turn < 50; turn++) {
        ArenaMark mark = arena_mark(ctx->arena);
        memset(arena_alloc(ctx->arena, 5000), 'x', 5000);
        memset(arena_alloc(ctx->arena, 500000), 'x', 500000);
        arena_rewind(ctx->arena, mark);
    }
    assert_int_equal(old[0], 'o');
    assert_int_equal(old[5999], 'o');
    assert_int_equal(large[99999], 'l');
}

static void defers_run_last_first_and_once(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    static char names[] = "abc";
    forget_releases();
    arena_defer(arena, note_release, &names[0]);
    ArenaMark mark = arena_mark(arena);
    arena_defer(arena, note_release, &names[1]);
    arena_defer(arena, note_release, &names[2]);
    arena_rewind(arena, mark);
    assert_string_equal(released, "cb");
    arena_destroy(arena);
    assert_string_equal(released, "cba");
}

static void defers_run_on_reset(void **state)
{
    struct ctx *ctx = *state;
    static char name = 'r';
    struct arena *arena = arena_create();
    (void)ctx;
    forget_releases();
    arena_defer(arena, note_release, &name);
    arena_reset(arena);
    assert_string_equal(released, "r");
    arena_destroy(arena);
    assert_string_equal(released, "r");
}

static void a_release_may_read_older_memory(void **state)
{
    (void)state;
    struct arena *arena = arena_create();
    forget_releases();
    ArenaMark mark = arena_mark(arena);
    char *name = arena_alloc(arena, 1);
    *name = 'm';
    arena_defer(arena, note_release, name);
    (void)arena_alloc(arena, 30000);
    (void)arena_alloc(arena, 3000);
    arena_rewind(arena, mark);
    assert_string_equal(released, "m");
    arena_destroy(arena);
}

static void rewound_memory_is_poisoned_under_asan(void **state)
{
    struct ctx *ctx = *state;
    ArenaMark mark = arena_mark(ctx->arena);
    char *data = arena_alloc(ctx->arena, 24);
    if (__asan_address_is_poisoned(data) < 0)
        skip();
    assert_false(__asan_address_is_poisoned(data));
    assert_true(__asan_address_is_poisoned(data + 24));
    arena_rewind(ctx->arena, mark);
    assert_true(__asan_address_is_poisoned(data));
}

static void arrays_have_room_for_all_elements(void **state)
{
    struct ctx *ctx = *state;
    uint64_t *numbers = arena_array(ctx->arena, uint64_t, 1000);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], 0);
    numbers[999] = 1;
    assert_non_null(arena_array(ctx->arena, uint64_t, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(memory_is_zeroed_and_aligned),
        FIXTURE_TEST(zeroed_again_after_rewind),
        FIXTURE_TEST(allocations_do_not_overlap),
        FIXTURE_TEST(used_returns_to_the_mark),
        cmocka_unit_test(a_fresh_arena_holds_nothing),
        FIXTURE_TEST(what_is_older_than_the_mark_survives),
        cmocka_unit_test(defers_run_last_first_and_once),
        FIXTURE_TEST(defers_run_on_reset),
        cmocka_unit_test(a_release_may_read_older_memory),
        FIXTURE_TEST(rewound_memory_is_poisoned_under_asan),
        FIXTURE_TEST(arrays_have_room_for_all_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
