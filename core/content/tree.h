/*
 * The query tree: what a query means, checked against schema, grants and scope, ready to print.
 * Everything belongs to the plan's arena and is immutable once compiled.
 *
 *   plan ── select (one SQL statement) ── source (a table and what is joined to it)
 *                │                        pred   (a condition)
 *                │                        column (a result column)
 *                ├── shape (the JSON object of a row) ── out (one member)
 *                └── branch (a to-many relation: one further select)
 */
#pragma once

#include "access/grants.h"
#include "base/buf.h"
#include "content/schema.h"
#include "io/db.h"

enum {
    PLAN_JOINS_MAX = 32, /* of one statement */
    PLAN_SELECTS_MAX = 100,
    PLAN_FILTER_NODES_MAX = 1000,
    PLAN_LIST_MAX = 10000, /* elements of one _in */
    PLAN_COLUMNS_MAX = 1000,
    PLAN_SQL_MAX = 256 * 1024,
    BRANCH_ROWS_MAX = 100000, /* rows of one to-many statement */
};

enum function {
    FUNCTION_NONE,
    FUNCTION_YEAR,
    FUNCTION_MONTH,
    FUNCTION_WEEK,
    FUNCTION_DAY,
    FUNCTION_WEEKDAY,
    FUNCTION_HOUR,
    FUNCTION_MINUTE,
    FUNCTION_SECOND,
    FUNCTION_COUNT,
    FUNCTION_JSON,
    FUNCTION_UNKNOWN,
};

/* How a source hangs on its parent. */
enum source_kind {
    SOURCE_ROOT,
    SOURCE_JOIN,   /* left join, to one */
    SOURCE_SCALAR, /* each use of a column is a subquery: for conditions that may not join */
    SOURCE_FIRST,  /* the first of many, as a subquery: sorting by a to-many field */
};

struct source {
    uint32_t id; /* printed as t<id> */
    enum source_kind kind;
    const struct collection *collection;
    struct source *parent;
    const struct relation *via;
    struct pred *on; /* beside the equality of keys: site, grants, deep filter */
    bool is_private; /* has a deep filter: not for others */
    struct source *first_join;
    struct source *next;
};

struct operand {
    struct source *source;
    const struct field *field;
    enum function function;
    Str argument;           /* FUNCTION_JSON: the path as a PostgreSQL text array */
    struct source *counted; /* FUNCTION_COUNT of a to-many alias */
};

enum param_kind {
    PARAM_TEXT, /* constant */
    PARAM_LIST, /* an array literal of `items` */
    PARAM_SITE,
    PARAM_KEY,  /* given at each run */
    PARAM_KEYS, /* an array literal given at each run */
    PARAM_NOW,  /* moment of the run plus shift_ms */
    PARAM_USER,
    PARAM_ROLE,
    PARAM_ROLES,    /* array literal */
    PARAM_POLICIES, /* array literal */
    PARAM_GIVEN,    /* argument number `index` of a write */
};

struct param {
    enum param_kind kind;
    uint32_t index;
    uint32_t shared; /* PARAM_TEXT: 1 + its place among the values of the query's shape; 0: none */
    Str text;
    int64_t shift_ms;
    struct param **items;
    uint32_t item_count;
};

/* What a text of a query's shape is compared with. */
struct shared_value {
    const struct operand *operand;
    const char *cast;
};

/* What a field is compared with: a parameter or a subquery over the current user's row. */
struct value {
    struct param *param;
    const char *cast;          /* NULL or a type name */
    struct operand user_field; /* used when param is NULL */
    struct source *user_root;
};

enum pred_kind {
    PRED_AND,
    PRED_OR,
    PRED_NOT,
    PRED_TRUE,
    PRED_FALSE,
    PRED_COMPARE, /* operand operation value */
    PRED_LIKE,    /* operand [not] like value, either side lowered if is_folded */
    PRED_ANY,     /* operand = any (value), <> all when is_negated */
    PRED_BETWEEN, /* two values */
    PRED_NULL,
    PRED_EMPTY, /* null or '' */
    PRED_EXISTS,
    PRED_LIBRARY, /* operand is the library site */
    PRED_SITE,    /* operand is the scope's site */
    PRED_SITE_OR_LIBRARY,
    PRED_CHILD_OF, /* in an EXISTS: child's operand equals the parent's */
};

struct pred {
    enum pred_kind kind;
    struct pred *next; /* sibling under AND, OR, NOT */
    struct pred *first;
    struct pred *last;
    struct operand operand;
    struct operand parent; /* PRED_CHILD_OF */
    const char *operation; /* "=", "<" … */
    struct value *value;
    struct value *value_to;
    struct source *source; /* PRED_EXISTS: its root; `first` is the condition */
    bool is_negated;
    bool is_folded;
};

typedef void RowWriter(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column);

enum column_kind { COLUMN_OPERAND, COLUMN_PRED, COLUMN_AGGREGATE };
struct column {
    enum column_kind kind;
    struct operand operand;
    struct pred *mask;     /* NULL, or the value is null where it does not hold */
    const char *aggregate; /* "count", "sum" …; with operand.field NULL: of rows */
    bool is_distinct;
    bool as_text;
    RowWriter *write;
};

enum out_kind {
    OUT_VALUE,
    OUT_OBJECT, /* to one, joined */
    OUT_LIST,   /* to many */
    OUT_ANY,    /* to any */
    OUT_GROUP,  /* members in an object of their own, same row */
};

struct shape;
struct branch;
struct sql;

struct out {
    Str key; /* `"title":`, with the comma before it if it is not the first */
    enum out_kind kind;
    uint32_t column;
    RowWriter *write;
    struct shape *shape;   /* OUT_OBJECT, OUT_GROUP */
    struct branch *branch; /* OUT_LIST, OUT_ANY: the first of them */
    uint32_t mask;         /* OUT_LIST: a boolean column, or NO_COLUMN */
};

#define NO_COLUMN UINT32_MAX

struct shape {
    struct out *outs;
    uint32_t count;
    bool is_bare; /* the row is its key */
    uint32_t key; /* column, for bare shapes and for the presence of a joined row */
    RowWriter *write_key;
};

/* One further statement for a relation of `parent`'s rows. */
struct branch {
    struct branch *next;     /* of the same select */
    struct branch *next_any; /* OUT_ANY: the same relation's next collection */
    struct select *select;
    uint32_t index;             /* place of its result in a run */
    uint32_t parent_key;        /* column in the parent's rows */
    uint32_t child_key;         /* column in the child's rows */
    uint32_t collection_column; /* OUT_ANY: which collection the parent's row points into */
    Str collection;
};

struct order {
    const struct column *column;
    bool descending;
};

struct select {
    struct source *root;
    const char *root_name; /* NULL: the table; else the name of a CTE that stands for it */
    struct pred *where;
    struct column *columns;
    uint32_t column_count;
    uint32_t column_room;
    struct order *orders;
    uint32_t order_count;
    uint32_t group_count; /* the first columns */
    int64_t limit;        /* -1: none */
    int64_t offset;
    struct column *partition; /* per-parent limit: the column that names the parent */
    bool is_counted;          /* select count(*) */

    struct shape *shape;
    struct branch *first_branch;
    struct branch *last_branch;

    void (*prefix)(struct sql *sql, const void *arg); /* prints a WITH before it, or NULL */
    const void *prefix_arg;
    struct param **params; /* in the order of their numbers */
    uint32_t param_count;
    uint32_t param_room;
    struct statement statement;
};

struct plan {
    struct arena *arena;
    uint32_t references;
    const struct schema *schema; /* pinned while the plan lives */
    const struct collection *collection;
    struct select *root;
    struct select *total;  /* meta=total_count, or NULL */
    struct select *filter; /* meta=filter_count, or NULL */
    uint32_t branch_count;
    bool is_single;
    bool is_aggregated;
    const struct shared_value *shared; /* one for each value of the query's shape, or NULL */
    uint32_t shared_count;

    /* Writes only: columns beside the shape's. */
    bool is_mute; /* what was written may not be read: the shape is the key alone */
    uint32_t key_column;
    uint32_t site_column;     /* or NO_COLUMN */
    uint32_t readable_column; /* false: this row may not be read; or NO_COLUMN: all may */
};
