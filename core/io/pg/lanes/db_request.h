/*
 * What one call of db_query, db_batch_run or a transaction asks for. Private to this
 * module.
 *
 * A request belongs to its lane, never to the fiber: a fiber that leaves (deadline, cancellation)
 * takes its `wait` with it, and from then on nothing that lived in its frame is touched.
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
    REQUEST_ROLLBACK, /* nobody waits for it */
};

enum request_state { REQUEST_QUEUED, REQUEST_SENT, REQUEST_DONE };

enum outcome {
    OUTCOME_OK,
    OUTCOME_ERROR,   /* `sqlstate` and, unless a neighbour got it, `error` */
    OUTCOME_LOST,    /* the connection broke; whether a write happened is unknown */
    OUTCOME_REFUSED, /* never sent: there was no connection for too long */
};

/* Why a request was submitted again: once for each reason, a read that was lost a few times. */
enum {
    AGAIN_ABORTED = 1,
    AGAIN_STATEMENT = 2,
    AGAIN_SERIALIZATION = 4,
    AGAIN_LOST = 8,
    AGAIN_CANCELLED = 16, /* hit by a cancel request that was meant for the one before it */
    AGAIN_MOVED = 32,     /* stood behind one that does not end */
    AGAIN_OUTRAN = 64,    /* took longer than its lane allows: goes on in a slower one */
};

struct db_request {
    struct db_request *next;
    struct db_request *previous;
    struct lane *lane;
    struct flow *flow;                     /* NULL: what belongs to a transaction, and ghosts */
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
    uint32_t hits;     /* by cancel requests that others were meant by */
    bool is_alone;     /* shares no sync group */
    bool is_apart;     /* REQUEST_BEGIN: counts in nobody's share */
    bool is_counted;   /* in its flow's slow_requests */
    bool is_short;     /* a read that was not announced as slow: STATEMENT_TIMEOUT is for it, too */
    uint64_t cost_key; /* of its flow and shape in the table of costs; 0: not made yet */
    int64_t queued_us;
    uint8_t again; /* AGAIN_… bits; once any is set it travels alone, with unnamed statements */
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
/* Notes what a request of this ctx is compiled against; nothing (unchecked) once something it did
 * is durable, for then it must not begin again: it had the right when it wrote. */
void request_take_stamps(struct db_request *request, const struct ctx *ctx);
bool request_has_scope_of(const struct db_request *a, const struct db_request *b);
/* Whether both enter the same scope, under the same stamp of a site. */
bool request_is_like(const struct db_request *a, const struct db_request *b);
/* Wakes its fiber, which frees it; frees it at once when nobody waits. */
void request_finish(struct db_request *request, enum outcome outcome);
/* Back to the front of its lane's queue, for a `reason` of AGAIN_…; somebody must be waiting. */
void request_submit_again(struct db_request *request, uint8_t reason);
/* Waits for the answer; copies rows and errors to where they belong; frees the request. */
fiber_fn Err request_run(struct ctx *ctx, struct db_request *request);

void list_append(struct request_list *list, struct db_request *request);
void list_prepend(struct request_list *list, struct db_request *request);
void list_remove(struct request_list *list, struct db_request *request);
