/*
 * Printing the tree as SQL. Identifiers come from the snapshot and are quoted; values are numbered
 * parameters in the order of their first appearance.
 */
#pragma once

#include "content/plan/compile.h"

struct sql {
    struct compiler *c;
    struct select *select; /* whose parameters are numbered */
    struct buf *out;
    const struct sql_open *open; /* enclosing subqueries: columns are printed without alias */
};
struct sql_open {
    const struct sql_open *outer;
    const struct source *source;
};

void sql_text(struct sql *sql, const char *text);
void sql_name(struct sql *sql, Str identifier);
void sql_param(struct sql *sql, struct param *param);
void sql_operand(struct sql *sql, const struct operand *operand);
/* The statement names a column of this field's type (struct statement). */
void sql_note_type(struct sql *sql, const struct field *field);
void sql_value(struct sql *sql, const struct value *value);
void sql_pred(struct sql *sql, const struct pred *pred); /* NULL prints true */
void sql_joins(struct sql *sql,
               const struct source *source); /* left join … of what is joined to it */
void sql_from(struct sql *sql, const struct source *root, const char *root_name);
void sql_select(struct sql *sql, struct select *select);
/* "uuid", "int4" … for types that keys may have; NULL for others. */
const char *sql_type_name(uint32_t oid);
/* The same for the elements of PARAM_KEYS; NULL where PostgreSQL has to infer it. */
const char *sql_key_type(const struct field *key);
/* PARAM_KEYS as an array of one of these types. */
void sql_keys(struct sql *sql, const struct pred *keys, const char *type);
