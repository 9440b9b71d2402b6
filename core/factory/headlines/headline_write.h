/* Writes the numbers [from, to) of a space into the inventory; private to headline_*.c. */
#pragma once

#include "factory/headlines/headline_space.h"

struct headline_range {
    uint64_t from;
    uint64_t to;
    uint64_t done_until; /* everything before this number is stored; `to` unless time ran out */
    uint64_t inserted;
    uint64_t existed;
    Str page; /* JSON array of the first inserted texts; STR_NONE: none */
};

/* Sets *range to what was done, even if it fails. */
fiber_fn Err headline_range_write(struct ctx *ctx, const struct headline_space *space,
                                  struct headline_range *range);

/* Moves the campaign's cursor, if the space is defined by the campaign and the campaign belongs to
 * the site. A site must not change campaigns of the library; there the caller keeps the offset. */
fiber_fn Err headline_cursor_move(struct ctx *ctx, const struct headline_space *space,
                                  uint64_t next);

/* Writes the work log entry of a run. */
fiber_fn Err headline_log(struct ctx *ctx, const struct campaign *campaign,
                          const struct headline_result *result);
