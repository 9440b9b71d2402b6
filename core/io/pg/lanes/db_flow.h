/*
 * Fair queueing: a flow groups the statements of one owner: a site; in PLATFORM scope an account,
 * or the platform's own statements (authentication, hostnames, health); or NONE scope. Lanes serve
 * flows round-robin, one statement at a time. Private to this module.
 *
 * A flow also records what its statements cost, so that later ones are sent to a lane where they do
 * not delay others: `read_debt` is time on the read lanes in statements that were too long for
 * them, `slow_debt` all time on the slow lanes. Debts decrease over time.
 */
#pragma once

#include "io/pg/lanes/db_request.h"

struct db;

enum lane_kind {
    LANE_READ,      /* short reads, pipelined */
    LANE_PROBATION, /* short reads of flows with a read debt while other flows are active */
    LANE_SLOW,      /* reads that are, or may be, longer */
    LANE_LONG, /* reads that exceeded the slow lane's timeout, and those of flows with a slow debt
                */
    LANE_WRITE,
    LANE_EXCLUSIVE,
    LANE_KINDS,
};

/* The waiting requests of one flow for one lane. In the lane's round-robin list while not empty. */
struct flow_queue {
    struct flow_queue *next;
    struct flow_queue *previous;
    struct flow *flow;
    struct request_list requests;
    int32_t credit; /* statements it may send before other flows are served */
    bool is_new;    /* has sent nothing since it was queued: an occasional user */
};

/* Microseconds of lane time, as of at_us. */
struct debt {
    int64_t us;
    int64_t at_us;
};

struct flow {
    struct flow *next; /* in its bucket */
    struct flow *newer;
    struct flow *older;     /* both: in LRU order */
    uint64_t id;            /* a hash of its owner; flows with the same id share a turn */
    uint32_t requests;      /* live requests; the flow is kept until there are none */
    bool is_own;            /* the platform's own: trusted, so its debts are ignored */
    uint32_t slow_requests; /* of those, waiting or running on the slow lanes */
    struct debt read_debt;
    struct debt slow_debt;
    int64_t suspect_until_us; /* until then its reads run alone, which measures them */
    int64_t costs_until_us;   /* until then the cost table may have an entry for it */
    struct flow_queue queues[LANE_KINDS];
};

enum {
    FLOWS_MAX = 1024, /* kept without a request */
    FLOW_BUCKETS = 1024,
    COSTS_MAX = 4096, /* statements with a recorded cost */
    COST_WAYS = 4,
};

struct cost {
    uint64_t key; /* hash of the flow and the statement; 0: empty */
    int64_t us;
    int64_t at_us;
};

/* All flows of a thread. */
struct flow_table {
    struct flow *buckets[FLOW_BUCKETS];
    struct flow *newest;
    struct flow *oldest;
    uint32_t count;
    struct cost costs[COSTS_MAX];
};

/* The flow of a statement in this scope. `account` is used in PLATFORM scope; NULL: the platform's
 * own. Adds a request. */
struct flow *flow_take(struct flow_table *table, const Scope *scope, const Uuid *account);
void flow_release(struct flow_table *table, struct flow *flow); /* removes a request */
void flow_table_finish(struct flow_table *table);

void debt_add(struct debt *debt, int64_t us, int64_t pay_per_s, int64_t max, int64_t now_us);
int64_t debt_left(const struct debt *debt, int64_t pay_per_s, int64_t now_us);

/* The recent cost of a statement, or 0: negligible or unknown. A cost increases immediately and is
 * halved by each cheaper execution. */
int64_t cost_find(const struct flow_table *table, uint64_t key, int64_t now_us);
void cost_note(struct flow_table *table, uint64_t key, int64_t us, int64_t now_us);
