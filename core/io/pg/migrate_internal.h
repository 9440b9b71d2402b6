/*
 * Private to migrate*.c: one run of the migrations. What it asks stays in ctx->arena until the run
 * ends.
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
/* Applies the files of functions that differ from what is recorded, in one transaction; those of
 * the pack only where it is installed. *ret: how many. */
Err migration_renew_functions(struct migration_run *run, uint32_t *ret);

/* Runs statements that take no parameters. */
Err migration_command(struct migration_run *run, const char *sql);
Err migration_query(struct migration_run *run, const char *sql, PGresult **ret);
/* The same without judging the answer; `values` are NULL, or the two parameters of one statement.
 */
PGresult *migration_ask(struct migration_run *run, const char *sql, const char *const *values);
bool migration_is_done(const PGresult *result);
/* ERR_CONFIG, with the place in the file and PostgreSQL's words. */
Err migration_refuse(struct migration_run *run, const struct schema_file *file,
                     const PGresult *result);
