/* The shape of a site's blueprint, checked without its rows; private to blueprint_*.c. */
#pragma once

#include "factory/blueprint/blueprint_parts.h"

/* Rows `where` ("pages[3]") of a part: unknown members, kinds, limits. */
fiber_fn Err blueprint_check(struct ctx *ctx, const struct blueprint_layout *layout,
                             const struct json *body);

/* A part's rows: an array, or one object where there is only ever one. */
uint32_t blueprint_row_count(const struct json *body, enum blueprint_part part);
const struct json *blueprint_row_at(const struct json *body, enum blueprint_part part,
                                    uint32_t index);
Str blueprint_where(struct arena *arena, enum blueprint_part part, uint32_t index);

/* "name" or {"library": "name"}. */
bool blueprint_label_read(const struct json *value, Str *ret_label, bool *ret_library);
