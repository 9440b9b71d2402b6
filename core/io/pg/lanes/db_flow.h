/*
 * Fair queueing: a flow is whose statements they are. A site is one; in PLATFORM scope each account
 * is one, and so are the platform's own statements (who is it, which site has this host, health);
 * NONE is one.
 * Lanes take one statement of each flow in turn. Private to this module.
 *
 * A flow also remembers what its statements cost, so that the next ones are sent where they hold
 * up nobody: `read_debt` is time on the read lanes in statements that were too long for them,
 * `slow_debt` all time on the slow lanes. Debts are paid off as time goes by.
 */
#pragma once

#include "io/pg/lanes/db_request.h"

struct db;

enum lane_kind {
    LANE_READ,      /* short reads, pipelined */
    LANE_PROBATION, /* the same, of flows with a read debt while others are active */
    LANE_SLOW,      /* reads that are, or may be, longer */
    LANE_LONG,      /* reads that outran the slow lane, and those of flows with a slow debt */
    LANE_WRITE,
    LANE_EXCLUSIVE,
    LANE_KINDS,
};

/* What waits for one lane, of one flow. In the lane's ring while there is something. */
struct flow_queue {
    struct flow_queue *next;
    struct flow_queue *previous;
    struct flow *flow;
    struct request_list requests;
    int32_t credit; /* statements it may send before others have had their turn */
    bool is_new;    /* has sent nothing since something waits: who asks now and then */
};

/* Microseconds of lane time, as of at_us. */
struct debt {
    int64_t us;
    int64_t at_us;
};

struct flow {
    struct flow *next; /* in its bucket */
    struct flow *newer;
    struct flow *older;     /* both: in the order of use */
    uint64_t id;            /* a hash of what it is; two flows with one id would share a turn */
    uint32_t requests;      /* that exist; it is not forgotten before they are gone */
    bool is_own;            /* the platform's own: trusted, so that no debt moves it */
    uint32_t slow_requests; /* of those, on the slow lanes, waiting or running */
    struct debt read_debt;
    struct debt slow_debt;
    int64_t suspect_until_us; /* until then its reads travel alone, and so are measured */
    int64_t costs_until_us;   /* until then the cost table may know a shape of it */
    struct flow_queue queues[LANE_KINDS];
};

enum {
    FLOWS_MAX = 1024, /* remembered without a request */
    FLOW_BUCKETS = 1024,
    COSTS_MAX = 4096, /* shapes whose cost is remembered */
    COST_WAYS = 4,
};

struct cost {
    uint64_t key; /* of the flow and the shape; 0: none */
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

/* The flow of a statement in this scope. `account` counts in PLATFORM scope; NULL: it is one of the
 * platform's own. Counts one request more. */
struct flow *flow_take(struct flow_table *table, const Scope *scope, const Uuid *account);
void flow_release(struct flow_table *table, struct flow *flow); /* one request less */
void flow_table_finish(struct flow_table *table);

void debt_add(struct debt *debt, int64_t us, int64_t pay_per_s, int64_t max, int64_t now_us);
int64_t debt_left(const struct debt *debt, int64_t pay_per_s, int64_t now_us);

/* What the shape cost lately, or 0: nothing to speak of, or not known. A cost rises at once and
 * sinks by half with each cheaper run. */
int64_t cost_find(const struct flow_table *table, uint64_t key, int64_t now_us);
void cost_note(struct flow_table *table, uint64_t key, int64_t us, int64_t now_us);
