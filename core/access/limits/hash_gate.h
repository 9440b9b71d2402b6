/*
 * The gate before hashes that requests make: argon2 takes 64 MiB and a thread of the pool, which
 * logins and connections need, too. One runs at a time per thread of the server; the others wait in
 * the order in which they came.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

/* Runs work(arg) on a thread of the pool. ERR_UNAVAILABLE while `waiting_max` others wait; 0: as
 * many as come. */
fiber_fn Err hash_gate_run(struct ctx *ctx, uint32_t waiting_max, void (*work)(void *arg),
                           void *arg);
