/* Gates: so many inside, first come first served, nobody lost when a waiter goes away. */
#include "io_test.h"

struct visit {
    struct gate *gate;
    struct fiber *fiber;
    struct wait *stay; /* inside, until it is ended */
    struct ctx ctx;
    int *order;
    int number;
    Err result;
};

static Err visit_body(struct ctx *ctx, struct visit *visit)
{
    SCOPED_GATE struct gate *inside = NULL;
    TRY(gate_enter(ctx, visit->gate));
    inside = visit->gate;
    *visit->order = *visit->order * 10 + visit->number;
    struct wait stay = wait_begin();
    visit->stay = &stay;
    Err err = fiber_wait(ctx, &stay);
    visit->stay = NULL;
    return err;
}

static void visit_main(void *arg)
{
    struct visit *visit = arg;
    visit->fiber = fiber_self();
    visit->result = visit_body(&visit->ctx, visit);
    visit->fiber = NULL;
}

enum { VISITORS = 5 };

struct scene {
    struct fixture *f;
    struct gate gate;
    struct visit visits[VISITORS];
    int order;
};

static void open_scene(struct scene *scene, struct fixture *f, uint32_t permits)
{
    REPLACE(*scene, (struct scene){.f = f});
    gate_init(&scene->gate, permits);
    for (int i = 0; i < VISITORS; i++) {
        REPLACE(scene->visits[i], (struct visit){.gate = &scene->gate,
                                                 .ctx = {.arena = f->arena},
                                                 .order = &scene->order,
                                                 .number = i + 1});
        fiber_spawn(f->loop, "visitor", visit_main, &scene->visits[i]);
    }
}

static void leave(struct scene *scene, int number)
{
    wait_end(scene->visits[number - 1].stay, OK);
    loop_turn(scene->f->loop, 0);
}

static void gate_lets_in_first_come_first_served(void **state)
{
    struct scene scene;
    open_scene(&scene, *state, 2);
    assert_int_equal(scene.order, 12);
    leave(&scene, 2);
    assert_int_equal(scene.order, 123);
    leave(&scene, 1);
    leave(&scene, 3);
    assert_int_equal(scene.order, 12345);
    leave(&scene, 4);
    leave(&scene, 5);
    assert_int_equal(scene.gate.free, 2);
}

static void waiter_that_is_cancelled_leaves_the_line(void **state)
{
    /* First, middle and last of the line. */
    for (int victim = 2; victim <= VISITORS; victim++) {
        struct scene scene;
        open_scene(&scene, *state, 1);
        fiber_cancel(scene.visits[victim - 1].fiber);
        loop_turn(scene.f->loop, 0);
        assert_int_equal(scene.visits[victim - 1].result, ERR_CANCELLED);
        for (int i = 1; i <= VISITORS; i++)
            if (i != victim)
                leave(&scene, i);
        assert_int_equal(scene.gate.free, 1);
        assert_null(scene.gate.first);
        assert_null(scene.gate.last);
    }
}

static void permit_handed_to_a_cancelled_waiter_is_not_lost(void **state)
{
    struct scene scene;
    open_scene(&scene, *state, 1);
    /* In the same turn it is handed the permit and cancelled: it gets in, and its next wait ends
     * at once. */
    wait_end(scene.visits[0].stay, OK);
    fiber_cancel(scene.visits[1].fiber);
    loop_turn(scene.f->loop, 0);
    assert_int_equal(scene.visits[1].result, ERR_CANCELLED);
    assert_int_equal(scene.order, 123);
    leave(&scene, 3);
    leave(&scene, 4);
    leave(&scene, 5);
    assert_int_equal(scene.gate.free, 1);
}

static void visitor_that_is_cancelled_inside_leaves_the_gate(void **state)
{
    struct scene scene;
    open_scene(&scene, *state, 1);
    fiber_cancel_all(scene.f->loop);
    turn_until_empty(scene.f->loop);
    assert_int_equal(scene.gate.free, 1);
}

static void line_has_the_deadline_of_the_ctx(void **state)
{
    struct fixture *f = *state;
    struct scene scene;
    open_scene(&scene, f, VISITORS);
    struct visit late = {.gate = &scene.gate,
                         .ctx = {.arena = f->arena, .deadline_us = clock_now_us() + 1000},
                         .order = &scene.order};
    fiber_spawn(f->loop, "late", visit_main, &late);
    while (late.fiber != NULL)
        loop_turn(f->loop, 1000);
    assert_int_equal(late.result, ERR_TIMEOUT);
    for (int i = 1; i <= VISITORS; i++)
        leave(&scene, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        io_test(gate_lets_in_first_come_first_served),
        io_test(waiter_that_is_cancelled_leaves_the_line),
        io_test(permit_handed_to_a_cancelled_waiter_is_not_lost),
        io_test(visitor_that_is_cancelled_inside_leaves_the_gate),
        io_test(line_has_the_deadline_of_the_ctx),
    };
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
