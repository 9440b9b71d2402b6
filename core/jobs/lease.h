/*
 * A worker's incarnation: its name in spark.workers and in Redis, never used again, and the lease
 * that a thread of its own renews.
 */
#pragma once

#include "base/ctx.h"
#include "base/settings.h"
#include "io/fiber.h"

enum { INCARNATION_MAX = 128 };

struct lease;

/* Registers the incarnation and starts the heartbeat on its own thread, which job code cannot
 * starve. Blocks until the row is there or `timeout_us` is over: start-up only. */
Err lease_start(struct ctx *ctx, const struct settings *settings, int64_t timeout_us,
                struct lease **ret);
Str lease_incarnation(const struct lease *lease);
/* false: the lease may be over in PostgreSQL's eyes; stop claiming and drop what is running. It is
 * judged here, by CLOCK_BOOTTIME, five seconds (or a third of it) early. */
bool lease_is_held(const struct lease *lease);
/* What the next heartbeat reports. */
void lease_report(struct lease *lease, uint32_t running, bool is_draining);
/* Takes the row away and ends the thread. */
void lease_stop(struct lease *lease);
