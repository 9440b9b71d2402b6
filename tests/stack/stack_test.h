/*
 * How much of a fiber's stack a function needs: it runs in a fiber whose stack has been painted
 * before, and afterwards the paint tells how far down it went. On a build with sanitizers frames
 * are several times as large and so are the stacks: there it is only run.
 */
#pragma once

#include "base/memory/deep.h"
#include "io/fiber/fiber.h"
#include "io/fiber/fiber_stack.h"
#include "io/fiber/loop.h"
#include "support/fixture.h"

#include <stdint.h>

/* What one library call may use: above it stand dispatch, route and module, and the guard must
 * stay far away. */
enum { STACK_CALL_MAX = 40 * 1024, STACK_PAGE = 4096 };

#define STACK_UNCHECKED                                                                            \
    __attribute__((no_sanitize("address"), no_sanitize("thread"), noinline, unused))

struct stack_run {
    void (*fn)(struct ctx *ctx, void *arg);
    void *arg;
    size_t used;
};

static inline const char *stack_high(void)
{
    uintptr_t fiber = (uintptr_t)(void *)fiber_self();
    return (const char *)((fiber + STACK_PAGE - 1) & ~(uintptr_t)(STACK_PAGE - 1));
}

/* Leaves alone what its own frame and the next call may need. */
STACK_UNCHECKED static void stack_paint(void)
{
    uintptr_t end = (uintptr_t)__builtin_frame_address(0) - 1024;
    for (uintptr_t at = (uintptr_t)stack_high() - fiber_stack_size(); at < end; at++)
        *(volatile char *)at = 0x5a;
}

STACK_UNCHECKED static size_t stack_used(void)
{
    const volatile char *low = stack_high() - fiber_stack_size();
    size_t left = 0;
    while (low[left] == 0x5a)
        left++;
    return fiber_stack_size() - left;
}

static inline void stack_fiber(void *arg)
{
    struct stack_run *run = arg;
    struct ctx ctx = {.arena = arena_create()};
    stack_paint();
    run->fn(&ctx, run->arg);
    arena_destroy(ctx.arena);
    run->used = stack_used();
}

/* Runs fn in a fiber of its own; the most it used, printed and, where it counts, checked. */
static inline size_t stack_measure_on(struct loop *loop, const char *what,
                                      void (*fn)(struct ctx *ctx, void *arg), void *arg)
{
    struct stack_run run = {.fn = fn, .arg = arg};
    fiber_spawn(loop, "measured", stack_fiber, &run);
    while (fiber_count(loop) > 0)
        loop_turn(loop, 1000);
    print_message("# %-44s %6zu bytes\n", what, run.used);
    if (fiber_stack_size() == FIBER_STACK_SIZE && run.used > STACK_CALL_MAX)
        fail_msg("%s: %zu bytes of stack", what, run.used);
    return run.used;
}

static inline size_t stack_measure(const char *what, void (*fn)(struct ctx *ctx, void *arg),
                                   void *arg)
{
    struct loop *loop = loop_new();
    size_t used = stack_measure_on(loop, what, fn, arg);
    loop_free(loop);
    return used;
}
