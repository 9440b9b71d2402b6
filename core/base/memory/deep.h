/*
 * Calls of libraries that recurse with their input, made from a fiber: on a stack of its own, one a
 * thread, mapped at the first call, with a guard below it. What is called must not wait
 * (fiber_wait asserts that) and needs a bound of its own input all the same: 4 KB of a pattern can
 * make pcre2 recurse 180 KB deep.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { DEEP_STACK_SIZE = 1024 * 1024, DEEP_STACK_SIZE_SANITIZED = 8 * 1024 * 1024 };

/* Runs fn(arg) there and returns when it has. Inside one, a plain call. */
void deep_call(void (*fn)(void *arg), void *arg);
bool deep_is_inside(void);

/* The most that this thread's calls have used of it, in bytes; for tests. */
size_t deep_high_water(void);
/* Is `address` in the guard below this thread's deep stack? Safe in a signal handler. */
bool deep_guard_holds(const void *address);
