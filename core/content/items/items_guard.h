/*
 * Values that PostgreSQL cannot judge, checked by every write of a value into that field, nested,
 * in bulk and by blueprints too: those of a higher storey, and rules with patterns. `check` gets
 * the text of the value (JSON as text); its sentence reaches the client with the field's name. It
 * may breathe (fiber_breathe), and waits for nothing else.
 */
#pragma once

#include "content/schema/schema.h"
#include "io/fiber/fiber.h"

struct items_guard {
    Str collection;
    Str field;
    fiber_fn Err (*judge)(struct ctx *ctx, Str text);
};

/* Before the threads start; `guards` must live as long as the process. */
void items_set_guards(const struct items_guard *guards, uint32_t count);
/* NULL: none stands there. */
const struct items_guard *items_guard_find(Str collection, Str field);
/* OK when no guard stands there. */
fiber_fn Err items_guard_check(struct ctx *ctx, const struct field *field, Str text);
