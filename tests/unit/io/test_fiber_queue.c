/* The queue that serves owners in turn. */
#include "io/fiber/fiber_queue.h"
#include "io_test.h"

#include <string.h>

enum { COUNT = 12 };

struct places {
    struct fiber_queue queue;
    struct fiber_place list[COUNT];
};

/* Pushes one place for each letter: small letters are owners, '-' has none. */
static void push_all(struct places *places, const char *owners)
{
    memset(places, 0, sizeof *places);
    for (uint32_t i = 0; owners[i] != '\0'; i++) {
        places->list[i].owner = owners[i] == '-' ? 0 : (uint64_t)owners[i];
        fiber_queue_push(&places->queue, &places->list[i]);
    }
}

/* Their numbers, in the order in which they come out, as letters from 'a'. */
static const char *order_of(struct places *places, uint32_t most)
{
    static char text[COUNT + 1];
    uint32_t count = 0;
    struct fiber_place *place;
    while (count < most && (place = fiber_queue_pop(&places->queue)) != NULL)
        text[count++] = (char)('a' + (place - places->list));
    text[count] = '\0';
    return text;
}

static void owners_take_turns_and_each_is_served_in_order(void **state)
{
    (void)state;
    struct places places;
    push_all(&places, "aaaabbc");
    assert_string_equal(order_of(&places, COUNT), "aegbfcd");
    assert_string_equal(order_of(&places, COUNT), "");
}

static void those_without_an_owner_are_served_as_they_come(void **state)
{
    (void)state;
    struct places places;
    push_all(&places, "--a-a-");
    assert_string_equal(order_of(&places, COUNT), "abcdfe");
}

static void who_comes_back_waits_for_one_of_each_other_owner(void **state)
{
    (void)state;
    struct places places;
    push_all(&places, "aaab");
    static const uint32_t ORDER[] = {0, 3, 1, 3, 2, 3, 0};
    for (uint32_t i = 0; i < sizeof ORDER / sizeof ORDER[0]; i++) {
        struct fiber_place *place = fiber_queue_pop(&places.queue);
        assert_ptr_equal(place, &places.list[ORDER[i]]);
        fiber_queue_push(&places.queue, place);
    }
}

static void owners_of_one_bucket_are_told_apart(void **state)
{
    (void)state;
    struct places places = {0};
    for (uint32_t i = 0; i < 6; i++) {
        places.list[i].owner = 7 + (uint64_t)FIBER_QUEUE_BUCKETS * (i % 2);
        fiber_queue_push(&places.queue, &places.list[i]);
    }
    assert_string_equal(order_of(&places, COUNT), "abcdef");
    for (uint32_t i = 0; i < FIBER_QUEUE_BUCKETS; i++)
        assert_null(places.queue.buckets[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners_take_turns_and_each_is_served_in_order),
        cmocka_unit_test(those_without_an_owner_are_served_as_they_come),
        cmocka_unit_test(who_comes_back_waits_for_one_of_each_other_owner),
        cmocka_unit_test(owners_of_one_bucket_are_told_apart),
    };
    return cmocka_run_group_tests_name("fiber_queue", tests, NULL, NULL);
}
