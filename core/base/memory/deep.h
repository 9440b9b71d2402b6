/*
 * Calls of libraries that recurse with their input, from a fiber: on a separate stack, one per
 * thread, mapped at the first call, with a guard below it. The callee must not wait (fiber_wait
 * asserts that) and still needs a limit on its input: 4 KB of a pattern can make pcre2 recurse 180
 * KB deep.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { DEEP_STACK_SIZE = 1024 * 1024, DEEP_STACK_SIZE_SANITIZED = 8 * 1024 * 1024 };

/* Runs fn(arg) on that stack and returns afterwards. Nested: a plain call. */
void deep_call(void (*fn)(void *arg), void *arg);
bool deep_is_inside(void);

/* The maximum that this thread's calls have used of it, in bytes; for tests. */
size_t deep_high_water(void);
/* Whether `address` is in the guard below this thread's deep stack. Async-signal-safe. */
bool deep_guard_holds(const void *address);
