/*
 * The members of a row: values, the rows it refers to, the rows that refer to it.
 */
#include "content/run/row.h"

#include "content/run/branch.h"
#include "gen/sql.h"

#include <assert.h>

static void is_value(const struct row *row, RowReader *read, uint32_t column, struct member *ret)
{
    assert(read != NULL && column != NO_COLUMN);
    ret->kind = MEMBER_VALUE;
    read(row->rows, row->index, column, &ret->value);
}

static void is_null(struct member *ret)
{
    ret->kind = MEMBER_VALUE;
    ret->value.kind = ROW_NULL;
}

/* A nested object from the same row: a joined row, or a group of aggregates. */
static void is_object(const struct row *row, const struct shape *shape, struct member *ret)
{
    ret->kind = MEMBER_OBJECT;
    ret->row = *row;
    ret->row.shape = shape;
}

static void is_joined(const struct row *row, const struct shape *shape, struct member *ret)
{
    assert(shape->key != NO_COLUMN);
    if (row_is_null(row->rows, row->index, shape->key))
        is_null(ret);
    else
        is_object(row, shape, ret);
}

static bool is_masked(const struct row *row, const struct out *out)
{
    return out->mask != NO_COLUMN && !row_bool(row->rows, row->index, out->mask);
}

static void is_list(const struct row *row, const struct out *out, struct member *ret)
{
    assert(out->branch != NULL);
    struct branch_span span = branch_children(row->run, out->branch, row->rows, row->index);
    ret->kind = MEMBER_LIST;
    ret->row = (struct row){row->run, out->branch->select->shape, span.rows, span.first};
    ret->count = span.count;
}

/* The target of a to-any reference may be deleted or unreadable. If no such collection is readable,
 * the reference itself is the value. */
static void is_any(const struct row *row, const struct out *out, struct member *ret)
{
    for (const struct branch *b = out->branch; b != NULL; b = b->next_any) {
        struct branch_span span = branch_target(row->run, b, row->rows, row->index);
        if (span.count > 0) {
            ret->kind = MEMBER_OBJECT;
            ret->row = (struct row){row->run, b->select->shape, span.rows, span.first};
            return;
        }
    }
    if (out->branch == NULL)
        is_value(row, out->read, out->column, ret);
    else
        is_null(ret);
}

static void is_default(const struct row *row, const struct out *out, struct member *ret)
{
    assert(out->kind == OUT_VALUE);
    if (out->column == NO_COLUMN)
        is_null(ret);
    else
        *ret = (struct member){
            .kind = MEMBER_VALUE,
            .value = {.kind = ROW_JSON,
                      .text = row_text(&row->run->defaults, out->column, CONTENT_DEFAULTS_VALUE)}};
}

void row_member_of(const struct row *row, const struct out *out, struct member *ret)
{
    if (row->rows == NULL) {
        is_default(row, out, ret);
        return;
    }
    assert(row->index < row->rows->count);
    if (is_masked(row, out)) {
        is_null(ret);
        return;
    }
    switch (out->kind) {
    case OUT_VALUE:
        is_value(row, out->read, out->column, ret);
        break;
    case OUT_OBJECT:
        is_joined(row, out->shape, ret);
        break;
    case OUT_LIST:
        is_list(row, out, ret);
        break;
    case OUT_ANY:
        is_any(row, out, ret);
        break;
    case OUT_GROUP:
        is_object(row, out->shape, ret);
        break;
    }
}

void row_key(const struct row *row, struct row_value *ret)
{
    assert(row->shape->is_key_only);
    if (row->rows == NULL)
        ret->kind = ROW_NULL;
    else
        row->shape->read_key(row->rows, row->index, row->shape->key, ret);
}
