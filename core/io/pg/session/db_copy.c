/*
 * COPY FROM STDIN: libpq refuses it in pipeline mode. The connection leaves that mode meanwhile;
 * nothing else runs on it, because a transaction owns it.
 */
#include "io/pg/db_internal.h"

#include <assert.h>

enum { COPY_CHUNK = 64 * 1024, COPY_A_TURN = 2 * 1024 * 1024 };

static void push(struct db_connection *connection);
static void take_copy_result(struct db_connection *connection, PGresult *result);
static void end(struct db_connection *connection);

fiber_fn Err db_copy_in(struct db_tx *tx, Str copy_sql, Str data, int64_t *ret_rows)
{
    assert(tx->connection != NULL && tx->connection->lane->role == ROLE_PLATFORM);
    struct statement statement = {.sql = str_z(tx->ctx->arena, copy_sql)};
    struct rows rows = {0};
    struct db_command command = {&statement, NO_ARGS, &rows};
    struct db_request *request = request_new(tx->connection->lane, REQUEST_COPY);
    request->connection = tx->connection;
    request->commands = &command;
    request->count = 1;
    request->copy_data = data;
    TRY(request_run(tx->ctx, request));
    *ret_rows = rows.affected;
    return OK;
}

void copy_start(struct db_connection *connection, struct db_request *request)
{
    assert(connection->copy == NULL && connection->state == CONNECTION_UP && request->count == 1);
    request->state = REQUEST_SENT;
    connection->copy = request;
    connection->copy_phase = COPY_ASKED;
    connection->copy_sent = 0;
    assert(connection->slots.count == 0);
    connection->awaited_us = loop_now_us(connection->lane->db->loop);
    silence_expect(connection);
    if (!PQexitPipelineMode(connection->pg) ||
        !PQsendQuery(connection->pg, request->commands[0].statement->sql)) {
        connection_lose(connection, PQerrorMessage(connection->pg));
        return;
    }
    connection_flush(connection);
}

void copy_readable(struct db_connection *connection)
{
    while (connection->state == CONNECTION_UP && connection->copy != NULL &&
           connection->copy_phase != COPY_SENDING && !PQisBusy(connection->pg)) {
        PGresult *result = PQgetResult(connection->pg);
        if (result == NULL)
            end(connection);
        else
            take_copy_result(connection, result);
    }
}

void copy_writable(struct db_connection *connection)
{
    assert(connection->copy != NULL);
    if (connection->copy_phase == COPY_SENDING)
        push(connection);
    else
        connection_flush(connection);
}

static void take_copy_result(struct db_connection *connection, PGresult *result)
{
    assert(connection->copy != NULL);
    struct db_request *request = connection->copy;
    switch (PQresultStatus(result)) {
    case PGRES_COPY_IN:
        PQclear(result);
        connection->copy_phase = COPY_SENDING;
        push(connection);
        return;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        connection->copy_phase = COPY_ENDING;
        assert(request->received == 0);
        request->results[request->received++] = result;
        return;
    case PGRES_FATAL_ERROR:
        connection->copy_phase = COPY_ENDING;
        PQclear(request->error);
        request->error = result;
        db_copy_z(request->sqlstate, sizeof(request->sqlstate),
                  PQresultErrorField(result, PG_DIAG_SQLSTATE));
        if (PQstatus(connection->pg) != CONNECTION_OK)
            connection_lose(connection, PQerrorMessage(connection->pg));
        return;
    default:
        PQclear(result);
        connection_lose(connection, "unexpected reply to COPY");
    }
}

/* One chunk at a time, so that libpq's buffer stays small regardless of the data size, and a
 * limited amount per turn, in case PostgreSQL accepts data as fast as it is sent. */
static void push(struct db_connection *connection)
{
    assert(connection->copy != NULL && connection->copy_phase == COPY_SENDING);
    struct db_request *request = connection->copy;
    Str data = request->copy_data;
    assert(connection->copy_sent <= data.len);
    size_t until = connection->copy_sent + COPY_A_TURN;
    while (connection->copy_sent < data.len) {
        Str chunk = str_slice(data, connection->copy_sent, connection->copy_sent + COPY_CHUNK);
        int is_taken = PQputCopyData(connection->pg, chunk.data, (int)chunk.len);
        if (is_taken > 0)
            connection->copy_sent += chunk.len;
        int left = is_taken < 0 ? -1 : PQflush(connection->pg);
        if (left < 0) {
            connection_lose(connection, PQerrorMessage(connection->pg));
            return;
        }
        if (left > 0 || connection->copy_sent >= until) {
            /* Not connection_flush: if its own attempt emptied the buffer, there would be no
             * further callback, and the rest of the data would wait until the deadline. */
            watch_writable(connection->watch, connection_on_writable);
            return;
        }
    }
    int is_ended = PQputCopyEnd(connection->pg, NULL);
    if (is_ended < 0) {
        connection_lose(connection, PQerrorMessage(connection->pg));
        return;
    }
    if (is_ended > 0)
        connection->copy_phase = COPY_ENDING;
    connection_flush(connection);
}

static void end(struct db_connection *connection)
{
    assert(connection->copy != NULL);
    struct db_request *request = connection->copy;
    connection->copy = NULL;
    connection->copy_phase = COPY_NONE;
    bool has_failed = request->error != NULL || request->received == 0;
    if (!PQenterPipelineMode(connection->pg)) {
        request_finish(request, OUTCOME_LOST);
        connection_lose(connection, PQerrorMessage(connection->pg));
        return;
    }
    request_finish(request, has_failed ? OUTCOME_ERROR : OUTCOME_OK);
}
