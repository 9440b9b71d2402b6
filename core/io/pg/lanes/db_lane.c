#include "base/system/range.h"
#include "io/pg/db_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint32_t lane_size(const struct db *db, enum lane_kind kind);
static uint32_t lane_warm(enum db_role role, enum lane_kind kind, uint32_t max);
static bool is_better(const struct db_connection *a, const struct db_connection *b);
static uint32_t lane_share(const struct lane *lane);
static uint32_t lane_usual(const struct lane *lane);
static bool is_apart(const struct db_connection *connection);
static uint32_t lane_held_by(const struct lane *lane, uint64_t flow_id);
static bool is_held_by(const struct db_connection *connection, uint64_t flow_id);
static bool is_idle(const struct db_connection *connection);

void lane_init(struct lane *lane, struct db *db, enum db_role role, enum lane_kind kind)
{
    assert(role < ROLE_COUNT && kind < LANE_KINDS);
    *lane = (struct lane){.db = db, .kind = kind, .role = role, .usual = lane_size(db, kind)};
    lane->max = lane->usual + (kind == LANE_READ ? READ_SPARES_MAX : 0);
    lane->warm = lane_warm(role, kind, lane->usual);
    assert(lane->usual > 0 && lane->warm <= lane->usual);
    lane->connections = calloc(lane->max, sizeof(*lane->connections));
    if (lane->connections == NULL)
        abort();
    for (uint32_t i = 0; i < lane->max; i++)
        connection_init(&lane->connections[i], lane);
    for (uint32_t i = 0; i < lane->warm; i++)
        connection_open(&lane->connections[i]);
}

/* The write and exclusive connections of a process are divided among its threads. */
static uint32_t lane_size(const struct db *db, enum lane_kind kind)
{
    int64_t threads = max_i64(db->settings->server_threads, 1);
    int64_t size = 1;
    if (kind == LANE_READ)
        size = db->settings->database_read_lanes;
    else if (kind == LANE_WRITE)
        size = (db->settings->database_write_lanes + threads - 1) / threads;
    else if (kind == LANE_SLOW)
        size = db->settings->database_slow_lanes;
    else if (kind == LANE_LONG)
        size = db->settings->database_slow_lanes - 1;
    else if (kind == LANE_EXCLUSIVE)
        size = (db->settings->database_exclusive_lanes + threads - 1) / threads;
    return (uint32_t)max_i64(size, 1);
}

/* Authentication reads as the platform, so it has one connection of each kind from the start;
 * further platform connections are opened on demand. */
static uint32_t lane_warm(enum db_role role, enum lane_kind kind, uint32_t max)
{
    if (kind == LANE_READ)
        return role == ROLE_TENANT ? max : 1;
    if (kind == LANE_WRITE)
        return role == ROLE_TENANT && max > 1 ? 2 : 1;
    return 0;
}

/* The statement timeout. A statement that exceeds it on a faster lane continues in the next one. */
int64_t lane_timeout_ms(const struct lane *lane)
{
    const struct settings *settings = lane->db->settings;
    int64_t own_ms = settings->statement_timeout_ms;
    switch (lane->kind) {
    case LANE_READ:
    case LANE_PROBATION:
        return min_i64(settings->read_lane_timeout_ms, own_ms);
    case LANE_SLOW:
        return min_i64(settings->slow_lane_timeout_ms, own_ms);
    case LANE_LONG:
    case LANE_EXCLUSIVE:
        return own_ms * LONG_FACTOR;
    case LANE_WRITE:
        return own_ms;
    case LANE_KINDS:
        break;
    }
    abort();
}

Str lane_login(const struct lane *lane)
{
    const struct settings *settings = lane->db->settings;
    return lane->role == ROLE_TENANT ? settings->database_tenant_url
                                     : settings->database_platform_url;
}

/* A URL for the role's own login is used unchanged if it contains `options`: for a pooler that
 * accepts none of ours, it is set to `options=`, and the role's settings are stored in the
 * database. */
bool lane_has_own_options(const struct lane *lane)
{
    return db_is_pooled(lane->db) || str_find(lane_login(lane), STR("options=")) >= 0;
}

void lane_finish(struct lane *lane)
{
    assert(lane->ring == NULL); /* a fiber must not outlive the lane it waits for */
    while (lane->owned.first != NULL) {
        struct db_request *request = lane->owned.first;
        assert(request->wait == NULL); /* a rollback */
        queue_take(request);
        request_free(request);
    }
    for (uint32_t i = 0; i < lane->max; i++)
        connection_finish(&lane->connections[i]);
    timer_stop(lane->db->loop, &lane->outage_timer);
}

bool lane_is_up(const struct lane *lane)
{
    for (uint32_t i = 0; i < lane->max; i++)
        if (lane->connections[i].state == CONNECTION_UP &&
            !connection_is_doubtful(&lane->connections[i]))
            return true;
    return false;
}

bool lane_is_stalled(const struct lane *lane)
{
    bool is_any_up = false;
    for (uint32_t i = 0; i < lane->max; i++) {
        if (lane->connections[i].state != CONNECTION_UP)
            continue;
        if (!connection_is_stalled(&lane->connections[i]))
            return false;
        is_any_up = true;
    }
    return is_any_up;
}

bool lane_is_spare(const struct db_connection *connection)
{
    return connection - connection->lane->connections >= (ptrdiff_t)connection->lane->usual;
}

struct db_connection *lane_pick_read(struct lane *lane)
{
    assert(lane->kind == LANE_READ || lane->kind == LANE_PROBATION);
    struct db_connection *best = NULL;
    for (uint32_t i = 0; i < lane->max; i++) {
        struct db_connection *connection = &lane->connections[i];
        if (connection->state == CONNECTION_UP && connection_room(connection) > 0 &&
            !connection_is_doubtful(connection) && (best == NULL || is_better(connection, best)))
            best = connection;
    }
    return best;
}

/* Enough statements to keep the session busy, but no more: later ones would wait behind them. Their
 * cost is estimated from earlier ones. */
uint32_t connection_room(const struct db_connection *connection)
{
    if (connection->groups >= READ_GROUPS_MAX)
        return 0;
    int64_t most = READ_IN_FLIGHT_MAX;
    if (connection->statement_ns > 0 && READ_AHEAD_NS / connection->statement_ns < most)
        most = READ_AHEAD_NS / connection->statement_ns;
    if (most < READ_AHEAD_MIN)
        most = READ_AHEAD_MIN;
    uint32_t room = connection->statements < most ? (uint32_t)(most - connection->statements) : 0;
    return min_u32(room, READ_GROUP_MAX);
}

/* A flow that holds its share of the connections gets no additional one, but may queue on those. */
struct db_connection *lane_pick_write(struct lane *lane, const struct flow *flow)
{
    assert(lane->kind == LANE_WRITE && flow != NULL);
    bool may_spread = lane_held_by(lane, flow->id) < lane_share(lane);
    struct db_connection *best = NULL;
    for (uint32_t i = 0; i < lane->max; i++) {
        struct db_connection *connection = &lane->connections[i];
        if (connection->state != CONNECTION_UP || connection->groups >= WRITE_GROUPS_MAX ||
            connection_is_doubtful(connection) ||
            (!may_spread && !is_held_by(connection, flow->id)))
            continue;
        if (best == NULL || is_better(connection, best))
            best = connection;
    }
    return best;
}

/* The maximum connections of a lane that one flow may hold: all but one while it is the only active
 * flow; else an equal share, with one share left for flows that arrive next. */
static uint32_t lane_share(const struct lane *lane)
{
    uint32_t usual = lane_usual(lane);
    uint32_t share = usual / (lane->flows + 1);
    if (role_is_lone(lane->db, lane->role) && usual > 0)
        share = usual - 1;
    return max_u32(share, 1);
}

/* Excludes connections that count in no share. Their holder waits for other work, possibly for
 * another connection, so they must not reduce its share. */
static uint32_t lane_usual(const struct lane *lane)
{
    uint32_t usual = lane->usual;
    for (uint32_t i = 0; i < lane->usual; i++)
        usual -= is_apart(&lane->connections[i]);
    return usual;
}

static bool is_apart(const struct db_connection *connection)
{
    return connection->is_taken && connection->holder == 0;
}

static uint32_t lane_held_by(const struct lane *lane, uint64_t flow_id)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < lane->max; i++)
        held += is_held_by(&lane->connections[i], flow_id);
    return held;
}

static bool is_held_by(const struct db_connection *connection, uint64_t flow_id)
{
    if (connection->is_taken)
        return connection->holder == flow_id;
    for (const struct db_group *group = connection->first_group; group != NULL; group = group->next)
        if (group->flow_id == flow_id)
            return true;
    return false;
}

/* Avoids a stalled connection if there is another, and a worn session, so that it becomes idle and
 * can be replaced; else the one with the least work. */
static bool is_better(const struct db_connection *a, const struct db_connection *b)
{
    bool is_stalled = connection_is_stalled(a);
    if (is_stalled != connection_is_stalled(b))
        return !is_stalled;
    if (a->is_retiring != b->is_retiring)
        return !a->is_retiring;
    return a->statements < b->statements;
}

struct db_connection *lane_pick_idle(struct lane *lane)
{
    for (uint32_t i = 0; i < lane->max; i++)
        if (is_idle(&lane->connections[i]))
            return &lane->connections[i];
    return NULL;
}

static bool is_idle(const struct db_connection *connection)
{
    return connection->state == CONNECTION_UP && !connection->is_taken &&
           connection->slots.count == 0;
}

/* One connection is reserved for flows that have just arrived, unless it is the only one. */
bool lane_has_room(const struct lane *lane, const struct flow_queue *queue)
{
    assert(queue->flow != NULL);
    uint32_t busy = 0;
    for (uint32_t i = 0; i < lane->max; i++)
        busy += !is_apart(&lane->connections[i]) &&
                (lane->connections[i].is_taken || lane->connections[i].slots.count > 0);
    uint32_t usual = lane_usual(lane);
    return (queue->is_new || busy + 1 < usual || usual == 1) &&
           lane_held_by(lane, queue->flow->id) < lane_share(lane);
}

/* Up to `connections`. One at a time: the next turn checks again. */
void lane_grow(struct lane *lane, uint32_t connections)
{
    assert(connections <= lane->max);
    struct db_connection *unused = NULL;
    for (uint32_t i = connections; i-- > 0;) {
        struct db_connection *connection = &lane->connections[i];
        if (connection->state == CONNECTION_CONNECTING || connection->state == CONNECTION_WAITING)
            return;
        if (connection->state == CONNECTION_UNUSED && !connection->is_taken)
            unused = connection;
    }
    if (unused != NULL)
        connection_open(unused);
}

/* Whether a connection is expected to be up soon. */
bool lane_expects(const struct lane *lane)
{
    for (uint32_t i = 0; i < lane->max; i++) {
        const struct db_connection *connection = &lane->connections[i];
        bool is_coming =
            connection->state == CONNECTION_CONNECTING || connection->state == CONNECTION_WAITING;
        if (is_coming && connection->attempts == 0)
            return true;
    }
    return false;
}
