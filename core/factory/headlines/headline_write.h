/* Writing numbers [from, to) of a space into the inventory; private to headline_*.c. */
#pragma once

#include "factory/headlines/headline_space.h"

struct headline_range {
    uint64_t from;
    uint64_t to;
    uint64_t done_until; /* everything before it is stored; `to` unless time ran out */
    uint64_t inserted;
    uint64_t existed;
    Str page; /* JSON array of the first texts that were new; STR_NONE: none */
};

/* Whatever happens, *range tells how far it got. */
fiber_fn Err headline_range_write(struct ctx *ctx, const struct headline_space *space,
                                  struct headline_range *range);

/* The campaign's cursor, if the space is the campaign's own and the campaign the site's own: one of
 * the library is not the site's to change, there the caller keeps the offset. */
fiber_fn Err headline_cursor_move(struct ctx *ctx, const struct headline_space *space,
                                  uint64_t next);

/* The work log's line of a run. */
fiber_fn Err headline_log(struct ctx *ctx, const struct campaign *campaign,
                          const struct headline_result *result);
