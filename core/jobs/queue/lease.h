/*
 * A worker's incarnation: its name in spark.workers and in Redis, never used again, and the lease
 * that a thread of its own renews, so that job code cannot starve it.
 */
#pragma once

#include "base/settings/settings.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

enum { INCARNATION_MAX = 128 };

struct lease;

/* Begins to watch over jobs that never wait (overrun.h), and to register the incarnation, for as
 * long as it takes; see lease_is_held. */
struct lease *lease_start(struct ctx *ctx, const struct settings *settings);
Str lease_incarnation(const struct lease *lease);
/* false: not yet registered, or the lease may be over in PostgreSQL's eyes; then stop claiming and
 * drop what is running. Judged here, by CLOCK_BOOTTIME, five seconds (or a third of it) early. */
bool lease_is_held(const struct lease *lease);
/* PostgreSQL said so: this incarnation is dead and will not be held again. */
bool lease_has_failed(const struct lease *lease);
/* What the next heartbeat reports. */
void lease_report(struct lease *lease, uint32_t running, bool is_draining);
/* Takes the row away and ends the thread; NULL is fine. */
void lease_stop(struct lease *lease);
