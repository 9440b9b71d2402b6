#include "base/memory/list.h"
#include "base/system/clock.h"
#include "io/pg/db_internal.h"

#include <assert.h>
#include <string.h>

struct db_after_commit {
    struct db_after_commit *next;
    void (*fn)(struct ctx *ctx, void *arg);
    void *arg;
};

static const struct statement COMMIT = {.name = "db_commit", .sql = "commit"};
static const struct statement ROLLBACK = {.name = "db_rollback", .sql = "rollback"};
static const struct statement SAVEPOINT = {.name = "db_savepoint", .sql = "savepoint spark"};
static const struct statement RELEASE = {
    .name = "db_release",
    .sql = "release savepoint spark",
};
static const struct statement ROLLBACK_TO = {
    .name = "db_rollback_to",
    .sql = "rollback to savepoint spark",
};
/* Static text without arguments, so it outlives the fiber. */
static const struct db_command ROLLBACK_COMMAND = {.statement = &ROLLBACK};

static fiber_fn Err tx_begin(struct ctx *ctx, struct db_tx *tx, Scope scope, const Uuid *account,
                             bool is_apart);
static fiber_fn Err tx_run(struct db_tx *tx, const struct db_command *command);
static fiber_fn Err tx_run_all(struct db_tx *tx, const struct db_command *commands, uint32_t count,
                               uint32_t *ret_received);
static Err check_committed(struct db_tx *tx, const struct rows *rows);
static void run_after_commit(struct db_tx *tx);
static bool is_undoable(Err err);
static void on_rollback_late(void *arg);

fiber_fn Err db_begin(struct ctx *ctx, struct db_tx *tx)
{
    return tx_begin(ctx, tx, ctx->scope, &ctx->account, false);
}

fiber_fn Err db_begin_platform(struct platform platform, struct db_tx *tx)
{
    tx->as_platform = true;
    return tx_begin(platform.ctx, tx, (Scope){.kind = SCOPE_PLATFORM}, NULL, false);
}

fiber_fn Err db_begin_apart(struct platform platform, struct db_tx *tx)
{
    tx->as_platform = true;
    return tx_begin(platform.ctx, tx, (Scope){.kind = SCOPE_PLATFORM}, NULL, true);
}

static fiber_fn Err tx_begin(struct ctx *ctx, struct db_tx *tx, Scope scope, const Uuid *account,
                             bool is_apart)
{
    assert(tx->connection == NULL);
    struct db *db = db_of(ctx);
    enum db_role role = scope.kind == SCOPE_SITE ? ROLE_TENANT : ROLE_PLATFORM;
    struct db_request *request = request_new(&db->lanes[role][LANE_EXCLUSIVE], REQUEST_BEGIN);
    request->scope = scope;
    request_take_stamps(request, ctx);
    struct db_connection *connection = NULL;
    request->ret_connection = &connection;
    request->is_apart = is_apart;
    request_join(request, account);
    TRY(request_run(ctx, request));
    assert(connection != NULL && connection->is_taken);
    tx->ctx = ctx;
    tx->connection = connection;
    tx->after_commit = NULL;
    fiber_hold(1);
    return OK;
}

fiber_fn Err db_tx_query(struct db_tx *tx, const struct statement *statement, struct db_args args,
                         struct rows *ret_rows)
{
    struct db_command command = {statement, args, ret_rows};
    TRY(db_check_args(tx->ctx, args));
    return tx_run(tx, &command);
}

fiber_fn Err db_tx_batch_run(struct db_tx *tx, struct db_batch *batch)
{
    assert(batch->count <= DB_BATCH_MAX);
    batch->done = 0;
    for (uint32_t i = 0; i < batch->count; i++)
        TRY(db_check_args(tx->ctx, batch->commands[i].args));
    return batch->count == 0 ? OK : tx_run_all(tx, batch->commands, batch->count, &batch->done);
}

static fiber_fn Err tx_run(struct db_tx *tx, const struct db_command *command)
{
    return tx_run_all(tx, command, 1, NULL);
}

static fiber_fn Err tx_run_all(struct db_tx *tx, const struct db_command *commands, uint32_t count,
                               uint32_t *ret_received)
{
    assert(tx->connection != NULL);
    struct db_request *request = request_new(tx->connection->lane, REQUEST_TX);
    request->connection = tx->connection;
    request->commands = commands;
    request->count = count;
    request->ret_received = ret_received;
    if (tx->ctx->is_repeated) /* perhaps for a statement that was prepared for a former schema */
        request->again = AGAIN_STATEMENT;
    return request_run(tx->ctx, request);
}

/* After the answer to COMMIT. */
static Err commit_end(struct db_tx *tx, const struct rows *rows)
{
    TRY(check_committed(tx, rows));
    connection_release(tx->connection);
    tx->connection = NULL;
    fiber_hold(-1);
    tx->ctx->has_committed = true;
    run_after_commit(tx);
    return OK;
}

fiber_fn Err db_commit(struct db_tx *tx)
{
    struct rows rows = {0};
    struct db_command command = {&COMMIT, NO_ARGS, &rows};
    TRY(tx_run(tx, &command));
    return commit_end(tx, &rows);
}

fiber_fn Err db_commit_with(struct db_tx *tx, struct db_batch *batch)
{
    struct rows rows = {0};
    db_batch_add(batch, &COMMIT, NO_ARGS, &rows);
    TRY(db_tx_batch_run(tx, batch));
    return commit_end(tx, &rows);
}

/* COMMIT of a failed transaction succeeds with the command tag ROLLBACK. */
static Err check_committed(struct db_tx *tx, const struct rows *rows)
{
    /* PQcmdStatus only reads, but is not declared so. */
    PGresult *result = (PGresult *)(uintptr_t)rows->result;
    if (strcmp(PQcmdStatus(result), "COMMIT") == 0)
        return OK;
    return fail(tx->ctx, ERR_DATABASE, "a statement of the transaction had failed");
}

static void run_after_commit(struct db_tx *tx)
{
    struct db_after_commit *first = tx->after_commit;
    tx->after_commit = NULL;
    for (struct db_after_commit *entry = first; entry != NULL; entry = entry->next)
        entry->fn(tx->ctx, entry->arg);
}

void db_after_commit(struct db_tx *tx, void (*fn)(struct ctx *ctx, void *arg), void *arg)
{
    assert(tx->connection != NULL && fn != NULL);
    struct db_after_commit *entry = arena_new(tx->ctx->arena, struct db_after_commit);
    *entry = (struct db_after_commit){NULL, fn, arg};
    LIST_APPEND_SHORT(tx->after_commit, entry);
}

void db_tx_finish(struct db_tx *tx)
{
    if (tx == NULL || tx->connection == NULL)
        return;
    connection_give_back(tx->connection);
    tx->connection = NULL;
    tx->after_commit = NULL;
    fiber_hold(-1);
}

fiber_fn Err db_savepoint(struct db_tx *tx, Err (*work)(struct db_tx *tx, void *arg), void *arg,
                          Err *ret_failed)
{
    struct db_command begin = {.statement = &SAVEPOINT};
    struct db_command release = {.statement = &RELEASE};
    struct db_command undo = {.statement = &ROLLBACK_TO};
    struct db_after_commit **end = &tx->after_commit;
    while (*end != NULL)
        end = &(*end)->next;

    TRY(tx_run(tx, &begin));
    Err failed = work(tx, arg);
    if (failed != OK && !is_undoable(failed))
        return failed;
    if (failed != OK) {
        /* Restored below: the caller needs the original error. */
        struct diag story = tx->ctx->diag;
        *end = NULL;
        TRY(tx_run(tx, &undo));
        tx->ctx->diag = story;
    }
    TRY(tx_run(tx, &release));
    *ret_failed = failed;
    return OK;
}

/* After these errors the transaction, or its caller, has ended. */
static bool is_undoable(Err err)
{
    return err != ERR_CANCELLED && err != ERR_TIMEOUT && err != ERR_UNAVAILABLE &&
           err != ERR_DEADLOCK && err != ERR_STALE_EPOCH;
}

/* Does not wait: ROLLBACK is queued after the running statements, and the connection is free again
 * when the server has answered. If that takes too long, or a COPY is in progress, the connection is
 * dropped. */
void connection_give_back(struct db_connection *connection)
{
    struct db *db = connection->lane->db;
    assert(connection->is_taken);
    if (connection->state != CONNECTION_UP) {
        connection_release(connection);
        return;
    }
    if (connection->copy != NULL) {
        connection_drop(connection, "a COPY was abandoned");
        connection_release(connection);
        return;
    }
    struct db_request *request = request_new(connection->lane, REQUEST_ROLLBACK);
    request->connection = connection;
    request->commands = &ROLLBACK_COMMAND;
    request->count = 1;
    queue_put(request);
    connection->rollback = (struct timer){.on_time = on_rollback_late, .arg = connection};
    timer_start(db->loop, &connection->rollback, clock_now_us() + ROLLBACK_US);
    loop_hurry(db->loop);
}

void connection_rolled_back(struct db_connection *connection)
{
    timer_stop(connection->lane->db->loop, &connection->rollback);
    bool is_clean = PQtransactionStatus(connection->pg) == PQTRANS_IDLE;
    if (!is_clean)
        connection_drop(connection, "a rollback left its transaction open");
    connection_release(connection);
}

static void on_rollback_late(void *arg)
{
    struct db_connection *connection = arg;
    connection_drop(connection, "a rollback took too long");
}
