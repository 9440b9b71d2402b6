/*
 * Private to migrate*.c: one execution of the migrations. Its results stay in ctx->arena until the
 * end.
 */
#pragma once

#include "io/pg/migrate_files.h"

#include <libpq-fe.h>

struct migration_run {
    struct ctx *ctx;
    PGconn *pg;
    int64_t deadline_us;
    struct migrations files;
    bool *is_applied; /* by index into files.list */
    bool is_new_database;
    bool has_pack;
    bool has_old_names; /* names of schema/renamed */
};

/* Applies one migration and records it, in a transaction. */
Err migration_apply(struct migration_run *run, const struct schema_file *migration);
/* Applies the function files that differ from what is recorded, in one transaction; those of the
 * pack only if it is installed. *ret: how many. */
Err migration_renew_functions(struct migration_run *run, uint32_t *ret);

/* Runs statements without parameters. */
Err migration_command(struct migration_run *run, const char *sql);
Err migration_query(struct migration_run *run, const char *sql, PGresult **ret);
/* The same without checking the result; `values` is NULL or the two parameters of one statement. */
PGresult *migration_ask(struct migration_run *run, const char *sql, const char *const *values);
bool migration_is_done(const PGresult *result);
/* ERR_CONFIG, with the position in the file and PostgreSQL's message. */
Err migration_refuse(struct migration_run *run, const struct schema_file *file,
                     const PGresult *result);
