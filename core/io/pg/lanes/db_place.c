/*
 * Chooses the lane of a read by its expected duration, so that no read waits behind a much longer
 * one.
 *
 * The duration of a statement is unknown before its first execution. So an unknown one goes to the
 * read lane, which ends it after READ_LANE_TIMEOUT; it then continues in the slow lane, and after
 * SLOW_LANE_TIMEOUT in the long lane. The cost is recorded for the statement and its flow, and
 * selects the lane directly the next time. PostgreSQL buffers its answers until the Sync, so a read
 * can be measured only if it ran alone; when a group took long, its members are suspects for a
 * while, and suspects run alone.
 *
 * A flow that sends a new statement each time is always unknown. So a flow may use 1 % of a read
 * connection's time for reads that are too long for it; a flow that uses more is on probation while
 * others are active: its reads share one connection that no other flow uses. Likewise a flow with
 * several concurrent slow reads may use a quarter of a slow connection; beyond that its reads go to
 * the long lane.
 */
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/range.h"
#include "io/pg/db_internal.h"

#include <assert.h>

enum {
    LONE_US = 10 * 1000 * 1000, /* without a statement of another flow */
    COSTLY_US = 50 * 1000,      /* too long for the read lane */
    SUSPECT_US = 8 * 1000,      /* average per statement of a group */
    SUSPECT_FOR_US = 2 * 1000 * 1000,
    COSTS_FOR_US = 300 * 1000 * 1000,

    READ_PAY_US = 10 * 1000, /* per second: 1 % of a connection */
    READ_DEBT_US = 200 * 1000,
    READ_DEBT_MAX_US = 600 * 1000,
    SLOW_PAY_US = 250 * 1000,
    SLOW_DEBT_US = 2 * 1000 * 1000,
    SLOW_DEBT_MAX_US = 8 * 1000 * 1000,
};

static void note_active(struct db *db, enum db_role role, const struct flow *flow);
static enum lane_kind place(struct db_request *request);
static bool has_read_debt(const struct db *db, const struct flow *flow);
static bool is_burden(const struct db_request *request);
static void put_in_lane(struct db_request *request, enum lane_kind kind);
static int64_t expected_us(struct db_request *request);
static uint64_t cost_key(struct db_request *request);
static void record_cost(struct db_request *request, int64_t us);
static void add_read_debt(struct db *db, struct flow *flow, int64_t us);
static void add_slow_debt(struct db *db, struct flow *flow, int64_t us);

void request_join(struct db_request *request, const Uuid *account)
{
    struct lane *lane = request->lane;
    assert(request->flow == NULL);
    request->flow = flow_take(&lane->db->flows, &request->scope, account);
    note_active(lane->db, lane->role, request->flow);
    request->is_short = request->kind == REQUEST_READ;
    if (request->kind == REQUEST_READ || request->kind == REQUEST_SLOW)
        put_in_lane(request, place(request));
}

bool read_moves(struct db_request *request)
{
    assert(request->state == REQUEST_QUEUED);
    const struct flow *flow = request->flow;
    static_assert(LANE_READ < LANE_PROBATION && LANE_PROBATION < LANE_SLOW &&
                  LANE_SLOW < LANE_LONG);
    if (flow->costs_until_us == 0 && flow->read_debt.us == 0 && flow->slow_debt.us == 0)
        return false;
    enum lane_kind kind = place(request);
    if (kind <= request->lane->kind)
        return false;
    queue_take(request);
    put_in_lane(request, kind);
    queue_put(request);
    return true;
}

static void note_active(struct db *db, enum db_role role, const struct flow *flow)
{
    struct latest_flow *latest = &db->latest[role];
    if (latest->id == flow->id)
        return;
    if (latest->id != 0)
        latest->changed_us = loop_now_us(db->loop);
    latest->id = flow->id;
}

bool role_is_lone(const struct db *db, enum db_role role)
{
    const struct latest_flow *latest = &db->latest[role];
    return latest->changed_us == 0 || loop_now_us(db->loop) - latest->changed_us > LONE_US;
}

static enum lane_kind place(struct db_request *request)
{
    const struct db *db = request->lane->db;
    const struct flow *flow = request->flow;
    int64_t us = expected_us(request);
    if (request->is_short && us < COSTLY_US) {
        bool is_apart = has_read_debt(db, flow) && !role_is_lone(db, request->lane->role);
        return is_apart ? LANE_PROBATION : LANE_READ;
    }
    bool is_long = us >= db->settings->slow_lane_timeout_ms * 1000 || is_burden(request);
    return is_long ? LANE_LONG : LANE_SLOW;
}

static bool has_read_debt(const struct db *db, const struct flow *flow)
{
    return flow->read_debt.us > READ_DEBT_US && !flow->is_own &&
           debt_left(&flow->read_debt, READ_PAY_US, loop_now_us(db->loop)) > READ_DEBT_US;
}

/* A flow with one read at a time, like an interactive search, is no burden. */
static bool is_burden(const struct db_request *request)
{
    const struct flow *flow = request->flow;
    assert(flow->slow_requests >= request->is_counted);
    uint32_t others = flow->slow_requests - request->is_counted;
    return others > 0 && !flow->is_own &&
           debt_left(&flow->slow_debt, SLOW_PAY_US, loop_now_us(request->lane->db->loop)) >
               SLOW_DEBT_US;
}

bool flow_is_suspect(const struct db_request *request)
{
    const struct flow *flow = request->flow;
    return flow->suspect_until_us != 0 &&
           loop_now_us(request->lane->db->loop) < flow->suspect_until_us;
}

static void put_in_lane(struct db_request *request, enum lane_kind kind)
{
    assert(request->flow != NULL && kind <= LANE_LONG);
    struct lane *lane = request->lane;
    bool is_read = kind == LANE_READ || kind == LANE_PROBATION;
    if (kind == LANE_PROBATION)
        counter_add(COUNTER_db_probation, request->count);
    else if (!is_read && request->is_short)
        counter_add(COUNTER_db_costly, request->count);
    if (!is_read && !request->is_counted) {
        request->is_counted = true;
        request->flow->slow_requests++;
    }
    request->lane = &lane->db->lanes[lane->role][kind];
    request->kind = is_read ? REQUEST_READ : REQUEST_SLOW;
}

void read_forget(struct db_request *request)
{
    if (!request->is_counted)
        return;
    assert(request->flow->slow_requests > 0);
    request->flow->slow_requests--;
    request->is_counted = false;
}

/* Usually the flow has no recorded costs, and no statement is hashed. */
static int64_t expected_us(struct db_request *request)
{
    const struct db *db = request->lane->db;
    int64_t now_us = loop_now_us(db->loop);
    if (request->flow->costs_until_us < now_us)
        return 0;
    return cost_find(&db->flows, cost_key(request), now_us);
}

static uint64_t cost_key(struct db_request *request)
{
    uint64_t key = request->cost_key;
    if (key != 0)
        return key;
    key = request->flow->id;
    for (uint32_t i = 0; i < request->count; i++) {
        const struct statement *statement = request->commands[i].statement;
        const char *shape = statement->name != NULL ? statement->name : statement->sql;
        key = key * 31 + str_hash(str_from_z(shape));
    }
    request->cost_key = key != 0 ? key : 1;
    return request->cost_key;
}

void read_answered(const struct db_group *group, struct db_request *request)
{
    struct flow *flow = request->flow;
    if (flow == NULL)
        return;
    struct db *db = request->lane->db;
    int64_t now_us = loop_now_us(db->loop);
    int64_t us = max_i64(now_us - group->started_us, 0);
    if (request->kind == REQUEST_SLOW) {
        add_slow_debt(db, flow, us);
        record_cost(request, us);
    } else if (group->requests > 1) {
        if (us > (int64_t)group->statements * SUSPECT_US)
            flow->suspect_until_us = now_us + SUSPECT_FOR_US;
    } else if (us >= COSTLY_US) {
        add_read_debt(db, flow, us);
        record_cost(request, us);
    }
}

/* A cheap execution is recorded only if it may lower a known cost. The caller must still be
 * waiting: the SQL text is in its frame. */
static void record_cost(struct db_request *request, int64_t us)
{
    assert(us >= 0);
    struct db *db = request->lane->db;
    struct flow *flow = request->flow;
    int64_t now_us = loop_now_us(db->loop);
    bool is_known = flow->costs_until_us >= now_us;
    if (us < COSTLY_US && !is_known)
        return;
    if (request->wait == NULL && request->cost_key == 0)
        return;
    if (us >= COSTLY_US)
        flow->costs_until_us = now_us + COSTS_FOR_US;
    cost_note(&db->flows, cost_key(request), us, now_us);
}

static void add_read_debt(struct db *db, struct flow *flow, int64_t us)
{
    debt_add(&flow->read_debt, us, READ_PAY_US, READ_DEBT_MAX_US, loop_now_us(db->loop));
}

static void add_slow_debt(struct db *db, struct flow *flow, int64_t us)
{
    debt_add(&flow->slow_debt, us, SLOW_PAY_US, SLOW_DEBT_MAX_US, loop_now_us(db->loop));
}

bool request_may_go_on(const struct db_request *request)
{
    enum lane_kind kind = request->lane->kind;
    return kind == LANE_READ || kind == LANE_PROBATION || kind == LANE_SLOW;
}

void request_go_on(struct db_request *request)
{
    struct db *db = request->lane->db;
    bool was_slow = request->kind == REQUEST_SLOW;
    assert(request_may_go_on(request) && request->wait != NULL);
    int64_t ran_us =
        (was_slow ? db->settings->slow_lane_timeout_ms : db->settings->read_lane_timeout_ms) * 1000;
    /* If the scope of a group could not be entered, no member is at fault. */
    if (request->sqlstate[0] != '\0') {
        if (was_slow)
            add_slow_debt(db, request->flow, ran_us);
        else
            add_read_debt(db, request->flow, ran_us);
        record_cost(request, max_i64(ran_us, COSTLY_US));
    }
    counter_add(COUNTER_db_outran, request->count);
    bool is_long = was_slow || is_burden(request);
    put_in_lane(request, is_long ? LANE_LONG : LANE_SLOW);
}

/* The time is charged anyway: otherwise a caller that leaves before the lane's timeout would incur
 * no debt. The cost is not recorded, because the SQL text was in the frame of the fiber, which has
 * ended. */
void read_given_up(const struct db_group *group, const struct db_request *request)
{
    assert(request->wait == NULL && request->flow != NULL);
    struct db *db = request->lane->db;
    struct flow *flow = request->flow;
    int64_t now_us = loop_now_us(db->loop);
    int64_t us = max_i64(now_us - group->started_us, 0);
    if (request->kind == REQUEST_SLOW)
        add_slow_debt(db, flow, us);
    else if (request->kind == REQUEST_READ && group->requests > 1)
        flow->suspect_until_us = now_us + SUSPECT_FOR_US;
    else if (request->kind == REQUEST_READ && us >= COSTLY_US)
        add_read_debt(db, flow, us);
}
