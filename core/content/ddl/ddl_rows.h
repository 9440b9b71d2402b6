/*
 * Rows of directus_collections, directus_fields and directus_relations, and what their changes
 * leave in activity and revisions.
 */
#pragma once

#include "access/grants/actor.h"
#include "content/ddl/ddl_internal.h"

/* ddl_meta.c */
enum ddl_rows_of { ROWS_OF_COLLECTIONS, ROWS_OF_FIELDS, ROWS_OF_RELATIONS };
struct ddl_row {
    Str collection;
    Str field;               /* of fields and relations */
    Str type;                /* of fields; empty: of one that was there, only its row is new */
    Str related;             /* of relations; STR_NONE: to any */
    const struct json *meta; /* NULL: {} */
    bool is_whole; /* meta says what it leaves empty: no place in the order, no mark for JSON */
    Str path;      /* see ddl_at */
};
/* All of them at once, in their order. */
fiber_fn Err ddl_rows_insert(struct db_tx *tx, enum ddl_rows_of table, const struct ddl_row *rows,
                             uint32_t count);
/* The rows of fields become what their meta says; *ret_found: how many there were. */
fiber_fn Err ddl_fields_describe(struct db_tx *tx, const struct ddl_row *rows, uint32_t count,
                                 int64_t *ret_found);
/* ddl_history.c: rows that were inserted or described, in their order, of collections where `field`
 * is empty. Untracked ones have left nothing. */
fiber_fn Err ddl_history(struct db_tx *tx, enum action action, const struct ddl_row *rows,
                         uint32_t count);
/* Before they are deleted: those of a field, or of a collection (STR_NONE). */
fiber_fn Err ddl_history_gone(struct db_tx *tx, Str collection, Str field);

/* The meta of a field that the server fills: hidden, and nobody edits it. */
Err ddl_meta_hidden(struct ctx *ctx, Str interface, const struct json **ret);
