/*
 * The query tree: what a query means, checked against schema, grants and scope, ready to print.
 * Everything belongs to the plan's arena and is immutable once compiled.
 *
 *   plan ── select (one SQL statement) ── source (a table and what is joined to it)
 *                │                        pred   (a condition)
 *                │                        column (a result column)
 *                ├── shape (the JSON object of a row) ── out (one member)
 *                └── branch (a to-many relation: one more select)
 */
#pragma once

#include "access/grants/grants.h"
#include "content/plan/tree_shape.h"

enum {
    PLAN_JOINS_MAX = 32, /* of one statement */
    PLAN_SELECTS_MAX = 500,
    PLAN_FILTER_NODES_MAX = 1000,
    PLAN_LIST_MAX = 10000, /* elements of one _in */
    PLAN_COLUMNS_MAX = 1000,
    PLAN_SQL_MAX = 256 * 1024,
    BRANCH_ROWS_MAX = 100000, /* rows of one to-many statement */
};

/* One more statement for a relation of `parent`'s rows. */
struct branch {
    struct branch *next;     /* of the same select */
    struct branch *next_any; /* OUT_ANY: the same relation's next collection */
    struct select *select;
    uint32_t index;             /* index of its result in a run */
    uint32_t parent_key;        /* column in the parent's rows */
    uint32_t child_key;         /* column in the child's rows: the parent's key, or its place */
    uint32_t collection_column; /* OUT_ANY: which collection the parent's row points into */
    uint32_t parent_site;       /* where keys may repeat: the parent's site … */
    uint32_t child_site; /* … and the site of the parent that the child refers to; or NO_COLUMN */
    Str collection;
};

struct order {
    const struct column *column;
    bool descending;
};

struct select {
    struct source *root;
    const char *root_name; /* NULL: the table; else the name of a CTE that replaces it */
    struct pred *where;
    struct column *columns;
    uint32_t column_count;
    uint32_t column_room;
    struct order *orders;
    uint32_t order_count;
    uint32_t group_count; /* the first columns */
    int64_t limit;        /* -1: none */
    int64_t offset;
    struct column *partition;      /* per-parent limit: the column that names the parent … */
    struct column *partition_site; /* … and the one with its site, or NULL */
    struct pred *keys;             /* of a branch: the rows of which parents */
    bool is_per_parent;            /* the rows of each parent are found by an index of their own */
    bool is_counted;               /* select count(*) */

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
    const uint32_t *readable;          /* columns: a row may be read if one of them holds … */
    uint32_t readable_count;           /* … 0: all may */
    const struct shared_value *shared; /* one for each lifted literal of the query, or NULL */
    uint32_t shared_count;

    /* Only for writes: columns in addition to the projection. */
    bool is_unreadable; /* the written rows may not be read: the projection is the key */
    uint32_t key_column;
    uint32_t site_column;     /* or NO_COLUMN */
    uint32_t revision_column; /* of a write; or NO_COLUMN */
};
