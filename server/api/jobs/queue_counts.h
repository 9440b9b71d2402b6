/*
 * The counters of the queue in one scope, shared by all streams of this thread.
 *
 * The cost of counting is proportional to the number of rows. So one count runs at a time, its
 * result is shared by all requests with the same scope and epoch, and it is refreshed after a
 * second or after COST_FACTOR times its duration, whichever is longer: watching a queue uses a
 * bounded share of one connection.
 */
#pragma once

#include "base/json/json_writer.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

struct queue_counts {
    int64_t queued;
    int64_t running;
    int64_t done_last_hour;
    int64_t dead;
    int64_t workers;
    int64_t articles; /* -1: this database has no such collection */
    double rate;      /* jobs finished per second, averaged over ten seconds */
};

/* For ctx->scope, SITE or PLATFORM. ERR_STALE_EPOCH when rights have changed. */
fiber_fn Err queue_counts_get(struct ctx *ctx, struct queue_counts *ret);
bool queue_counts_equal(const struct queue_counts *a, const struct queue_counts *b);
/* Writes only the fields, into an open object. */
void queue_counts_write(struct json_writer *w, const struct queue_counts *counts);
