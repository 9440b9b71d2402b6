/*
 * The request of one call of db_query, db_batch_run or a transaction. Private to this module.
 *
 * A request is owned by its lane, never by the fiber: when a fiber leaves (deadline, cancellation),
 * `wait` becomes NULL, and nothing in its frame is accessed any more.
 */
#pragma once

#include "io/pg/db.h"

#include <libpq-fe.h>

struct flow;
struct lane;

enum request_kind {
    REQUEST_READ,
    REQUEST_WRITE,
    REQUEST_SHARED,
    REQUEST_SLOW,
    REQUEST_BEGIN, /* waits for an exclusive connection */
    REQUEST_TX,    /* a statement on it */
    REQUEST_COPY,
    REQUEST_ROLLBACK, /* no fiber waits for it */
};

enum request_state { REQUEST_QUEUED, REQUEST_SENT, REQUEST_DONE };

enum outcome {
    OUTCOME_OK,
    OUTCOME_ERROR,   /* `sqlstate` and, unless another member got it, `error` */
    OUTCOME_LOST,    /* the connection was lost; whether a write happened is unknown */
    OUTCOME_REFUSED, /* never sent: there was no connection within the time limit */
};

/* Why a request was resubmitted: at most once for each reason, a few times after lost
 * connections. */
enum {
    AGAIN_ABORTED = 1,
    AGAIN_STATEMENT = 2,
    AGAIN_SERIALIZATION = 4,
    AGAIN_LOST = 8,
    AGAIN_CANCELLED = 16, /* hit by a cancel request for the request before it */
    AGAIN_MOVED = 32,     /* waited behind a request that does not end */
    AGAIN_OUTRAN = 64,    /* exceeded the timeout of its lane: continues in a slower one */
};

struct db_request {
    struct db_request *next;
    struct db_request *previous;
    struct lane *lane;
    struct flow *flow;                     /* NULL: requests of a transaction, and ghosts */
    struct db_connection *connection;      /* the exclusive one of its transaction */
    struct wait *wait;                     /* NULL: the fiber left */
    const struct db_command *commands;     /* in the fiber's frame */
    Str copy_data;                         /* REQUEST_COPY; also in the fiber's frame */
    struct db_connection **ret_connection; /* REQUEST_BEGIN */
    uint32_t *ret_received;                /* NULL, or takes `received`, after an error too */
    uint32_t count;
    uint32_t received;
    enum request_kind kind;
    enum request_state state;
    enum outcome outcome;
    uint32_t losses;
    uint32_t hits;     /* number of times that cancel requests for others hit it */
    bool is_alone;     /* shares no sync group */
    bool is_apart;     /* REQUEST_BEGIN: counts in no flow's share */
    bool is_counted;   /* counted in its flow's slow_requests */
    bool is_short;     /* a read that was not declared slow, so STATEMENT_TIMEOUT applies */
    uint64_t cost_key; /* hash of flow and statement in the cost table; 0: not computed yet */
    int64_t queued_us;
    uint8_t again; /* AGAIN_… bits; if any is set, it runs alone, with unnamed statements */
    Scope scope;
    int64_t epoch;
    SiteStamp stamp;
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

struct db_request *request_new(struct lane *lane, enum request_kind kind);
void request_free(struct db_request *request);
/* Records the stamps that a request of this ctx is compiled against; none (unchecked) after a
 * commit of this ctx, because the request must not be restarted then: it was permitted when it
 * wrote. */
void request_take_stamps(struct db_request *request, const struct ctx *ctx);
bool request_has_scope_of(const struct db_request *a, const struct db_request *b);
/* Whether both enter the same scope under the same stamp. */
bool request_is_like(const struct db_request *a, const struct db_request *b);
/* Wakes its fiber, which frees it; frees it immediately if no fiber waits. */
void request_finish(struct db_request *request, enum outcome outcome);
/* Returns it to the front of its lane's queue, for a `reason` of AGAIN_…; a fiber must be
 * waiting. */
void request_submit_again(struct db_request *request, uint8_t reason);
/* Waits for the answer, copies rows and errors to the caller's memory, frees the request. */
fiber_fn Err request_run(struct ctx *ctx, struct db_request *request);

void list_append(struct request_list *list, struct db_request *request);
void list_prepend(struct request_list *list, struct db_request *request);
void list_remove(struct request_list *list, struct db_request *request);
