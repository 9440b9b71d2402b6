/*
 * Stacks for fibers: a guard page below each, so that an overflow faults instead of silently
 * overwriting memory; a bounded LIFO pool, so that recently used stacks stay in the CPU cache.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A returned stack with less than this untouched is counted: fiber_stacks_deep. */
enum { FIBER_STACK_RESERVE = 16 * 1024 };

struct fiber_stack; /* stored in the stack's own lowest usable bytes while it is pooled */

struct fiber_stack_pool {
    struct fiber_stack *free;
    uint32_t free_count;
};

size_t fiber_stack_size(void); /* usable bytes, without the guard */

/* Whether `address` is in the guard below the stack that begins at `stack_low`.
 * Async-signal-safe. */
bool fiber_stack_guard_holds(const void *stack_low, const void *address);

/* Returns the low end of a stack with arbitrary contents. Aborts when out of memory or mappings. */
void *fiber_stack_take(struct fiber_stack_pool *pool);
void fiber_stack_give(struct fiber_stack_pool *pool, void *stack_low);
void fiber_stack_pool_finish(struct fiber_stack_pool *pool);
