/*
 * Stores tracking lines in their tables, for the drain and for the server without Redis. Private to
 * this module.
 */
#pragma once

#include "visitors/tracking/tracking.h"

/* Redis keys: events that wait for the drain. */
#define KEY_TRACKING_PAGEVIEWS "{t}:pageviews"
#define KEY_TRACKING_EVENTS "{t}:events"
/* Workers that have taken some of them. */
#define KEY_TRACKING_TAKERS "{t}:takers"
/* Events that a worker has taken and not yet stored: one of these prefixes and the worker. */
#define KEY_TRACKING_PAGEVIEWS_TAKEN "{t}:taken:"
#define KEY_TRACKING_EVENTS_TAKEN "{t}:taken-events:"

/*
 * Stores lines in PLATFORM scope; skips lines that are stored already or whose site is deleted. A
 * line that PostgreSQL refuses is omitted, and refused[i] has its error (OK for the others;
 * `refused` may be NULL). On an Err, none of them was stored, or the outcome is unknown.
 */
fiber_fn Err tracking_store_lines(struct platform platform, enum tracking_kind kind,
                                  const Str *items, uint32_t count, Err *refused);

/*
 * Waits until the line is committed, in one batch with all lines that arrived while the previous
 * batch was being stored. ERR_UNAVAILABLE: PostgreSQL is unavailable too, or TRACKING_BUFFER lines
 * are waiting.
 */
fiber_fn Err tracking_store_direct(struct ctx *ctx, enum tracking_kind kind, Str line);

/* tracking_is_direct: whether to skip Redis, because its list was full a moment ago.
 * tracking_go_direct: records that it is full. */
bool tracking_is_direct(struct reactor *reactor);
void tracking_go_direct(struct reactor *reactor);
