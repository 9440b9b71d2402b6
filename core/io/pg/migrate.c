#include "io/pg/migrate.h"

#include "base/system/clock.h"
#include "base/system/ctx.h"
#include "base/system/range.h"
#include "io/pg/migrate_files.h"
#include "io/pg/session/db_connect.h"

#include <assert.h>
#include <stdlib.h>

struct run {
    struct ctx *ctx;
    PGconn *pg;
    int64_t deadline_us;
    struct migrations files;
    bool *is_applied; /* by index into files */
    bool is_new_database;
    bool has_pack;
};

static Err migrate_connected(struct run *run, enum migrate_pack pack, struct migrate_result *ret);
static Err connect(struct ctx *ctx, Str url, int64_t deadline_us, PGconn **ret);
static Err take_lock(struct run *run);
static Err prepare_table(struct run *run);
static Err read_applied(struct run *run);
static Err check_applied(struct run *run, Str name, Str checksum);
static Err apply(struct run *run, const struct migration *migration);
static Err run_file(struct run *run, const struct migration *migration);
static Err refuse_file(struct run *run, const struct migration *migration, const PGresult *result);
static uint32_t line_of(Str sql, const char *position);
static Err command(struct run *run, const char *sql);
static Err query(struct run *run, const char *sql, PGresult **ret);
static Str field(const PGresult *result, int what);
static bool field_is(const PGresult *result, int column);
static void release_result(void *result);
static void release_connection(void *pg);

Err migrate_run(struct ctx *ctx, Str direct_url, enum migrate_pack pack, int64_t timeout_us,
                struct migrate_result *ret)
{
    struct run run = {.ctx = ctx, .deadline_us = clock_now_us() + timeout_us};
    TRY(migrations_load(ctx, &run.files));
    run.is_applied = arena_array(ctx->arena, bool, run.files.count + 1);
    TRY(connect(ctx, direct_url, run.deadline_us, &run.pg));
    ArenaMark mark = arena_mark(ctx->arena);
    arena_defer(ctx->arena, release_connection, run.pg);
    Err err = migrate_connected(&run, pack, ret);
    /* The story stays; the connection, and with it the lock, goes now unless the story needs it. */
    if (err == OK)
        arena_rewind(ctx->arena, mark);
    return err;
}

static Err migrate_connected(struct run *run, enum migrate_pack pack, struct migrate_result *ret)
{
    TRY(take_lock(run));
    TRY(prepare_table(run));
    TRY(read_applied(run));

    bool wants_pack =
        pack == PACK_ALWAYS || (pack == PACK_IF_NEW && (run->is_new_database || run->has_pack));
    struct migrate_result result = {0};
    for (uint32_t i = 0; i < run->files.count; i++) {
        const struct migration *migration = &run->files.list[i];
        if (run->is_applied[i]) {
            result.present++;
        } else if (!migration->is_pack || wants_pack) {
            TRY(apply(run, migration));
            result.applied++;
            run->has_pack = run->has_pack || migration->is_pack;
        }
    }
    result.installed_pack = run->has_pack;
    *ret = result;
    return OK;
}

static Err connect(struct ctx *ctx, Str url, int64_t deadline_us, PGconn **ret)
{
    /* Not "$user": a login named spark would make its tables in the machinery's schema. */
    struct connect_target target = {
        .url = str_from_z(str_z(ctx->arena, url)),
        .application = STR("spark migrate"),
        .options = STR("-c search_path=public -c statement_timeout=0 -c lock_timeout=0 "
                       "-c client_min_messages=warning"),
    };
    return connect_in_time(ctx, &target, deadline_us, ret);
}

/* Two processes that start at once: the second finds everything done. */
static Err take_lock(struct run *run)
{
    int64_t left_ms = (run->deadline_us - clock_now_us()) / MS_US;
    Str limit = str_printf(run->ctx->arena, "set statement_timeout = %lld",
                           (long long)max_i64(left_ms, 1000));
    TRY(command(run, limit.data));
    PGresult *result;
    Err err = query(run, "select pg_advisory_lock(495806673515)", &result); /* "spark" */
    if (err != OK)
        return fail(run->ctx, ERR_UNAVAILABLE,
                    "another process is migrating this database and did not end in time");
    /* A user called spark would otherwise find, and fill, the schema of that name first. */
    TRY(command(run, "set search_path = public"));
    return command(run, "set statement_timeout = 0");
}

static Err prepare_table(struct run *run)
{
    PGresult *result;
    TRY(query(run,
              "select to_regclass('public.directus_users') is null, "
              "to_regnamespace('spark') is null, to_regclass('spark.migrations') is null",
              &result));
    run->is_new_database = field_is(result, 0);
    if (field_is(result, 1))
        TRY(command(run, "create schema spark"));
    if (field_is(result, 2))
        TRY(command(run, "create table spark.migrations (name text primary key, "
                         "checksum text not null, applied_at timestamptz not null default now())"));
    return OK;
}

static Err read_applied(struct run *run)
{
    PGresult *result;
    TRY(query(run, "select name, checksum from spark.migrations order by name", &result));
    for (int row = 0; row < PQntuples(result); row++)
        TRY(check_applied(run, str_from_z(PQgetvalue(result, row, 0)),
                          str_from_z(PQgetvalue(result, row, 1))));
    return OK;
}

static Err check_applied(struct run *run, Str name, Str checksum)
{
    const struct migration *migration = migrations_find(&run->files, name);
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
    run->has_pack = run->has_pack || migration->is_pack;
    return OK;
}

static Err apply(struct run *run, const struct migration *migration)
{
    TRY(command(run, "begin"));
    Err err = run_file(run, migration);
    if (err != OK) {
        PQclear(PQexec(run->pg, "rollback"));
        return err;
    }
    return command(run, "commit");
}

static Err run_file(struct run *run, const struct migration *migration)
{
    char *sql = str_z(run->ctx->arena, migration->sql);
    PGresult *result = PQexec(run->pg, sql);
    arena_defer(run->ctx->arena, release_result, result);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        return refuse_file(run, migration, result);
    /* A file that ends the transaction itself would be applied in part when the next one fails. */
    if (PQtransactionStatus(run->pg) != PQTRANS_INTRANS)
        return fail(run->ctx, ERR_CONFIG, "%.*s ends its own transaction",
                    STR_FMT(migration->name));

    const char *const values[] = {str_z(run->ctx->arena, migration->name),
                                  str_z(run->ctx->arena, migration->checksum)};
    PGresult *inserted =
        PQexecParams(run->pg, "insert into spark.migrations (name, checksum) values ($1, $2)", 2,
                     NULL, values, NULL, NULL, 0);
    arena_defer(run->ctx->arena, release_result, inserted);
    if (PQresultStatus(inserted) != PGRES_COMMAND_OK)
        return refuse_file(run, migration, inserted);
    /* What the file has made is the platform's (schema/system/12_own_fields.sql). */
    return command(run, "do $$ begin if to_regprocedure('spark.claim_fields()') is not null then "
                        "set local role spark_owner; perform spark.claim_fields(); end if; end $$");
}

static Err refuse_file(struct run *run, const struct migration *migration, const PGresult *result)
{
    Str message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    Str hint = field(result, PG_DIAG_MESSAGE_HINT);
    if (message.len == 0)
        message = str_trim(str_from_z(PQresultErrorMessage(result)));
    uint32_t line = line_of(migration->sql, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
    Str place = line > 0 ? str_printf(run->ctx->arena, ":%u", line) : STR("");
    return fail(run->ctx, ERR_CONFIG, "%.*s%.*s: %.*s%s%.*s", STR_FMT(migration->name),
                STR_FMT(place), STR_FMT(message), hint.len > 0 ? ". " : "", STR_FMT(hint));
}

/* `position` counts characters, not bytes, from 1. */
static uint32_t line_of(Str sql, const char *position)
{
    int64_t left = 0;
    if (position == NULL || !str_to_i64(str_from_z(position), &left) || left < 1)
        return 0;
    uint32_t line = 1;
    for (size_t i = 0; i < sql.len && left > 1; i++) {
        if (sql.data[i] == '\n')
            line++;
        if (((unsigned char)sql.data[i] & 0xc0) != 0x80)
            left--;
    }
    return line;
}

static Err command(struct run *run, const char *sql)
{
    PGresult *result;
    return query(run, sql, &result);
}

static Err query(struct run *run, const char *sql, PGresult **ret)
{
    PGresult *result = PQexec(run->pg, sql);
    arena_defer(run->ctx->arena, release_result, result);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        *ret = result;
        return OK;
    }
    Str message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    if (message.len == 0)
        return fail(run->ctx, ERR_UNAVAILABLE, "the connection to PostgreSQL was lost");
    return fail(run->ctx, ERR_CONFIG, "the database refuses the migration: %.*s", STR_FMT(message));
}

static Str field(const PGresult *result, int what)
{
    return str_from_z(PQresultErrorField(result, what));
}

static bool field_is(const PGresult *result, int column)
{
    return str_eq(str_from_z(PQgetvalue(result, 0, column)), STR("t"));
}

static void release_result(void *result)
{
    PQclear(result);
}

static void release_connection(void *pg)
{
    PQfinish(pg);
}
