/*
 * Columns of the query tree, and the projection of a row.
 */
#pragma once

#include "content/plan/row_value.h"
#include "content/plan/tree_pred.h"

enum column_kind {
    COLUMN_OPERAND,
    COLUMN_PRED,
    COLUMN_AGGREGATE,
    COLUMN_EXPRESSION,
    COLUMN_PLACE, /* of the row's parent among the keys that were asked for, from 1 */
};
struct column {
    enum column_kind kind;
    struct operand operand;
    struct pred *mask;      /* NULL, or a condition: the value is null where it does not hold */
    const char *aggregate;  /* "count", "sum" …; with operand.field NULL: of rows */
    const char *expression; /* COLUMN_EXPRESSION: constant SQL */
    bool is_distinct;
    bool as_text;
    uint32_t type_oid; /* that the reader expects; 0: any */
    RowReader *read;
};

enum out_kind {
    OUT_VALUE,
    OUT_OBJECT, /* to one, joined */
    OUT_LIST,   /* to many */
    OUT_ANY,    /* to any */
    OUT_GROUP,  /* members in an object of their own, from the same row */
};

struct shape;
struct branch;
struct sql;

struct out {
    Str name;
    Str json_key; /* `"title":`, preceded by a comma unless it is the first */
    enum out_kind kind;
    uint32_t column;
    RowReader *read;
    struct shape *shape;   /* OUT_OBJECT, OUT_GROUP */
    struct branch *branch; /* OUT_LIST, OUT_ANY: the first branch */
    uint32_t mask; /* OUT_VALUE, OUT_LIST: a boolean column without which the member is null, or
                      NO_COLUMN */
};

#define NO_COLUMN UINT32_MAX

struct shape {
    struct out *outs;
    uint32_t count;
    bool is_key_only; /* the row is reduced to its key */
    uint32_t key;     /* column, for key-only shapes and for the presence of a joined row */
    RowReader *read_key;
    uint32_t *granting;      /* boolean columns: a row is granted if one of them holds … */
    uint32_t granting_count; /* … 0: they do not say */
    struct pred *seen; /* rows on which some member may be seen: the others are left out. NULL: all
                          that are granted */
};
