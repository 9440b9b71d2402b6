/* Slots of reactors: one place a module, however many threads come to it at once. */
#include "io/reactor/reactor.h"
#include "support/fixture.h"

#include <pthread.h>

enum { THREADS = 32, MODULES = REACTOR_SLOTS_MAX - 1 /* place 0 is nobody's */ };

static struct reactor_slot slots[MODULES];
static pthread_barrier_t barrier;

static void *use_all(void *arg)
{
    struct reactor *reactor = arg;
    for (uint32_t i = 0; i < MODULES; i++) {
        pthread_barrier_wait(&barrier);
        *(uint32_t *)reactor_slot(reactor, &slots[i]) = i + 1;
    }
    return NULL;
}

static void check_objects(const struct reactor *reactor)
{
    for (uint32_t i = 0; i < MODULES; i++) {
        const uint32_t *object = reactor_slot_find(reactor, &slots[i]);
        assert_non_null(object);
        assert_int_equal(*object, i + 1);
    }
}

static void threads_that_come_at_once_share_a_place(void **state)
{
    (void)state;
    static struct reactor reactors[THREADS];
    pthread_t threads[THREADS];
    for (uint32_t i = 0; i < MODULES; i++)
        slots[i] = (struct reactor_slot){.size = sizeof(uint32_t)};
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (uint32_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_all, &reactors[i]), 0);
    for (uint32_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        check_objects(&reactors[i]);
        reactor_release(&reactors[i]);
        assert_null(reactor_slot_find(&reactors[i], &slots[0]));
    }
    pthread_barrier_destroy(&barrier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_that_come_at_once_share_a_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
