/*
 * Rows in memory: a result row seen through the projection of its query.
 */
#pragma once

#include "content/run/row_sink.h"
#include "content/run/run.h"

struct row {
    const struct run *run;
    const struct shape *shape;
    const struct rows *rows; /* NULL: there is no row, only defaults */
    uint32_t index;
};

/* The value of a member in one row. */
enum member_kind { MEMBER_NULL, MEMBER_VALUE, MEMBER_OBJECT, MEMBER_LIST };
struct member {
    enum member_kind kind;
    struct row_value value; /* MEMBER_VALUE */
    struct row row;         /* MEMBER_OBJECT; MEMBER_LIST: the first of them */
    uint32_t count;         /* MEMBER_LIST */
};
void row_member_of(const struct row *row, const struct out *out, struct member *ret);
/* Inline for values: called for each column of each row of an answer. */
static inline void row_member(const struct row *row, const struct out *out, struct member *ret)
{
    if (out->kind != OUT_VALUE || out->mask != NO_COLUMN || row->rows == NULL) {
        row_member_of(row, out, ret);
        return;
    }
    ret->kind = MEMBER_VALUE;
    out->read(row->rows, row->index, out->column, &ret->value);
}
/* The key, for a row that is reduced to its key. */
void row_key(const struct row *row, struct row_value *ret);
