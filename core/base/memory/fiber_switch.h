/*
 * The switch between stacks: assembly, and the hooks that tell AddressSanitizer and ThreadSanitizer
 * about it. For fibers (io/fiber/fiber.c) and calls on a deep stack (deep.c), and nobody else.
 */
#pragma once

#include <stddef.h>

/* A suspended flow of control: a fiber, or what the thread was doing when it resumed one. */
struct fiber_context {
    void *sp;
    const void *stack_low;
    size_t stack_size;
    void *fake_stack; /* AddressSanitizer's */
    void *tsan_fiber; /* ThreadSanitizer's */
};

/* Prepares `context` so that the first switch to it calls entry() on the stack
 * [stack_low, stack_low + stack_size); entry must never return. */
void fiber_context_make(struct fiber_context *context, void *stack_low, size_t stack_size,
                        void (*entry)(void));

/* Suspends `from`, continues `to`. Returns when something switches back. */
void fiber_context_switch(struct fiber_context *from, struct fiber_context *to);

/* The first thing entry() does; `from` is what switched to it. */
void fiber_context_enter(struct fiber_context *from);

/* The last thing entry() does: `from` is never continued. */
_Noreturn void fiber_context_leave(struct fiber_context *from, struct fiber_context *to);

/* After a context has left: gives back what the sanitizers hold for it. */
void fiber_context_drop(struct fiber_context *context);
