/*
 * Stacks for fibers: a guard page below each, so that an overflow is a fault and never a silent
 * overwrite; a bounded pool, last out first, so that busy stacks stay in the cache.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A stack that is given back with less than this untouched is counted: fiber_stacks_deep. */
enum { FIBER_STACK_RESERVE = 16 * 1024 };

struct fiber_stack; /* lives in the stack's own lowest usable bytes while it is in the pool */

struct fiber_stack_pool {
    struct fiber_stack *free;
    uint32_t free_count;
};

size_t fiber_stack_size(void); /* usable bytes, without the guard */

/* Is `address` in the guard below the stack that begins at `stack_low`? Safe in a signal handler.
 */
bool fiber_stack_guard_holds(const void *stack_low, const void *address);

/* The low end of a stack; its contents are arbitrary. Out of memory or of mappings aborts. */
void *fiber_stack_take(struct fiber_stack_pool *pool);
void fiber_stack_give(struct fiber_stack_pool *pool, void *stack_low);
void fiber_stack_pool_finish(struct fiber_stack_pool *pool);
