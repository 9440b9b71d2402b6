/* Checks the structure of a site's blueprint without reading its rows from PostgreSQL; private to
 * blueprint_*.c. */
#pragma once

#include "factory/blueprint/blueprint_parts.h"

/* Checks the rows of every part: unknown members, types, limits. `where` is a path like
 * "pages[3]". */
fiber_fn Err blueprint_check(struct ctx *ctx, const struct blueprint_layout *layout,
                             const struct json *body);

/* The rows of a part: an array, or one object for a part with a single row. */
uint32_t blueprint_row_count(const struct json *body, enum blueprint_part part);
const struct json *blueprint_row_at(const struct json *body, enum blueprint_part part,
                                    uint32_t index);
Str blueprint_where(struct arena *arena, enum blueprint_part part, uint32_t index);

/* "name" or {"library": "name"}. */
bool blueprint_label_read(const struct json *value, Str *ret_label, bool *ret_library);
