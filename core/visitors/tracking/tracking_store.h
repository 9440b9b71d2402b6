/*
 * How lines of tracking get into their table, for the drain and for the server without Redis.
 * Private to this module.
 */
#pragma once

#include "visitors/tracking/tracking.h"

/* Redis keys: events that were accepted and wait for the drain. */
#define KEY_TRACKING_PAGEVIEWS "{t}:pageviews"
#define KEY_TRACKING_EVENTS "{t}:events"
/* Who has taken some of them. */
#define KEY_TRACKING_TAKERS "{t}:takers"
/* What one drain has taken and not yet stored: one of these prefixes and the worker. */
#define KEY_TRACKING_PAGEVIEWS_TAKEN "{t}:taken:"
#define KEY_TRACKING_EVENTS_TAKEN "{t}:taken-events:"

/*
 * Stores lines on the platform lane: past what is stored already or whose site is gone. A line that
 * PostgreSQL refuses is left out alone, and refused[i] says why (it stays OK for the others;
 * `refused` may be NULL). An Err: none of them, or nobody knows.
 */
fiber_fn Err tracking_store_lines(struct platform platform, enum tracking_kind kind,
                                  const Str *items, uint32_t count, Err *refused);

/*
 * Waits until the line is committed, in one batch with all that came while the batch before was
 * under way. ERR_UNAVAILABLE: PostgreSQL is away too, or TRACKING_BUFFER lines wait already.
 */
fiber_fn Err tracking_store_direct(struct ctx *ctx, enum tracking_kind kind, Str line);

/* Whether Redis is passed over, because its list was full a moment ago; and that it is full. */
bool tracking_is_direct(struct reactor *reactor);
void tracking_go_direct(struct reactor *reactor);
