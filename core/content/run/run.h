/*
 * Executing a plan: binding its parameters, sending its statements, passing its rows to a sink.
 */
#pragma once

#include "content/plan/plan.h"
#include "content/run/row_sink.h"
#include "io/pg/db_error.h"

struct branch_rows {
    struct rows rows;
    const Str *keys;   /* of the parents, as text, in the order in which they were asked for */
    struct map *spans; /* text of a parent's key → struct span */
};

struct run {
    struct ctx *ctx;
    struct db_tx *tx; /* reads what this transaction has written; NULL: what is committed */
    const struct plan *plan;
    DbArg key;              /* PARAM_KEY */
    DbArg keys;             /* PARAM_KEYS: an array */
    const DbArg *arguments; /* PARAM_ARGUMENT */
    uint32_t argument_count;
    const Str *values; /* the query's literals, converted to the types of their fields; NULL: the
                          plan's own */
    struct rows rows;
    struct rows defaults; /* of a singleton without a row: SQL_CONTENT_DEFAULTS */
    struct branch_rows *branches;
    int64_t total;
    int64_t filtered;
};

/* ERR_FORBIDDEN, as for a missing row, when the text is not a valid key. */
Err key_parse(struct ctx *ctx, const struct collection *collection, Str text, DbArg *ret);
bool key_is_valid(const struct field *key, Str text);
/* Several of them for PARAM_KEYS. UUIDs are sent as bytes, which PostgreSQL need not parse. */
DbArg keys_arg(struct arena *arena, const struct field *key, const Str *texts, uint32_t count);

/* '{"a","b"}' */
Str run_array_literal(struct arena *arena, const Str *items, uint32_t count);
/* A key as text, whatever its type. */
Str key_of_row(struct arena *arena, const struct rows *rows, uint32_t row, uint32_t column);

/* Arguments of one select, allocated in the arena. */
Err run_bind(struct run *run, const struct select *select, struct db_args *ret);
/* The root statement, the counts, then the branches, level by level. */
fiber_fn Err run_plan(struct run *run);
/* Raised by statements that write by key and find rows of several sites. */
extern const struct db_error_rule AMBIGUOUS_KEY_ERROR;
/* ERR_AMBIGUOUS_KEY when rows read by key belong to several sites. */
Err run_check_keys(const struct run *run);
/* The branches of rows that a write returned. */
fiber_fn Err run_branches(struct run *run, const struct select *select, const struct rows *rows);

/* ERR_STALE_EPOCH where a column has become another type since the plan was made: the statement
 * waited for the lock of that change behind the comparison of epochs. */
Err run_check_types(const struct run *run, const struct select *select, const struct rows *rows);

/* Whether the actor may read the row that the write returned. */
bool run_may_read(const struct run *run, uint32_t row);
/* Pass to the sink, with begin and end: one row; what stands for a singleton that has no row yet,
 * its key and the values of fields that have a default; all readable rows. */
fiber_fn Err run_emit_row(const struct run *run, uint32_t index, struct row_sink *sink);
fiber_fn Err run_emit_nothing(const struct run *run, struct row_sink *sink);
fiber_fn Err run_emit_list(const struct run *run, struct row_sink *sink);

/* dynamic_text.c. Dynamic variables outside SQL: "$CURRENT_USER" → its text; STR_NONE is null.
 * Lists
 * ($CURRENT_ROLES, $CURRENT_POLICIES) are no single value: *ret_is is false. */
fiber_fn Err dynamic_text(struct ctx *ctx, const struct schema *schema, Str text, bool *ret_is,
                          Str *ret);
/* The elements of such a list; false for any other text. */
bool dynamic_list(struct ctx *ctx, const struct schema *schema, Str text, const Str **ret,
                  uint32_t *ret_count);
