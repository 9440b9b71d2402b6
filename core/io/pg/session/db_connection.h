/*
 * One session with PostgreSQL: what was sent, what each answer will mean, and how it comes back
 * when it is lost. Private to this module.
 */
#pragma once

#include "io/fiber/loop.h"
#include "io/pg/lanes/db_request.h"
#include "io/pg/session/db_statement.h"

/* One sync group in flight. Its members in the order in which they were sent; a read leaves when
 * it is answered, a write stays until the sync. */
struct db_group {
    struct db_group *next;
    struct request_list members;
    enum request_kind kind;
    uint32_t statements;
    uint32_t requests;
    uint64_t flow_id;     /* whose share it counts in; 0: nobody's */
    int64_t started_us;   /* when nothing was in front of it any more; 0: something still is */
    bool is_back_to_back; /* something was, so that this is free of the network's time */
    bool has_failed;
    bool was_cancelled; /* its error is the work of a cancel request, whomever that has hit */
    char sqlstate[6];   /* of an error that belongs to all: entering the scope, or the commit */
    PGresult *error;
};

/* SLOT_STAMPS: enters too, and its answer holds stamps that are compared. */
enum slot_kind { SLOT_ENTER, SLOT_STAMPS, SLOT_PREPARE, SLOT_COMMAND, SLOT_SYNC };

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

enum { CONNECTION_ERROR_MAX = 256 };

struct db_connection {
    struct lane *lane;
    PGconn *pg;
    struct watch *watch;
    enum connection_state state;
    struct connect_task *task;
    struct timer retry;
    uint32_t attempts; /* failed ones since it was last up */
    char last_error[CONNECTION_ERROR_MAX];
    struct slot_ring slots;
    struct db_group *first_group; /* in flight, oldest first */
    struct db_group *last_group;
    uint32_t groups;
    uint32_t statements; /* sent and not answered */
    struct statement_cache cache;
    int64_t statement_ns; /* what one took lately, on average; 0: not known */
    uint64_t answers;     /* how many came, ever */
    int64_t answered_us;  /* the last one, or the first group sent after it */
    int64_t heard_us;     /* the last byte */
    int64_t awaited_us;   /* since when the next one is expected */
    uint32_t silences;    /* sessions in a row that were given up because they did not answer */
    struct timer silence; /* looks at that while something is on its way */
    struct timer spare;   /* closes a spare connection that nobody needs any more */
    int64_t cancelled_us; /* the last cancel request for it: when it was sent */
    int64_t cancel_ended_us;
    uint64_t cancel_mark; /* `answers` when it was sent */
    bool is_retiring;     /* its cache no longer fits: reconnects when idle */
    /* Exclusive lane. */
    bool is_taken;
    uint64_t holder; /* the id of the flow that took it; 0: it is in nobody's share */
    bool is_broken;  /* was lost while taken: stays down until the transaction lets go */
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
void connection_hurry(struct db_connection *connection); /* no more back-off before the next try */
/* Its session is over: reads go back to the queue, what else was in flight is told, and it connects
 * anew by itself. Nothing when it is not up. */
void connection_lose(struct db_connection *connection, const char *why);
void connection_drop(struct db_connection *connection, const char *why); /* by our own decision */
void connection_recycle(struct db_connection *connection); /* idle: closes and connects anew */
bool connection_is_stalled(const struct db_connection *connection); /* waits for long */
void connection_flush(struct db_connection *connection);
/* What a watch calls when the socket takes more: the rest of a COPY, or of the output. */
void connection_on_writable(void *connection);
void connection_release(struct db_connection *connection); /* a transaction lets go of it */

/* db_silence.c: gives up a session that has something on its way and says nothing. */
void silence_expect(struct db_connection *connection); /* something was sent */
void silence_heard(struct db_connection *connection);  /* something came */
/* Others have been given up meanwhile, and it says nothing either: not for anybody who comes now.
 */
bool connection_is_doubtful(const struct db_connection *connection);
void connection_on_silence(void *connection);

/* db_cancel.c: reads that run on though nobody waits for them. */
bool cancel_head_if_abandoned(struct db_connection *connection); /* whether any read on it is */
void cancel_head(struct db_connection *connection);              /* the first group on it */
bool cancel_may_hit(const struct db_connection *connection);     /* one under way, or just over */
void cancel_take_end(struct db *db);
void cancel_finish(struct db *db);

/* db_resubmit.c: moves what waits behind a stalled read to other connections. */
void resubmit_behind(struct db_connection *connection);

/* db_slots.c */
void slot_push(struct db_connection *connection, struct slot slot);
struct slot slot_pop(struct db_connection *connection);
const struct slot *slot_front(const struct db_connection *connection);

/* db_group.c: takes the members, which all have one epoch, and sends them. */
void group_send(struct db_connection *connection, struct request_list *members);

/* db_answer.c */
void group_take_result(struct db_connection *connection, PGresult *result); /* owns result */
void groups_lose(struct db_connection *connection);

/* db_tx.c, db_copy.c */
void connection_give_back(struct db_connection *connection);   /* rolls back what is open */
void connection_rolled_back(struct db_connection *connection); /* the answer to that */
void copy_start(struct db_connection *connection, struct db_request *request);
void copy_readable(struct db_connection *connection);
void copy_writable(struct db_connection *connection);
