/*
 * The switch between stacks: assembly, and the hooks for AddressSanitizer and ThreadSanitizer. Only
 * for fibers (io/fiber/fiber.c) and calls on a deep stack (deep.c).
 */
#pragma once

#include <stddef.h>

/* A suspended context: a fiber, or the thread's own stack while it runs one. */
struct fiber_context {
    void *sp;
    const void *stack_low;
    size_t stack_size;
    void *fake_stack; /* for AddressSanitizer */
    void *tsan_fiber; /* for ThreadSanitizer */
};

/* Prepares `context` so that the first switch to it calls entry() on the stack
 * [stack_low, stack_low + stack_size); entry must never return. */
void fiber_context_make(struct fiber_context *context, void *stack_low, size_t stack_size,
                        void (*entry)(void));

/* Suspends `from`, continues `to`. Returns when something switches back. */
void fiber_context_switch(struct fiber_context *from, struct fiber_context *to);

/* Must be the first call in entry(); `from` is the context that switched to it. */
void fiber_context_enter(struct fiber_context *from);

/* Must be the last call in entry(): `from` is never resumed. */
_Noreturn void fiber_context_leave(struct fiber_context *from, struct fiber_context *to);

/* After a context has ended: frees the sanitizers' state for it. */
void fiber_context_drop(struct fiber_context *context);
