/* Private to changes*.c: reads the feed between two PostgreSQL snapshots. */
#pragma once

#include "content/changes/changes.h"

struct reader;

struct reader *changes_reader_new(bool wants_all);
void changes_reader_free(struct reader *reader);
/* Delivers what became visible since the last call, a limited number of pages. The first call only
 * records the starting position. */
fiber_fn Err changes_read(struct ctx *ctx, struct reader *reader);
/* Whether the last call left pages unread. */
bool changes_has_more(const struct reader *reader);
/* Delivers to every subscriber. */
fiber_fn Err changes_deliver(struct ctx *ctx, const struct changes *changes);
