/*
 * Internals of the PostgreSQL module. Private to it.
 *
 * db_query creates a request, which waits in the queue of its lane. After every turn of the loop
 * the lanes are flushed: requests become members of groups, a group becomes messages on a
 * connection that end with one Sync, and every message leaves a slot that describes its expected
 * answer.
 */
#pragma once

#include "base/crypto/random.h"
#include "base/memory/arena.h"
#include "io/pg/lanes/db_flow.h"
#include "io/pg/session/db_connection.h"

#define PG_EPOCH_US INT64_C(946684800000000) /* 2000-01-01, the epoch of PostgreSQL timestamps */

enum db_role { ROLE_TENANT, ROLE_PLATFORM, ROLE_COUNT };

enum {
    DB_QUEUE_MAX = 10000,      /* statements queued in one lane; further ones are refused */
    FLOW_QUEUE_MAX = 2000,     /* statements of one flow among them */
    DB_ARG_SIZE_MAX = 1 << 29, /* bytes of one argument */
    DB_ARGS_MAX = 65535,       /* the protocol's own limit */
    READ_SPARES_MAX = 2,       /* in addition to DATABASE_READ_LANES, while those are stalled */
    READ_GROUP_MAX = 32,       /* bounds the statements that one error can resubmit */
    READ_IN_FLIGHT_MAX = 64,   /* unanswered statements on a read connection */
    READ_GROUPS_MAX = 2,       /* unanswered groups on a read connection */
    READ_AHEAD_NS = 4000000,   /* estimated work sent ahead */
    READ_AHEAD_MIN = 2,        /* statements: one runs, one waits in the socket */
    WRITE_GROUPS_MAX = 4,      /* unanswered write groups on a connection */
    SHARED_MEMBERS_MAX = 64,   /* requests in one shared group */
    SHARED_GROUPS_MAX = 2, /* unanswered groups in a lane: while they commit, the next fills up */
    ROLLBACK_US = 1000000, /* timeout; then the connection is dropped */
    HITS_MAX = 8,          /* by cancel requests meant for other requests */
    STALL_US = 50000,      /* unanswered for this long: new statements use other connections */
    SPARE_IDLE_US = 60000000, /* idle for this long: a spare connection is closed */
    CONNECTING_MAX = 2,       /* concurrent attempts: each may occupy an offload thread for 5 s */
    LONG_FACTOR = 4,          /* of STATEMENT_TIMEOUT, for statements declared slow */
};

/* The connections of one kind and role, and their queue. */
struct lane {
    struct db *db;
    enum lane_kind kind;
    enum db_role role;
    struct db_connection *connections;
    uint32_t max;   /* including spare ones */
    uint32_t usual; /* opened at start or under load */
    uint32_t warm;  /* opened at start */
    uint32_t shared_groups;
    int64_t down_since_us;     /* since when a wanted connection has been missing; 0: connected */
    struct timer outage_timer; /* refuses waiting requests after DATABASE_PATIENCE */
    /* Waiting requests by flow: a round-robin list, whose head is next. */
    struct flow_queue *ring;
    uint32_t flows;
    uint32_t requests;
    uint32_t statements;
    struct request_list owned; /* requests of transactions, which already own a connection */
};

/* The flow that a role's lanes served last, and when another one was last active. */
struct latest_flow {
    uint64_t id;
    int64_t changed_us;
};

struct db {
    struct loop *loop;
    const struct settings *settings;
    Str application;
    struct lane lanes[ROLE_COUNT][LANE_KINDS];
    struct latest_flow latest[ROLE_COUNT];
    struct flow_table flows;
    struct turn_hook hook;
    uint32_t connecting; /* attempts in progress */
    bool is_closing;
    uint64_t losses;   /* sessions that ended unexpectedly */
    int64_t silent_us; /* start of the last silence that ended a session */
    struct timer stall_watch;
    struct db_cancel *cancel; /* the request in progress, or NULL */
    struct db_params params;
    struct arena *scratch;    /* used while a group is sent */
    struct db_request *spare; /* free list of requests */
    Random random;            /* for jitter */
};

/* db_lane.c */
void lane_init(struct lane *lane, struct db *db, enum db_role role, enum lane_kind kind);
void lane_finish(struct lane *lane);
bool lane_is_up(const struct lane *lane); /* whether any of its connections is up */
int64_t lane_timeout_ms(const struct lane *lane);
Str lane_login(const struct lane *lane); /* the URL of its role's own login; empty: none */
bool lane_has_own_options(const struct lane *lane); /* then none of our options are sent */
bool lane_is_spare(const struct db_connection *connection);
bool lane_is_stalled(const struct lane *lane);           /* none of its connections answers */
struct db_connection *lane_pick_read(struct lane *lane); /* NULL: none has room */
struct db_connection *lane_pick_write(struct lane *lane, const struct flow *flow);
struct db_connection *lane_pick_idle(struct lane *lane);
bool lane_has_room(const struct lane *lane, const struct flow_queue *queue); /* for one */
void lane_grow(struct lane *lane, uint32_t connections);
bool lane_expects(const struct lane *lane);
uint32_t connection_room(const struct db_connection *connection); /* for how many more reads */

/* db_flush.c: sends what the limits allow. */
void lane_flush(struct lane *lane);

/* db_queue.c */
bool request_is_owned(const struct db_request *request);
void queue_put(struct db_request *request);
void queue_put_first(struct db_request *request);
void queue_take(struct db_request *request);      /* removes it from the queue */
struct flow_queue *queue_turn(struct lane *lane); /* the next flow; must not be empty */
void queue_pass(struct lane *lane);               /* skips the flow in this round */
/* Appends to the group and charges its flow. */
void queue_send(struct db_request *request, struct request_list *group);

/* db_place.c: chooses the lane of a read, and learns from its execution. */
void request_join(struct db_request *request, const Uuid *account); /* sets its flow and lane */
bool read_moves(struct db_request *request); /* moves it to a better lane, if there is one */
bool role_is_lone(const struct db *db, enum db_role role); /* whether only one flow is active */
bool flow_is_suspect(const struct db_request *request);
bool request_may_go_on(const struct db_request *request); /* whether there is a slower lane */
void request_go_on(struct db_request *request);           /* moves it there after a timeout */
void read_forget(struct db_request *request);             /* call before it is freed */
void read_answered(const struct db_group *group, struct db_request *request);
/* Accounts for a read that ended after its caller had left. */
void read_given_up(const struct db_group *group, const struct db_request *request);

/* db_outage.c */
void lane_note_up(struct lane *lane);
void lane_note_down(struct lane *lane); /* after a connection ended or was requested */
void lanes_hurry(struct db *db);        /* the server answers: connect without further backoff */
bool lane_is_given_up(const struct lane *lane);

/* db_stall_watch.c: checks the read lanes while they are busy, and all lanes with reads after a
 * caller has left. */
void stall_watch_later(struct db *db); /* after sending */
void stall_watch_soon(struct db *db);  /* after a caller left */

/* db.c */
bool db_is_pooled(const struct db *db); /* sessions keep no state between groups */
struct lane *db_lane_for(struct db *db, enum db_role role, enum db_lane lane);
void db_copy_z(char *out, size_t size, const char *z); /* truncates; always NUL-terminated */
struct db *db_of(const struct ctx *ctx);
Err db_check_args(struct ctx *ctx, struct db_args args);

/* db_error.c, db_rows.c */
Err db_error_report(struct ctx *ctx, const struct db_request *request);
uint32_t db_array_read(struct arena *arena, const char *data, uint32_t len, const Str **ret);
