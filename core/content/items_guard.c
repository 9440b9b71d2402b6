#include "content/items_guard.h"

#include "base/ctx.h"

static const struct items_guard *guards;
static uint32_t guard_count;

void items_set_guards(const struct items_guard *new_guards, uint32_t count)
{
    guards = new_guards;
    guard_count = count;
}

Err items_guard_check(struct ctx *ctx, const struct field *field, Str text)
{
    for (uint32_t i = 0; i < guard_count; i++) {
        const struct items_guard *guard = &guards[i];
        if (text.data == NULL || !str_eq(guard->field, field->name) ||
            !str_eq(guard->collection, field->collection->name))
            continue;
        Err err = guard->check(ctx, text);
        return err == OK ? OK : fail_note(ctx, "field", field->name);
    }
    return OK;
}
