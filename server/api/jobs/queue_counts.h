/*
 * The queue's counters as one scope sees them, shared by everybody who watches on this thread.
 *
 * Counting costs as much as there are rows. So one count runs at a time, its result serves all who
 * have the same scope and epoch, and it is made again after a second or after COST_FACTOR times as
 * long as it took, whichever is longer: watching a queue takes a bounded share of one connection.
 */
#pragma once

#include "gen/routes/jobs.h"

/* For ctx->scope, SITE or PLATFORM. ERR_STALE_EPOCH when rights have changed since. */
fiber_fn Err queue_counts_get(struct ctx *ctx, struct queue_counts_reply *ret);
bool queue_counts_equal(const struct queue_counts_reply *a, const struct queue_counts_reply *b);
