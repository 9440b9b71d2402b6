/*
 * Keys that a write puts into references to tenants' rows. Where a foreign key holds the site as
 * well, PostgreSQL keeps them in it; where it holds the key alone (an opened database, files and
 * users, no foreign key at all) the statement that writes asks for itself, and refuses a row of
 * another site in the words of one that is missing.
 */
#pragma once

#include "content/items/write.h"
#include "content/plan/sql_print.h"

struct reference_guard;

/* NULL: nothing to ask, because the target has no site, the foreign key keeps it, or the server
 * itself writes the field (who created, who updated: that may be anybody). */
const struct reference_guard *reference_guard_make(struct compiler *c, const struct field *field,
                                                   enum action action);

/* A value in a statement: a parameter, or else a column of the table `alias`. */
struct written_value {
    struct param *param;
    Str alias;
    const struct field *field;
};
/* Prints the key, guarded. `site`: of the row that is written; without param and field it has not
 * been given and is the library's. */
void reference_guard_print(struct sql *sql, const struct reference_guard *guard,
                           const struct written_value *key, const struct written_value *site);

/* Whether a key in this field could lead to another site if nobody asked. */
bool reference_is_open(enum scope_kind scope, const struct field *field);

/* Rows that point to rows of the same statement cannot be asked for: they go one by one. */
bool reference_is_to_own(const struct ctx *ctx, const struct field *field);
