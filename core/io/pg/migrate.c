#include "io/pg/migrate.h"

#include "base/system/clock.h"
#include "base/system/ctx.h"
#include "base/system/range.h"
#include "io/pg/migrate_internal.h"
#include "io/pg/session/db_connect.h"

static Err migrate_connected(struct migration_run *run, enum migrate_pack pack,
                             struct migrate_result *ret);
static Err connect(struct ctx *ctx, Str url, int64_t deadline_us, PGconn **ret);
static Err take_lock(struct migration_run *run);
static Err prepare_table(struct migration_run *run);
static Err read_applied(struct migration_run *run);
static Err check_applied(struct migration_run *run, Str name, Str checksum);
static Err rename_applied(struct migration_run *run);
static bool field_is(const PGresult *result, int column);
static void release_connection(void *pg);

Err migrate_run(struct ctx *ctx, Str direct_url, enum migrate_pack pack, int64_t timeout_us,
                struct migrate_result *ret)
{
    struct migration_run run = {.ctx = ctx, .deadline_us = clock_now_us() + timeout_us};
    TRY(migrations_load(ctx, &run.files));
    run.is_applied = arena_array(ctx->arena, bool, run.files.count + 1);
    TRY(connect(ctx, direct_url, run.deadline_us, &run.pg));
    ArenaMark mark = arena_mark(ctx->arena);
    arena_defer(ctx->arena, release_connection, run.pg);
    Err err = migrate_connected(&run, pack, ret);
    /* Close the connection, and with it the lock, unless the error message still needs it. */
    if (err == OK)
        arena_rewind(ctx->arena, mark);
    return err;
}

static Err migrate_connected(struct migration_run *run, enum migrate_pack pack,
                             struct migrate_result *ret)
{
    TRY(take_lock(run));
    TRY(prepare_table(run));
    TRY(read_applied(run));

    bool wants_pack =
        pack == PACK_ALWAYS || (pack == PACK_IF_NEW && (run->is_new_database || run->has_pack));
    struct migrate_result result = {0};
    for (uint32_t i = 0; i < run->files.count; i++) {
        const struct schema_file *migration = &run->files.list[i];
        if (run->is_applied[i]) {
            result.present++;
        } else if (!migration->is_pack || wants_pack) {
            TRY(migration_apply(run, migration));
            result.applied++;
            run->has_pack = run->has_pack || migration->is_pack;
        }
    }
    TRY(migration_renew_functions(run, &result.functions));
    result.installed_pack = run->has_pack;
    *ret = result;
    return OK;
}

static Err connect(struct ctx *ctx, Str url, int64_t deadline_us, PGconn **ret)
{
    /* Not "$user": a login named spark would create its tables in the schema spark. */
    struct connect_target target = {
        .url = str_from_z(str_z(ctx->arena, url)),
        .application = STR("spark migrate"),
        .options = STR("-c search_path=public -c statement_timeout=0 -c lock_timeout=0 "
                       "-c client_min_messages=warning"),
    };
    return connect_in_time(ctx, &target, deadline_us, ret);
}

/* If two processes start at once, the second one finds everything applied. */
static Err take_lock(struct migration_run *run)
{
    int64_t left_ms = (run->deadline_us - clock_now_us()) / MS_US;
    Str limit = str_printf(run->ctx->arena, "set statement_timeout = %lld",
                           (long long)max_i64(left_ms, 1000));
    TRY(migration_command(run, limit.data));
    PGresult *result;
    Err err = migration_query(run, "select pg_advisory_lock(495806673515)", &result); /* "spark" */
    if (err != OK)
        return fail(run->ctx, ERR_UNAVAILABLE,
                    "another process is migrating this database and did not end in time");
    /* Otherwise a user named spark would search the schema spark first, and create tables there. */
    TRY(migration_command(run, "set search_path = public"));
    return migration_command(run, "set statement_timeout = 0");
}

static Err prepare_table(struct migration_run *run)
{
    PGresult *result;
    TRY(migration_query(run,
                        "select to_regclass('public.directus_users') is null, "
                        "to_regnamespace('spark') is null, to_regclass('spark.migrations') is null",
                        &result));
    run->is_new_database = field_is(result, 0);
    if (field_is(result, 1))
        TRY(migration_command(run, "create schema spark"));
    if (field_is(result, 2))
        TRY(migration_command(
            run, "create table spark.migrations (name text primary key, "
                 "checksum text not null, applied_at timestamptz not null default now())"));
    return OK;
}

static Err read_applied(struct migration_run *run)
{
    PGresult *result;
    TRY(migration_query(run, "select name, checksum from spark.migrations order by name", &result));
    for (int row = 0; row < PQntuples(result); row++)
        TRY(check_applied(run, str_from_z(PQgetvalue(result, row, 0)),
                          str_from_z(PQgetvalue(result, row, 1))));
    return run->has_old_names ? rename_applied(run) : OK;
}

static Err check_applied(struct migration_run *run, Str name, Str checksum)
{
    const struct schema_file *migration = migrations_find(&run->files, name);
    if (migration == NULL)
        return fail(run->ctx, ERR_CONFIG,
                    "the database is newer than this binary: it has %.*s; use a newer binary",
                    STR_FMT(name));
    if (!str_eq(migration->checksum, checksum))
        return fail(run->ctx, ERR_CONFIG,
                    "%.*s has changed since it was applied to this database; migrations are "
                    "forward-only: restore the file and add a new one",
                    STR_FMT(name));
    run->is_applied[migration - run->files.list] = true;
    run->has_old_names = run->has_old_names || !str_eq(migration->name, name);
    run->has_pack = run->has_pack || migration->is_pack;
    return OK;
}

/* Once for each database of the first releases: afterwards the recorded names are the file
 * names. */
static Err rename_applied(struct migration_run *run)
{
    for (uint32_t i = 0; i < run->files.count; i++) {
        const struct schema_file *migration = &run->files.list[i];
        if (migration->old_name.len == 0)
            continue;
        const char *const values[] = {str_z(run->ctx->arena, migration->name),
                                      str_z(run->ctx->arena, migration->old_name)};
        PGresult *result =
            migration_ask(run, "update spark.migrations set name = $1 where name = $2", values);
        if (!migration_is_done(result))
            return migration_refuse(run, migration, result);
    }
    return OK;
}

static bool field_is(const PGresult *result, int column)
{
    return str_eq(str_from_z(PQgetvalue(result, 0, column)), STR("t"));
}

static void release_connection(void *pg)
{
    PQfinish(pg);
}
