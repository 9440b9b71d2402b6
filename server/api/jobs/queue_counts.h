/*
 * The counters of the queue in one scope, shared by all streams of this thread.
 *
 * The cost of counting is proportional to the number of rows. So one count runs at a time, its
 * result is shared by all requests with the same scope and epoch, and it is refreshed after a
 * second or after COST_FACTOR times its duration, whichever is longer: watching a queue uses a
 * bounded share of one connection.
 */
#pragma once

#include "gen/routes/jobs.h"

/* For ctx->scope, SITE or PLATFORM. ERR_STALE_EPOCH when rights have changed since. */
fiber_fn Err queue_counts_get(struct ctx *ctx, struct queue_counts_reply *ret);
bool queue_counts_equal(const struct queue_counts_reply *a, const struct queue_counts_reply *b);
