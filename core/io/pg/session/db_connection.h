/*
 * One session with PostgreSQL: the messages sent, the expected answers, and reconnection. Private
 * to this module.
 */
#pragma once

#include "io/fiber/loop.h"
#include "io/pg/lanes/db_request.h"
#include "io/pg/session/db_statement.h"

/* One sync group in flight. Its members in sending order; a read is removed when it is answered, a
 * write stays until the Sync. */
struct db_group {
    struct db_group *next;
    struct request_list members;
    enum request_kind kind;
    uint32_t statements;
    uint32_t requests;
    uint64_t flow_id;     /* the flow whose share it counts in; 0: none */
    int64_t started_us;   /* when it became the first in the pipeline; 0: not yet */
    bool is_back_to_back; /* another group preceded it, so network time is excluded */
    bool has_failed;
    bool was_cancelled; /* by a cancel request, possibly for another one */
    char sqlstate[6];   /* of an error of the whole group: entering the scope, or the commit */
    PGresult *error;
};

/* SLOT_STAMPS: also enters the scope; its answer contains stamps that are compared. */
enum slot_kind { SLOT_ENTER, SLOT_STAMPS, SLOT_PREPARE, SLOT_COMMAND, SLOT_SYNC };

/* The next expected answer on a connection. */
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

enum { CONNECTION_ERROR_MAX = 256 };

struct db_connection {
    struct lane *lane;
    PGconn *pg;
    struct watch *watch;
    enum connection_state state;
    struct connect_task *task;
    struct timer retry;
    uint32_t attempts; /* failed attempts since it was last up */
    char last_error[CONNECTION_ERROR_MAX];
    struct slot_ring slots;
    struct db_group *first_group; /* in flight, oldest first */
    struct db_group *last_group;
    uint32_t groups;
    uint32_t statements; /* unanswered */
    struct statement_cache cache;
    int64_t statement_ns; /* recent average per statement; 0: unknown */
    uint64_t answers;     /* total number of answers */
    int64_t answered_us;  /* the last answer, or the first group sent after it */
    int64_t heard_us;     /* when the last byte was received */
    int64_t awaited_us;   /* since when the next answer is expected */
    uint32_t silences;    /* consecutive sessions that were dropped for not answering */
    struct timer silence; /* checks for silence while something is in flight */
    struct timer spare;   /* closes an idle spare connection */
    int64_t cancelled_us; /* when the last cancel request for it was sent */
    int64_t cancel_ended_us;
    uint64_t cancel_mark; /* `answers` at that time */
    bool is_retiring;     /* its statement cache is worn: reconnects when idle */
    /* Exclusive lane. */
    bool is_taken;
    uint64_t holder; /* the id of the flow that took it; 0: it counts in no share */
    bool is_broken;  /* was lost while taken: stays down until the transaction releases it */
    struct timer rollback;
    struct db_request *copy;
    enum copy_phase copy_phase;
    size_t copy_sent;
    uint64_t total_groups;
    uint64_t total_statements;
    uint64_t total_connects;
};

void connection_init(struct db_connection *connection, struct lane *lane);
void connection_finish(struct db_connection *connection);
void connection_open(struct db_connection *connection);
void connection_hurry(struct db_connection *connection); /* skips the remaining backoff */
/* The session is lost: reads return to the queue, other requests in flight fail, and it reconnects.
 * No-op when it is not up. */
void connection_lose(struct db_connection *connection, const char *why);
void connection_drop(struct db_connection *connection, const char *why); /* deliberately */
void connection_recycle(struct db_connection *connection); /* idle: closes and reconnects */
bool connection_is_stalled(const struct db_connection *connection); /* has not answered for long */
void connection_flush(struct db_connection *connection);
/* Called by a watch when the socket is writable: sends the rest of a COPY, or of the output. */
void connection_on_writable(void *connection);
void connection_release(struct db_connection *connection); /* a transaction releases it */

/* db_silence.c: drops a session that has something in flight and does not answer. */
void silence_expect(struct db_connection *connection); /* after sending */
void silence_heard(struct db_connection *connection);  /* after receiving */
/* Other sessions were dropped meanwhile, and this one does not answer either: not used for new
 * requests. */
bool connection_is_doubtful(const struct db_connection *connection);
void connection_on_silence(void *connection);

/* db_cancel.c: reads that continue after their callers have left. */
bool cancel_head_if_abandoned(struct db_connection *connection); /* is any read abandoned? */
void cancel_head(struct db_connection *connection);              /* the first group on it */
bool cancel_may_hit(const struct db_connection *connection);     /* running or just ended */
void cancel_take_end(struct db *db);
void cancel_finish(struct db *db);

/* db_resubmit.c: moves requests that wait behind a stalled read to other connections. */
void resubmit_behind(struct db_connection *connection);

/* db_slots.c */
void slot_push(struct db_connection *connection, struct slot slot);
struct slot slot_pop(struct db_connection *connection);
const struct slot *slot_front(const struct db_connection *connection);

/* db_group.c: takes the members, which must have the same epoch, and sends them. */
void group_send(struct db_connection *connection, struct request_list *members);

/* db_answer.c */
void group_take_result(struct db_connection *connection, PGresult *result); /* owns it */
void groups_lose(struct db_connection *connection);

/* db_tx.c, db_copy.c */
void connection_give_back(struct db_connection *connection);   /* rolls back an open transaction */
void connection_rolled_back(struct db_connection *connection); /* the answer to that */
void copy_start(struct db_connection *connection, struct db_request *request);
void copy_readable(struct db_connection *connection);
void copy_writable(struct db_connection *connection);
