/*
 * The inside of the PostgreSQL module: only core/io/db*.c includes this.
 *
 * db_query makes a request, which waits in the queue of its lane. After every turn of the loop the
 * lanes are flushed: requests become members of groups, a group becomes messages on a connection
 * that end with one sync, and every message leaves a slot that says what its answer means.
 *
 * A request belongs to the lane, never to the fiber: a fiber that leaves (deadline, cancellation)
 * takes its `wait` with it, and from then on nothing that lived in its frame is touched.
 */
#pragma once

#include "base/arena.h"
#include "base/random.h"
#include "io/db.h"
#include "io/db_statement.h"
#include "io/loop.h"

#include <libpq-fe.h>

#define PG_EPOCH_US INT64_C(946684800000000) /* 2000-01-01, where PostgreSQL starts to count */

enum db_role { ROLE_TENANT, ROLE_PLATFORM, ROLE_COUNT };
enum lane_kind { LANE_READ, LANE_WRITE, LANE_SLOW, LANE_EXCLUSIVE, LANE_KINDS };

enum {
    DB_QUEUE_MAX = 10000,      /* statements that wait in one lane; more are refused */
    DB_ARG_SIZE_MAX = 1 << 29, /* of one argument */
    DB_ARGS_MAX = 65535,       /* the protocol's own limit */
    READ_GROUP_MAX = 32,       /* statements that one error can make run again */
    READ_IN_FLIGHT_MAX = 256,  /* statements sent on a read connection and not answered */
    WRITE_GROUPS_MAX = 4,      /* write groups sent on a connection and not answered */
    SHARED_MEMBERS_MAX = 64,   /* requests of one shared group */
    SHARED_GROUPS_MAX = 2,     /* in flight in a lane: while they commit, the next fills up */
    ROLLBACK_US = 1000000,     /* then the connection is dropped */
    CONNECTING_MAX = 2,        /* attempts at a time: each may hold an offload thread for 5 s */
    ERROR_TEXT_MAX = 256,
};

enum request_kind {
    REQUEST_READ,
    REQUEST_WRITE,
    REQUEST_SHARED,
    REQUEST_SLOW,
    REQUEST_BEGIN, /* waits for an exclusive connection */
    REQUEST_TX,    /* a statement on it */
    REQUEST_COPY,
    REQUEST_ROLLBACK, /* nobody waits for it */
};

enum request_state { REQUEST_QUEUED, REQUEST_SENT, REQUEST_DONE };

enum outcome {
    OUTCOME_OK,
    OUTCOME_ERROR, /* `sqlstate` and, unless a neighbour got it, `error` */
    OUTCOME_LOST,  /* the connection broke; whether a write happened is unknown */
};

/* Why a request was submitted again: once for each reason, a read that was lost a few times. */
enum { AGAIN_ABORTED = 1, AGAIN_STATEMENT = 2, AGAIN_SERIALIZATION = 4, AGAIN_LOST = 8 };

struct db_request {
    struct db_request *next;
    struct db_request *previous;
    struct lane *lane;
    struct db_connection *connection;      /* the exclusive one of its transaction */
    struct wait *wait;                     /* NULL: the fiber left */
    const struct db_command *commands;     /* in the fiber's frame */
    Str copy_data;                         /* REQUEST_COPY; in the fiber's memory too */
    struct db_connection **ret_connection; /* REQUEST_BEGIN */
    uint32_t count;
    uint32_t received;
    enum request_kind kind;
    enum request_state state;
    enum outcome outcome;
    uint32_t losses;
    uint8_t again; /* AGAIN_… bits; once any is set it travels alone, with unnamed statements */
    Scope scope;
    int64_t epoch;
    char sqlstate[6];
    PGresult *error;
    PGresult *results[DB_BATCH_MAX];
};

struct request_list {
    struct db_request *first;
    struct db_request *last;
    uint32_t requests;
    uint32_t statements;
};

/* One sync group in flight. Its members in the order in which they were sent; a read leaves when
 * it is answered, a write stays until the sync. */
struct db_group {
    struct db_group *next;
    struct request_list members;
    enum request_kind kind;
    uint32_t statements;
    bool has_failed;
    char sqlstate[6]; /* of an error that belongs to all: entering the scope, or the commit */
    PGresult *error;
};

enum slot_kind { SLOT_ENTER, SLOT_PREPARE, SLOT_COMMAND, SLOT_SYNC };

/* What the next answer on a connection belongs to. */
struct slot {
    enum slot_kind kind;
    uint32_t command;
    struct db_request *request;     /* NULL: the group itself */
    struct db_statement *statement; /* NULL: unnamed */
    uint32_t statement_number;
};

struct slot_ring {
    struct slot *slots;
    uint32_t first;
    uint32_t count;
    uint32_t capacity; /* a power of two, or 0 */
};

enum copy_phase { COPY_NONE, COPY_ASKED, COPY_SENDING, COPY_ENDING };

enum connection_state {
    CONNECTION_UNUSED,
    CONNECTION_CONNECTING,
    CONNECTION_WAITING,
    CONNECTION_UP
};

struct db_connection {
    struct lane *lane;
    PGconn *pg;
    struct watch *watch;
    enum connection_state state;
    struct connect_task *task;
    struct timer retry;
    uint32_t attempts; /* failed ones since it was last up */
    char last_error[ERROR_TEXT_MAX];
    struct slot_ring slots;
    struct db_group *first_group; /* in flight, oldest first */
    struct db_group *last_group;
    uint32_t groups;
    uint32_t statements; /* sent and not answered */
    struct statement_cache cache;
    bool is_retiring; /* its cache no longer fits: reconnects when idle */
    /* Exclusive lane. */
    bool is_taken;
    bool is_broken; /* was lost while taken: stays down until the transaction lets go */
    struct timer rollback;
    struct db_request *copy;
    enum copy_phase copy_phase;
    size_t copy_sent;
    uint64_t total_groups;
    uint64_t total_statements;
    uint64_t total_connects;
};

/* The connections of one kind and role, and what waits for them. */
struct lane {
    struct db *db;
    enum lane_kind kind;
    enum db_role role;
    struct db_connection *connections;
    uint32_t max;
    uint32_t warm; /* opened at start; the others when they are needed */
    uint32_t shared_groups;
    struct request_list queue;
};

struct db {
    struct loop *loop;
    const struct settings *settings;
    Str application;
    struct lane lanes[ROLE_COUNT][LANE_KINDS];
    struct turn_hook hook;
    uint32_t connecting; /* attempts under way */
    bool is_closing;
    struct db_params params;
    struct db_request *spare; /* requests to use again */
    Random random;            /* jitter */
};

/* db_request.c */
struct db_request *request_new(struct lane *lane, enum request_kind kind);
void request_free(struct db_request *request);
void request_finish(struct db_request *request, enum outcome outcome);
void request_submit_again(struct db_request *request, uint8_t reason);
/* Waits for the answer; copies rows and errors to where they belong; frees the request. */
fiber_fn Err request_run(struct ctx *ctx, struct db_request *request);
void list_append(struct request_list *list, struct db_request *request);
void list_prepend(struct request_list *list, struct db_request *request);
void list_remove(struct request_list *list, struct db_request *request);
struct lane *db_lane_for(struct db *db, enum db_role role, enum db_lane lane);

/* db_lane.c */
void lane_init(struct lane *lane, struct db *db, enum db_role role, enum lane_kind kind);
void lane_finish(struct lane *lane);
void lane_flush(struct lane *lane);
bool lane_is_up(const struct lane *lane); /* some connection is */

/* db_group.c */
void group_send(struct db_connection *connection, struct request_list *members);
void group_take_result(struct db_connection *connection, PGresult *result); /* owns result */
void groups_lose(struct db_connection *connection);

/* db_connection.c */
void connection_init(struct db_connection *connection, struct lane *lane);
void connection_finish(struct db_connection *connection);
void connection_open(struct db_connection *connection);
void connection_lose(struct db_connection *connection, const char *why);
void connection_recycle(struct db_connection *connection); /* idle: closes and connects anew */
void connection_flush(struct db_connection *connection);
void connection_release(struct db_connection *connection); /* a transaction lets go of it */
void slot_push(struct db_connection *connection, struct slot slot);
struct slot slot_pop(struct db_connection *connection);
const struct slot *slot_front(const struct db_connection *connection);
void db_copy_z(char *out, size_t size, const char *z); /* cuts, and ends with a NUL */

/* db_tx.c, db_copy.c */
void connection_give_back(struct db_connection *connection);   /* rolls back what is open */
void connection_rolled_back(struct db_connection *connection); /* the answer to that */
void copy_start(struct db_connection *connection, struct db_request *request);
void copy_readable(struct db_connection *connection);
void copy_writable(struct db_connection *connection);

/* db.c */
struct db *db_of(const struct ctx *ctx);
Err db_check_args(struct ctx *ctx, struct db_args args);

/* db_error.c */
Err db_error_report(struct ctx *ctx, const struct db_request *request);

/* db_rows.c */
uint32_t db_array_read(struct arena *arena, const char *data, uint32_t len, const Str **ret);
