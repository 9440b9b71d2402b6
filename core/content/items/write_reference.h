/*
 * Keys that a write puts into references to rows of tenants. A foreign key that includes the site
 * is enforced by PostgreSQL. A foreign key without the site (an opened database, files and users),
 * or a reference without a foreign key, is checked by the writing statement itself; it refuses a
 * row of another site with the same message as a missing row.
 */
#pragma once

#include "content/items/write.h"
#include "content/plan/sql_print.h"

struct reference_guard;

/* NULL: no check is needed, because the target has no site, the foreign key includes it, or the
 * server itself writes the field (who created, who updated: that may be anybody). */
const struct reference_guard *reference_guard_make(struct compiler *c, const struct field *field,
                                                   enum action action);

/* A value in a statement: a parameter, or else a column of the table `alias`. */
struct written_value {
    struct param *param;
    Str alias;
    const struct field *field;
};
/* Prints the key with its check. `site`: of the row that is written; without param and field it was
 * not supplied and is the library's. */
void reference_guard_print(struct sql *sql, const struct reference_guard *guard,
                           const struct written_value *key, const struct written_value *site);

/* Whether an unchecked key in this field could refer to another site. */
bool reference_is_open(enum scope_kind scope, const struct field *field);

/* References to rows of the same statement cannot be checked: such rows are written one by one. */
bool reference_is_to_own(const struct ctx *ctx, const struct field *field);
