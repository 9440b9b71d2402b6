/*
 * What the tests of core/io share: cmocka, a loop with an arena, and a fiber to run a body in.
 */
#pragma once

/* cmocka.h wants these before it, in this order. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

/* cmocka has a fail() of its own; ours is meant everywhere. */
#undef fail
#define fail(ctx, err, ...)                                                                        \
    never_ok(diag_fail((ctx), (err), false, __FILE__, __LINE__, __VA_ARGS__))

#include "base/system/clock.h"
#include "io/fiber/fiber.h"
#include "io/fiber/loop.h"
#include "support/ctx_be.h"

#include <stdlib.h>

struct fixture {
    struct loop *loop;
    struct arena *arena;
};

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->loop = loop_new();
    f->arena = arena_create();
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fiber_count(f->loop), 0);
    loop_free(f->loop);
    arena_destroy(f->arena);
    free(f);
    return 0;
}

#define io_test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static inline void turn_until_empty(struct loop *loop)
{
    while (fiber_count(loop) > 0)
        loop_turn(loop, 1000);
}

/* Runs body(ctx, arg) in a fiber until it has ended; ctx has ten seconds. */
struct in_fiber {
    struct ctx ctx;
    Err (*body)(struct ctx *ctx, void *arg);
    void *arg;
    Err result;
};

static inline void in_fiber_main(void *arg)
{
    struct in_fiber *run = arg;
    run->result = run->body(&run->ctx, run->arg);
}

static inline struct in_fiber in_fiber_make(struct fixture *f,
                                            Err (*body)(struct ctx *ctx, void *arg), void *arg)
{
    return (struct in_fiber){
        .ctx = {.arena = f->arena, .deadline_us = clock_now_us() + 10 * SECOND_US},
        .body = body,
        .arg = arg};
}

static inline Err run_in_fiber(struct fixture *f, Err (*body)(struct ctx *ctx, void *arg),
                               void *arg)
{
    struct in_fiber run = in_fiber_make(f, body, arg);
    fiber_spawn(f->loop, "test", in_fiber_main, &run);
    turn_until_empty(f->loop);
    return run.result;
}
