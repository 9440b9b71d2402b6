/*
 * PostgreSQL: lanes of pipelined connections, each serving sites round-robin (docs/decisions/).
 *
 *   read       two connections per thread, up to two more while those are stalled. The reads that
 *              one turn of the loop queued share a sync group. A read that another read's error
 *              aborted is submitted again once, alone. A read whose fiber has left is cancelled on
 *              the server. A read that exceeds READ_LANE_TIMEOUT runs again in the slow lane
 *   write      one sync group per write (all statements of a batch together): atomic, answered at
 *              ReadyForQuery, that is, when it is durable
 *   shared     writes that may share a sync group (one commit) with others: job finishes, drains
 *   slow       reads that take long, or may (searches), so that they do not delay the others
 *   exclusive  transactions with logic in between: struct db_tx
 *
 * The first message of every group sets the scope, for this transaction only, and checks the epoch.
 * SITE scope uses connections of the role spark_tenant, PLATFORM and NONE those of spark_platform;
 * NONE sets no scope, so row-level security hides all rows of tenants. A stale epoch is reported as
 * ERR_STALE_EPOCH, before anything has changed.
 *
 * Memory: rows belong to ctx->arena. Arguments are read before db_query returns.
 * Errors: constraint violations are reported as ERR_NOT_UNIQUE, ERR_NOT_NULL,
 * ERR_INVALID_FOREIGN_KEY, ERR_VALUE_TOO_LONG, ERR_VALUE_OUT_OF_RANGE with notes collection, field,
 * value; bad input text as ERR_INVALID_PAYLOAD; no connection for DATABASE_PATIENCE as
 * ERR_UNAVAILABLE; a deadline as ERR_TIMEOUT (a write may then still have happened); a transaction
 * that PostgreSQL ended for the sake of another, so that it has changed nothing, as ERR_DEADLOCK;
 * the rest as ERR_DATABASE, logged with its SQLSTATE.
 */
#pragma once

#include "base/settings/settings.h"
#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

struct db;
struct loop;

enum db_lane { DB_READ, DB_WRITE, DB_SHARED, DB_SLOW };

/* Run-time statements are in schema/queries and available as SQL_… constants; compiled statements
 * have no name. A connection prepares the latter at the third use. LIMIT and OFFSET are literals in
 * a compiled statement: as parameters they would make PostgreSQL replan every execution (half the
 * throughput). */
struct statement {
    const char *name; /* NULL: a compiled statement */
    const char *sql;
    enum db_lane lane;
    uint32_t types; /* of the columns that a compiled statement names. PostgreSQL gives a parameter
                       its type once: the same text over other types is another statement */
    bool is_alone;  /* may end or change its transaction: needs its own sync group */
    bool is_of_schema; /* made from the schema snapshot: if what it names is not there, the schema
                          has changed since the epoch was compared: ERR_STALE_EPOCH */
};

/* One argument. Text format unless is_binary. Created by the functions below; read immediately. */
typedef struct DbArg {
    const char *data; /* NULL: SQL null */
    uint32_t len;
    uint32_t oid; /* 0: let the server infer it */
    bool is_binary;
    char inline_data[16]; /* fixed-size values are stored here, and data is ignored */
    bool is_inline;
} DbArg;

DbArg db_null(void);
DbArg db_text(Str value);         /* the server infers the oid */
DbArg db_text_z(Str value);       /* STR_NONE becomes null */
DbArg db_text_or_null(Str value); /* an empty text becomes null as well */
DbArg db_uuid(Uuid value);
DbArg db_uuid_or_null(Uuid value); /* nil becomes null */
DbArg db_int(int64_t value);       /* int8 */
DbArg db_int4(int32_t value);
DbArg db_bool(bool value);
DbArg db_bytes(Str value);      /* bytea */
DbArg db_time(int64_t wall_us); /* timestamptz */
DbArg db_real(double value);    /* float8 */
/* Arrays, encoded in the arena: uuid[], int8[], text[]; a text element STR_NONE is null. */
DbArg db_uuid_array(struct arena *arena, const Uuid *values, uint32_t count);
DbArg db_int_array(struct arena *arena, const int64_t *values, uint32_t count);
DbArg db_text_array(struct arena *arena, const Str *values, uint32_t count);

/* Array parameters, used in the structs that tools/gen_statements.py generates. */
struct db_uuids {
    const Uuid *list;
    uint32_t count;
};
struct db_ints {
    const int64_t *list;
    uint32_t count;
};
struct db_texts {
    const Str *list;
    uint32_t count;
};

struct db_args {
    const DbArg *list;
    uint32_t count;
};
#define ARGS(...)                                                                                  \
    ((struct db_args){(const DbArg[]){__VA_ARGS__},                                                \
                      sizeof((const DbArg[]){__VA_ARGS__}) / sizeof(DbArg)})
#define NO_ARGS ((struct db_args){NULL, 0})
/* For a list that must outlive the function that built it. */
struct db_args db_args_dup(struct arena *arena, struct db_args args);

/* A result in binary format; read it with the accessors. */
struct rows {
    uint32_t count;
    uint32_t columns;
    int64_t affected; /* rows affected by an insert, update or delete */
    const void *result;
};
bool row_is_null(const struct rows *rows, uint32_t row, uint32_t column);
Str row_text(const struct rows *rows, uint32_t row, uint32_t column); /* STR_NONE if null; a view */
Str row_json(const struct rows *rows, uint32_t row, uint32_t column); /* json and jsonb */
Uuid row_uuid(const struct rows *rows, uint32_t row, uint32_t column);   /* nil if null */
int64_t row_int(const struct rows *rows, uint32_t row, uint32_t column); /* int2/4/8; 0 if null */
bool row_bool(const struct rows *rows, uint32_t row, uint32_t column);
double row_real(const struct rows *rows, uint32_t row, uint32_t column);  /* float4/8 */
int64_t row_time(const struct rows *rows, uint32_t row, uint32_t column); /* timestamp(tz), µs */
uint32_t row_oid(const struct rows *rows, uint32_t column);               /* type of a column */
Str row_column_name(const struct rows *rows, uint32_t column);
const char *row_bytes(const struct rows *rows, uint32_t row, uint32_t column, uint32_t *ret_len);
/* The elements of a one-dimensional text[] or uuid[] (as text), in the arena. */
uint32_t row_text_array(struct arena *arena, const struct rows *rows, uint32_t row, uint32_t column,
                        const Str **ret);

/* One statement on its lane, in ctx->scope. ret_rows may be NULL. */
fiber_fn Err db_query(struct ctx *ctx, const struct statement *statement, struct db_args args,
                      struct rows *ret_rows);
/* The same in PLATFORM scope, regardless of ctx->scope. */
fiber_fn Err db_query_platform(struct platform platform, const struct statement *statement,
                               struct db_args args, struct rows *ret_rows);

/* Several statements in one sync group: all take effect or none. They use the lane of the batch.
 * With DB_READ they share a round trip, but no snapshot. */
enum { DB_BATCH_MAX = 32 };
struct db_command {
    const struct statement *statement;
    struct db_args args; /* must remain valid until db_batch_run returns */
    struct rows *ret_rows;
};
struct db_batch {
    enum db_lane lane;
    uint32_t count;
    uint32_t done; /* after db_tx_batch_run: how many succeeded; if it failed, all before the one
                      that did */
    struct db_command commands[DB_BATCH_MAX];
};
void db_batch_add(struct db_batch *batch, const struct statement *statement, struct db_args args,
                  struct rows *ret_rows);
fiber_fn Err db_batch_run(struct ctx *ctx, struct db_batch *batch);
fiber_fn Err db_batch_run_platform(struct platform platform, struct db_batch *batch);

/* A transaction with logic in between, on an exclusive connection. The end of its scope rolls back
 * an uncommitted transaction (within 1 s, else the connection is dropped). */
struct db_tx {
    struct ctx *ctx;
    struct db_connection *connection; /* NULL: not begun */
    struct db_after_commit *after_commit;
    bool as_platform;
};
#define SCOPED_TX __attribute__((cleanup(db_tx_finish)))
fiber_fn Err db_begin(struct ctx *ctx, struct db_tx *tx);
fiber_fn Err db_begin_platform(struct platform platform, struct db_tx *tx);
/* For a transaction that only holds locks while its caller does other work, which may need an
 * exclusive connection too: it does not count towards a flow's share of these connections. A thread
 * must have at least two of them (DATABASE_EXCLUSIVE_LANES), and at most one such transaction at a
 * time. */
fiber_fn Err db_begin_apart(struct platform platform, struct db_tx *tx);
fiber_fn Err db_tx_query(struct db_tx *tx, const struct statement *statement, struct db_args args,
                         struct rows *ret_rows);
/* Several statements of the transaction in one round trip; those behind a failed one do not run. */
fiber_fn Err db_tx_batch_run(struct db_tx *tx, struct db_batch *batch);
fiber_fn Err db_commit(struct db_tx *tx);
/* Its last statements, which the batch has room for one more of, and COMMIT: one round trip. */
fiber_fn Err db_commit_with(struct db_tx *tx, struct db_batch *batch);
void db_tx_finish(struct db_tx *tx);
/* fn(ctx, arg) is called if and only if the transaction commits; it must not wait. `arg` must be
 * allocated in ctx->arena. */
void db_after_commit(struct db_tx *tx, void (*fn)(struct ctx *ctx, void *arg), void *arg);
/* A savepoint for work whose failure is expected (per-row bulk inserts): runs `work`; if it
 * fails, its changes are rolled back, the transaction continues, and *ret_failed is its error. */
fiber_fn Err db_savepoint(struct db_tx *tx, Err (*work)(struct db_tx *tx, void *arg), void *arg,
                          Err *ret_failed);
/* COPY … FROM STDIN in an open platform transaction; text format rows ending in '\n'. */
fiber_fn Err db_copy_in(struct db_tx *tx, Str copy_sql, Str data, int64_t *ret_rows);

/* The lanes of one thread. Connects in offload threads and reconnects indefinitely, with backoff;
 * waiting fibers keep their deadlines. */
struct db *db_new(struct loop *loop, const struct settings *settings, const char *application);
void db_free(struct db *db); /* no fiber may be waiting on it */
/* Waits until the read lanes of both roles are up and the roles are suitable (not superuser, not
 * BYPASSRLS, not owner of the tables): else ERR_CONFIG with a reason; ERR_UNAVAILABLE at the
 * deadline. */
fiber_fn Err db_wait_ready(struct ctx *ctx, struct db *db);
/* ERR_CONFIG names migrations that the database lacks, or that this binary does not know. */
fiber_fn Err db_check_migrations(struct platform platform);
bool db_is_up(const struct db *db); /* the last attempt of every lane succeeded */
/* Incremented for every session that PostgreSQL or the network ended. The server may have been
 * replaced or restored since, so caches filled before are invalid. */
uint64_t db_losses(const struct db *db);

/* LISTEN on the direct connection: on_notify for each message; on_lost after every connect,
 * including the first, because messages may have been missed. Neither may free the listener. */
struct db_listener;
struct db_listener *db_listen(struct loop *loop, const struct settings *settings,
                              const char *channel, void (*on_notify)(void *arg, Str payload),
                              void (*on_lost)(void *arg), void *arg);
void db_listener_free(struct db_listener *listener);

/* For /metrics and `doctor`: what every connection is doing, as a JSON array. */
Str db_describe(struct arena *arena, const struct db *db);
