/* Applies schema files: a migration once, functions whenever they have changed. */
#include "base/system/ctx.h"
#include "io/pg/migrate_internal.h"

static Err run_migration(struct migration_run *run, const struct schema_file *migration);
static Err apply_needed_functions(struct migration_run *run, const struct schema_file *migration);
static Err renew_functions(struct migration_run *run, const PGresult *applied, uint32_t *ret);
static Err forget_functions(struct migration_run *run, const PGresult *applied);
static bool is_current(const struct schema_file *file, const PGresult *applied);
static Err apply_functions(struct migration_run *run, const struct schema_file *file);
static Err run_file(struct migration_run *run, const struct schema_file *file);
static Err record(struct migration_run *run, const char *sql, const struct schema_file *file);

#define NEEDED STR("-- functions: ")

Err migration_apply(struct migration_run *run, const struct schema_file *migration)
{
    TRY(migration_command(run, "begin"));
    Err err = run_migration(run, migration);
    if (err != OK) {
        PQclear(PQexec(run->pg, "rollback"));
        return err;
    }
    return migration_command(run, "commit");
}

static Err run_migration(struct migration_run *run, const struct schema_file *migration)
{
    TRY(apply_needed_functions(run, migration));
    TRY(run_file(run, migration));
    TRY(record(run, "insert into spark.migrations (name, checksum) values ($1, $2)", migration));
    /* Marks the fields that the file created as the platform's own
     * (schema/functions/own_fields.sql). */
    return migration_command(run,
                             "do $$ begin if to_regprocedure('spark.claim_fields()') is not null "
                             "then set local role spark_owner; perform spark.claim_fields(); end "
                             "if; end $$");
}

/* A migration that calls functions of schema/functions, or uses them in triggers, lists their files
 * in its first lines: "-- functions: changes partitions". */
static Err apply_needed_functions(struct migration_run *run, const struct schema_file *migration)
{
    Str text = migration->sql;
    Str line, stem;
    while (str_next(&text, '\n', &line) && str_starts_with(line, STR("--"))) {
        if (!str_starts_with(line, NEEDED))
            continue;
        Str stems = str_slice(line, NEEDED.len, line.len);
        while (str_next(&stems, ' ', &stem)) {
            const struct schema_file *file = migrations_functions(&run->files, stem);
            if (file == NULL)
                return fail(run->ctx, ERR_CONFIG, "%.*s needs schema/functions/%.*s.sql",
                            STR_FMT(migration->name), STR_FMT(stem));
            TRY(apply_functions(run, file));
        }
        TRY(migration_command(run, "reset role"));
    }
    return OK;
}

Err migration_renew_functions(struct migration_run *run, uint32_t *ret)
{
    PGresult *applied;
    TRY(migration_query(run, "select name, checksum from spark.functions", &applied));
    TRY(migration_command(run, "begin"));
    uint32_t count = 0;
    Err err = renew_functions(run, applied, &count);
    if (err != OK) {
        PQclear(PQexec(run->pg, "rollback"));
        return err;
    }
    *ret = count;
    return migration_command(run, "commit");
}

static Err renew_functions(struct migration_run *run, const PGresult *applied, uint32_t *ret)
{
    TRY(forget_functions(run, applied));
    for (uint32_t i = 0; i < run->files.function_count; i++) {
        const struct schema_file *file = &run->files.functions[i];
        if ((file->is_pack && !run->has_pack) || is_current(file, applied))
            continue;
        TRY(apply_functions(run, file));
        ++*ret;
    }
    return OK;
}

/* Deletes records of files that this binary does not contain: those that were renamed. */
static Err forget_functions(struct migration_run *run, const PGresult *applied)
{
    for (int row = 0; row < PQntuples(applied); row++) {
        struct schema_file file = {.name = str_from_z(PQgetvalue(applied, row, 0)),
                                   .checksum = str_from_z(PQgetvalue(applied, row, 1))};
        bool is_carried = false;
        for (uint32_t i = 0; i < run->files.function_count; i++)
            is_carried = is_carried || str_eq(run->files.functions[i].name, file.name);
        if (!is_carried)
            TRY(record(run, "delete from spark.functions where name = $1 and checksum = $2",
                       &file));
    }
    return OK;
}

static bool is_current(const struct schema_file *file, const PGresult *applied)
{
    for (int row = 0; row < PQntuples(applied); row++)
        if (str_eq(file->name, str_from_z(PQgetvalue(applied, row, 0))))
            return str_eq(file->checksum, str_from_z(PQgetvalue(applied, row, 1)));
    return false;
}

/* check_function_bodies is off: bodies may refer to tables and functions that are created later. */
static Err apply_functions(struct migration_run *run, const struct schema_file *file)
{
    TRY(migration_command(run, "set local check_function_bodies = off; "
                               "set local role spark_owner"));
    TRY(run_file(run, file));
    return record(run,
                  "insert into spark.functions (name, checksum) values ($1, $2) on conflict (name) "
                  "do update set checksum = excluded.checksum, applied_at = now()",
                  file);
}

static Err run_file(struct migration_run *run, const struct schema_file *file)
{
    PGresult *result = migration_ask(run, str_z(run->ctx->arena, file->sql), NULL);
    if (!migration_is_done(result))
        return migration_refuse(run, file, result);
    /* If a file ended the transaction itself, an error in the next file would leave it partially
     * applied. */
    if (PQtransactionStatus(run->pg) != PQTRANS_INTRANS)
        return fail(run->ctx, ERR_CONFIG, "%.*s ends its own transaction", STR_FMT(file->name));
    return OK;
}

static Err record(struct migration_run *run, const char *sql, const struct schema_file *file)
{
    const char *const values[] = {str_z(run->ctx->arena, file->name),
                                  str_z(run->ctx->arena, file->checksum)};
    PGresult *result = migration_ask(run, sql, values);
    return migration_is_done(result) ? OK : migration_refuse(run, file, result);
}
