#include "cli/backends/sync_postgres.h"

#include <assert.h>
#include <libpq-fe.h>

struct sync_postgres {
    PGconn *connection;
};

static void release(void *object)
{
    sync_postgres_close(object);
}

static void be_silent(void *unused, const char *message)
{
    (void)unused;
    (void)message;
}

Err sync_postgres_open(struct ctx *ctx, const char *url, struct sync_postgres **ret)
{
    const char *names[] = {"dbname", "connect_timeout", "application_name", NULL};
    const char *values[] = {url, "10", "spark cli", NULL};
    struct sync_postgres *postgres = arena_new(ctx->arena, struct sync_postgres);
    postgres->connection = PQconnectdbParams(names, values, 1);
    arena_defer(ctx->arena, release, postgres);
    if (PQstatus(postgres->connection) != CONNECTION_OK) {
        Str words = str_trim(str_from_z(PQerrorMessage(postgres->connection)));
        return fail(ctx, ERR_UNAVAILABLE, "%.*s", STR_FMT(words));
    }
    PQsetNoticeProcessor(postgres->connection, be_silent, NULL);
    *ret = postgres;
    return OK;
}

void sync_postgres_close(struct sync_postgres *postgres)
{
    PQfinish(postgres->connection);
    postgres->connection = NULL;
}

int sync_postgres_version(const struct sync_postgres *postgres)
{
    return PQserverVersion(postgres->connection);
}

const char *sync_postgres_database(const struct sync_postgres *postgres)
{
    return PQdb(postgres->connection);
}

static Str copy_value(struct ctx *ctx, const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return STR_NONE;
    size_t length = (size_t)PQgetlength(result, row, column);
    return str_dup(ctx->arena, str_of(PQgetvalue(result, row, column), length));
}

Err sync_postgres_query(struct ctx *ctx, struct sync_postgres *postgres, const char *sql,
                        const char *const *parameters, uint32_t parameter_count,
                        struct sync_rows *ret)
{
    PGresult *result = PQexecParams(postgres->connection, sql, (int)parameter_count, NULL,
                                    parameters, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        Str words = str_dup(ctx->arena, str_trim(str_from_z(PQresultErrorMessage(result))));
        PQclear(result);
        return fail(ctx, ERR_DATABASE, "%.*s", STR_FMT(words));
    }
    struct sync_rows rows = {.count = (uint32_t)PQntuples(result),
                             .columns = (uint32_t)PQnfields(result)};
    rows.values = arena_array(ctx->arena, Str, (size_t)rows.count * rows.columns + 1);
    for (uint32_t row = 0; row < rows.count; row++)
        for (uint32_t column = 0; column < rows.columns; column++)
            rows.values[row * rows.columns + column] =
                copy_value(ctx, result, (int)row, (int)column);
    PQclear(result);
    if (ret != NULL)
        *ret = rows;
    return OK;
}

Str sync_rows_get(const struct sync_rows *rows, uint32_t row, uint32_t column)
{
    assert(row < rows->count);
    assert(column < rows->columns);
    return rows->values[row * rows->columns + column];
}

Str sync_postgres_identifier(struct ctx *ctx, struct sync_postgres *postgres, Str name)
{
    char *quoted = PQescapeIdentifier(postgres->connection, name.data, name.len);
    assert(quoted != NULL);
    Str copy = str_dup(ctx->arena, str_from_z(quoted));
    PQfreemem(quoted);
    return copy;
}

bool sync_postgres_ping(const char *url)
{
    return PQping(url) == PQPING_OK;
}
