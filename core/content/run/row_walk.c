/*
 * Passes rows to a visitor, member by member.
 */
#include "content/run/row.h"

#include <assert.h>

static fiber_fn void walk_rows(const struct row *first, uint32_t count, struct row_visitor *visitor)
{
    struct row row = *first;
    visitor->list_begin(visitor);
    for (uint32_t i = 0; i < count && !visitor->is_full; i++, row.index++)
        row_walk(&row, visitor);
    visitor->list_end(visitor);
}

static fiber_fn void walk_object(const struct row *row, struct row_visitor *visitor)
{
    assert(!row->shape->is_key_only);
    const struct shape *shape = row->shape;
    struct member member;
    visitor->object_begin(visitor);
    for (uint32_t i = 0; i < shape->count; i++) {
        visitor->member(visitor, shape->outs[i].name);
        row_member(row, &shape->outs[i], &member);
        if (member.kind == MEMBER_VALUE)
            visitor->value(visitor, &member.value);
        else if (member.kind == MEMBER_OBJECT)
            row_walk(&member.row, visitor);
        else
            walk_rows(&member.row, member.count, visitor);
    }
    visitor->object_end(visitor);
}

fiber_fn void row_walk(const struct row *row, struct row_visitor *visitor)
{
    fiber_pause();
    if (!row->shape->is_key_only) {
        walk_object(row, visitor);
        return;
    }
    struct row_value key;
    row_key(row, &key);
    visitor->value(visitor, &key);
}
