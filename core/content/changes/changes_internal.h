/* Private to changes*.c: from snapshot to snapshot. */
#pragma once

#include "content/changes/changes.h"

struct reader;

struct reader *changes_reader_new(bool wants_all);
void changes_reader_free(struct reader *reader);
/* Delivers what has become visible and was not delivered yet, some pages at most; the first call
 * only remembers where to begin. */
fiber_fn Err changes_read(struct ctx *ctx, struct reader *reader);
/* Did the last call leave pages? */
bool changes_has_more(const struct reader *reader);
/* To every subscriber. */
fiber_fn Err changes_deliver(struct ctx *ctx, const struct changes *changes);
