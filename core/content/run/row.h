/*
 * Rows as the engine has them: a row of a result, seen through the shape that the query gave it.
 */
#pragma once

#include "content/run/row_sink.h"
#include "content/run/run.h"

struct row {
    const struct run *run;
    const struct shape *shape;
    const struct rows *rows; /* NULL: there is none, so that every member is null or empty */
    uint32_t index;
};

/* What a member is in one row. */
enum member_kind { MEMBER_NULL, MEMBER_VALUE, MEMBER_OBJECT, MEMBER_LIST };
struct member {
    enum member_kind kind;
    struct row_value value; /* MEMBER_VALUE */
    struct row row;         /* MEMBER_OBJECT; MEMBER_LIST: the first of them */
    uint32_t count;         /* MEMBER_LIST */
};
void row_member_of(const struct row *row, const struct out *out, struct member *ret);
/* Inline for values: an answer asks for each column of each of its rows. */
static inline void row_member(const struct row *row, const struct out *out, struct member *ret)
{
    if (out->kind != OUT_VALUE || row->rows == NULL) {
        row_member_of(row, out, ret);
        return;
    }
    ret->kind = MEMBER_VALUE;
    out->read(row->rows, row->index, out->column, &ret->value);
}
/* Of a row that is its key alone. */
void row_key(const struct row *row, struct row_value *ret);
