/*
 * The inside of the PostgreSQL module. Private to it.
 *
 * db_query makes a request, which waits in the queue of its lane. After every turn of the loop the
 * lanes are flushed: requests become members of groups, a group becomes messages on a connection
 * that end with one sync, and every message leaves a slot that says what its answer means.
 */
#pragma once

#include "base/crypto/random.h"
#include "base/memory/arena.h"
#include "io/pg/lanes/db_flow.h"
#include "io/pg/session/db_connection.h"

#define PG_EPOCH_US INT64_C(946684800000000) /* 2000-01-01, where PostgreSQL starts to count */

enum db_role { ROLE_TENANT, ROLE_PLATFORM, ROLE_COUNT };

enum {
    DB_QUEUE_MAX = 10000,      /* statements that wait in one lane; more are refused */
    FLOW_QUEUE_MAX = 2000,     /* of those, of one flow */
    DB_ARG_SIZE_MAX = 1 << 29, /* of one argument */
    DB_ARGS_MAX = 65535,       /* the protocol's own limit */
    READ_SPARES_MAX = 2,       /* beyond DATABASE_READ_LANES, while those stand still */
    READ_GROUP_MAX = 32,       /* statements that one error can make run again */
    READ_IN_FLIGHT_MAX = 64,   /* statements sent on a read connection and not answered */
    READ_GROUPS_MAX = 2,     /* sent on a read connection and not answered: the next one fills up */
    READ_AHEAD_NS = 4000000, /* of work, as far as one can know */
    READ_AHEAD_MIN = 2,      /* statements: one runs, one waits in the socket */
    WRITE_GROUPS_MAX = 4,    /* write groups sent on a connection and not answered */
    SHARED_MEMBERS_MAX = 64, /* requests of one shared group */
    SHARED_GROUPS_MAX = 2,   /* in flight in a lane: while they commit, the next fills up */
    ROLLBACK_US = 1000000,   /* then the connection is dropped */
    HITS_MAX = 8,            /* of cancel requests that were meant for others */
    STALL_US = 50000,        /* without an answer: new statements go elsewhere */
    SPARE_IDLE_US = 60000000, /* then a spare connection is closed */
    CONNECTING_MAX = 2,       /* attempts at a time: each may hold an offload thread for 5 s */
    LONG_FACTOR = 4,          /* STATEMENT_TIMEOUT, where statements were announced as slow */
};

/* The connections of one kind and role, and what waits for them. */
struct lane {
    struct db *db;
    enum lane_kind kind;
    enum db_role role;
    struct db_connection *connections;
    uint32_t max;   /* spare ones included */
    uint32_t usual; /* opened at start, or when there is much to do */
    uint32_t warm;  /* opened at start */
    uint32_t shared_groups;
    int64_t down_since_us;     /* no connection since then, though one is wanted; 0: there is one */
    struct timer outage_timer; /* refuses what waits, after DATABASE_PATIENCE */
    /* What waits: by flow, in a ring whose first has the turn. */
    struct flow_queue *ring;
    uint32_t flows;
    uint32_t requests;
    uint32_t statements;
    struct request_list owned; /* of transactions, which have their connection already */
};

/* Which flow a role's lanes last saw, and when it was another one before. */
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
    uint32_t connecting; /* attempts under way */
    bool is_closing;
    uint64_t losses;   /* sessions that ended though we had not wanted it */
    int64_t silent_us; /* when the last silence began that was not borne */
    struct timer stall_watch;
    struct db_cancel *cancel; /* the one under way, or NULL */
    struct db_params params;
    struct arena *scratch;    /* while a group is sent */
    struct db_request *spare; /* requests to use again */
    Random random;            /* jitter */
};

/* db_lane.c */
void lane_init(struct lane *lane, struct db *db, enum db_role role, enum lane_kind kind);
void lane_finish(struct lane *lane);
bool lane_is_up(const struct lane *lane); /* some connection is */
int64_t lane_timeout_ms(const struct lane *lane);
Str lane_login(const struct lane *lane); /* the URL of its role's own login; empty: there is none */
bool lane_has_own_options(const struct lane *lane); /* so none of ours are sent */
bool lane_is_spare(const struct db_connection *connection);
bool lane_is_stalled(const struct lane *lane);           /* none of its connections answers */
struct db_connection *lane_pick_read(struct lane *lane); /* NULL: none may take more */
struct db_connection *lane_pick_write(struct lane *lane, const struct flow *flow);
struct db_connection *lane_pick_idle(struct lane *lane);
bool lane_has_room(const struct lane *lane, const struct flow_queue *queue); /* for one more */
void lane_grow(struct lane *lane, uint32_t connections);
bool lane_expects(const struct lane *lane);
uint32_t connection_room(const struct db_connection *connection); /* for how many reads */

/* db_flush.c: sends what may be sent. */
void lane_flush(struct lane *lane);

/* db_queue.c */
bool request_is_owned(const struct db_request *request);
void queue_put(struct db_request *request);
void queue_put_first(struct db_request *request);
void queue_take(struct db_request *request);      /* out of the queue, for whatever reason */
struct flow_queue *queue_turn(struct lane *lane); /* whose turn it is; something must wait */
void queue_pass(struct lane *lane);               /* not this time */
/* To the end of the group, at its flow's expense. */
void queue_send(struct db_request *request, struct request_list *group);

/* db_place.c: which lane a read takes, and what its run teaches about the next ones. */
void request_join(struct db_request *request, const Uuid *account); /* its flow; its lane */
bool read_moves(struct db_request *request); /* to a lane that suits it better, if there is one */
bool role_is_lone(const struct db *db, enum db_role role); /* only one flow is active */
bool flow_is_suspect(const struct db_request *request);
bool request_may_go_on(const struct db_request *request); /* there is a slower lane */
void request_go_on(struct db_request *request);           /* to it; it outran this one */
void read_forget(struct db_request *request);             /* it is about to be freed */
void read_answered(const struct db_group *group, struct db_request *request);
/* It was ended, and nobody waited for it any more. */
void read_given_up(const struct db_group *group, const struct db_request *request);

/* db_outage.c */
void lane_note_up(struct lane *lane);
void lane_note_down(struct lane *lane); /* after a connection ended or was asked for */
void lanes_hurry(struct db *db);        /* the server answers: connect without a further wait */
bool lane_is_given_up(const struct lane *lane);

/* db_stall_watch.c: checks the read lanes while they are busy, and all lanes that read after a
 * caller has left. */
void stall_watch_later(struct db *db); /* something was sent */
void stall_watch_soon(struct db *db);  /* somebody left */

/* db.c */
bool db_is_pooled(const struct db *db); /* sessions keep nothing from one group to the next */
struct lane *db_lane_for(struct db *db, enum db_role role, enum db_lane lane);
void db_copy_z(char *out, size_t size, const char *z); /* cuts, and ends with a NUL */
struct db *db_of(const struct ctx *ctx);
Err db_check_args(struct ctx *ctx, struct db_args args);

/* db_error.c, db_rows.c */
Err db_error_report(struct ctx *ctx, const struct db_request *request);
uint32_t db_array_read(struct arena *arena, const char *data, uint32_t len, const Str **ret);
