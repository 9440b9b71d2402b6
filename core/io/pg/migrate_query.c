/* The queries of a migration, and the report of their errors. */
#include "base/system/ctx.h"
#include "io/pg/migrate_internal.h"

#include <assert.h>

static uint32_t line_of(Str sql, const char *position);
static Str field(const PGresult *result, int what);
static void release_result(void *result);

enum { PARAMETERS = 2 };

Err migration_command(struct migration_run *run, const char *sql)
{
    PGresult *result;
    return migration_query(run, sql, &result);
}

Err migration_query(struct migration_run *run, const char *sql, PGresult **ret)
{
    PGresult *result = migration_ask(run, sql, NULL);
    if (migration_is_done(result)) {
        *ret = result;
        return OK;
    }
    Str message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    if (message.len == 0)
        return fail(run->ctx, ERR_UNAVAILABLE, "the connection to PostgreSQL was lost");
    return fail(run->ctx, ERR_CONFIG, "the database refuses the migration: %.*s", STR_FMT(message));
}

PGresult *migration_ask(struct migration_run *run, const char *sql, const char *const *values)
{
    assert(sql != NULL);
    PGresult *result = values == NULL
                           ? PQexec(run->pg, sql)
                           : PQexecParams(run->pg, sql, PARAMETERS, NULL, values, NULL, NULL, 0);
    arena_defer(run->ctx->arena, release_result, result);
    return result;
}

bool migration_is_done(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

Err migration_refuse(struct migration_run *run, const struct schema_file *file,
                     const PGresult *result)
{
    Str message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    Str hint = field(result, PG_DIAG_MESSAGE_HINT);
    if (message.len == 0)
        message = str_trim(str_from_z(PQresultErrorMessage(result)));
    uint32_t line = line_of(file->sql, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
    Str place = line > 0 ? str_printf(run->ctx->arena, ":%u", line) : STR("");
    return fail(run->ctx, ERR_CONFIG, "%.*s%.*s: %.*s%s%.*s", STR_FMT(file->name), STR_FMT(place),
                STR_FMT(message), hint.len > 0 ? ". " : "", STR_FMT(hint));
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

static Str field(const PGresult *result, int what)
{
    return str_from_z(PQresultErrorField(result, what));
}

static void release_result(void *result)
{
    PQclear(result);
}
