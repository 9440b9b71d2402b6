#include "base/memory/list.h"
#include "support/fixture.h"

struct node {
    struct node *next;
    int number;
};

static void check_order(const struct node *first, int count)
{
    int seen = 0;
    for (const struct node *node = first; node != NULL; node = node->next)
        assert_int_equal(node->number, seen++);
    assert_int_equal(seen, count);
}

static void nodes_keep_the_order_they_came_in(void **state)
{
    (void)state;
    struct node nodes[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    struct node *first = NULL;
    struct node *last = NULL;
    for (int i = 0; i < 3; i++) {
        LIST_APPEND(first, last, &nodes[i]);
        assert_ptr_equal(last, &nodes[i]);
        check_order(first, i + 1);
    }
}

static void a_node_brings_nothing_of_another_list(void **state)
{
    (void)state;
    struct node stray = {.number = 9};
    struct node node = {.next = &stray};
    struct node *first = NULL;
    struct node *last = NULL;
    LIST_APPEND(first, last, &node);
    check_order(first, 1);

    struct node again = {.next = &stray, .number = 1};
    LIST_APPEND_SHORT(first, &again);
    check_order(first, 2);
}

static void a_list_that_was_emptied_is_like_a_new_one(void **state)
{
    (void)state;
    struct node nodes[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    struct node *first = NULL;
    struct node *last = NULL;
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 3; i++)
            LIST_APPEND(first, last, &nodes[i]);
        for (int i = 0; i < 3; i++)
            assert_ptr_equal(LIST_TAKE(first, last), &nodes[i]);
        assert_null(LIST_TAKE(first, last));
        assert_null(last);
    }
}

static void a_short_list_is_walked_to_its_end(void **state)
{
    (void)state;
    struct node nodes[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    struct node *first = NULL;
    for (int i = 0; i < 3; i++) {
        LIST_APPEND_SHORT(first, &nodes[i]);
        check_order(first, i + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_keep_the_order_they_came_in),
        cmocka_unit_test(a_node_brings_nothing_of_another_list),
        cmocka_unit_test(a_list_that_was_emptied_is_like_a_new_one),
        cmocka_unit_test(a_short_list_is_walked_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
