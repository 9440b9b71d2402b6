/*
 * Blocking PostgreSQL client of the command line: one connection, one statement at a time. Servers
 * and workers use io/pg/db.h instead.
 */
#pragma once

#include "base/system/ctx.h"

struct sync_postgres;

/* Connects within ten seconds; closed with ctx->arena. ERR_UNAVAILABLE contains the server's
 * message. */
Err sync_postgres_open(struct ctx *ctx, const char *url, struct sync_postgres **ret);
void sync_postgres_close(struct sync_postgres *postgres);

/* 150018 for 15.18. */
int sync_postgres_version(const struct sync_postgres *postgres);
/* The name of the connected database. */
const char *sync_postgres_database(const struct sync_postgres *postgres);

/* Runs one statement with text parameters; returns the rows as text, NULL as STR_NONE. */
struct sync_rows {
    uint32_t count;
    uint32_t columns;
    Str *values; /* count × columns */
};
Err sync_postgres_query(struct ctx *ctx, struct sync_postgres *postgres, const char *sql,
                        const char *const *parameters, uint32_t parameter_count,
                        struct sync_rows *ret);
Str sync_rows_get(const struct sync_rows *rows, uint32_t row, uint32_t column);

/* `name` quoted as an identifier, in ctx->arena. */
Str sync_postgres_identifier(struct ctx *ctx, struct sync_postgres *postgres, Str name);

/* True if the server accepts connections. */
bool sync_postgres_ping(const char *url);
