/*
 * Offload: a few threads for calls that block (argon2, getaddrinfo, a connect). The function must
 * touch only its argument. The queue is bounded: when it is full the call returns ERR_UNAVAILABLE.
 */
#pragma once

#include "io/fiber/fiber.h"

struct offload;

struct offload *offload_new(uint32_t threads, uint32_t queue_max);
void offload_free(struct offload *offload); /* waits for running calls */

/* Runs fn(arg) on a thread and waits. Not interruptible: after the deadline or a cancellation the
 * fiber still waits until the thread has finished with `arg` (which may be in its frame), and then
 * returns that error. */
fiber_fn Err offload_run(struct ctx *ctx, struct offload *offload, void (*fn)(void *arg),
                         void *arg);

/* Without a fiber, from `loop`'s thread: done(arg) is called there afterwards. false: the queue is
 * full. */
bool offload_submit(struct offload *offload, struct loop *loop, void (*fn)(void *arg),
                    void (*done)(void *arg), void *arg);

/* Releases an object in the background: on a thread of this fiber's loop, or immediately outside
 * fibers and when the queue is full. `release` must access nothing but `object`. */
void offload_discard(void (*release)(void *object), void *object);
