/*
 * Values that only a higher storey can judge, checked by every write of a text into that field,
 * nested and in bulk too. `check` does not wait; its sentence reaches the client with the field's
 * name.
 */
#pragma once

#include "content/schema.h"

struct items_guard {
    Str collection;
    Str field;
    Err (*check)(struct ctx *ctx, Str text);
};

/* Before the threads start; `guards` must live as long as the process. */
void items_set_guards(const struct items_guard *guards, uint32_t count);
/* OK when no guard stands there. */
Err items_guard_check(struct ctx *ctx, const struct field *field, Str text);
