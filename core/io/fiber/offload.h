/*
 * Offload: a few threads for calls that block (argon2, getaddrinfo, a connect). The function must
 * touch only its argument. A bounded queue: when it is full the call comes back ERR_UNAVAILABLE.
 */
#pragma once

#include "io/fiber/fiber.h"

struct offload;

struct offload *offload_new(uint32_t threads, uint32_t queue_max);
void offload_free(struct offload *offload); /* waits for running calls */

/* Runs fn(arg) on a thread and waits. It cannot be interrupted: when the deadline or a
 * cancellation comes first the fiber still waits for the thread to be done with `arg` (which may
 * live in its frame), and then returns that error. */
fiber_fn Err offload_run(struct ctx *ctx, struct offload *offload, void (*fn)(void *arg),
                         void *arg);

/* Without a fiber, from `loop`'s thread: done(arg) is called there afterwards. false: queue full.
 */
bool offload_submit(struct offload *offload, struct loop *loop, void (*fn)(void *arg),
                    void (*done)(void *arg), void *arg);

/* Ends an object whose release takes long: on a thread of this fiber's loop, or at once outside
 * fibers and when the queue is full. Nobody waits for it; release touches nothing but `object`. */
void offload_discard(void (*release)(void *object), void *object);
