/*
 * The lease of a worker. An incarnation is the worker's name in spark.workers and in Redis; it is
 * never reused. A separate thread renews the lease, so job code cannot starve it.
 */
#pragma once

#include "base/settings/settings.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

enum { INCARNATION_MAX = 128 };

struct lease;

/* Starts the thread, which registers the incarnation, retrying until it succeeds (lease_is_held),
 * and detects jobs that never wait (overrun.h). */
struct lease *lease_start(struct ctx *ctx, const struct settings *settings);
Str lease_incarnation(const struct lease *lease);
/* false: not yet registered, or the lease may have expired in PostgreSQL; then stop claiming and
 * cancel what is running. Decided locally by CLOCK_BOOTTIME, five seconds (or a third of the lease)
 * early. */
bool lease_is_held(const struct lease *lease);
/* PostgreSQL has declared this incarnation dead; its lease cannot be renewed. */
bool lease_has_failed(const struct lease *lease);
/* What the next heartbeat reports. */
void lease_report(struct lease *lease, uint32_t running, bool is_draining);
/* Deletes the row and ends the thread. `lease` may be NULL. */
void lease_stop(struct lease *lease);
