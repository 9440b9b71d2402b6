#include "io/db_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint32_t lane_size(const struct db *db, enum lane_kind kind);
static uint32_t lane_warm(enum db_role role, enum lane_kind kind, uint32_t max);
static bool travels_alone(const struct db_request *request);
static void flush_reads(struct lane *lane);
static void gather_reads(struct lane *lane, struct request_list *ret);
static void flush_writes(struct lane *lane);
static void gather_shared(struct lane *lane, struct request_list *ret);
static struct db_request *next_write(const struct lane *lane);
static void flush_slow(struct lane *lane);
static void flush_exclusive(struct lane *lane);
static bool send_exclusive(struct lane *lane, struct db_request *request);
static struct db_connection *pick_least(struct lane *lane, uint32_t groups_max,
                                        uint32_t statements_max);
static bool is_better(const struct db_connection *a, const struct db_connection *b);
static struct db_connection *pick_idle(struct lane *lane);
static void lane_grow(struct lane *lane, uint32_t connections);
static bool lane_expects(const struct lane *lane);
static void move(struct db_request *request, struct request_list *from, struct request_list *to);
static void insert_by_scope(struct request_list *list, struct db_request *request);
static int place_cmp(const struct db_request *a, const struct db_request *b);
static int scope_cmp(const Scope *a, const Scope *b);

void lane_init(struct lane *lane, struct db *db, enum db_role role, enum lane_kind kind)
{
    *lane = (struct lane){.db = db, .kind = kind, .role = role, .usual = lane_size(db, kind)};
    lane->max = lane->usual + (kind == LANE_READ ? READ_SPARES_MAX : 0);
    lane->warm = lane_warm(role, kind, lane->usual);
    lane->connections = calloc(lane->max, sizeof(*lane->connections));
    if (lane->connections == NULL)
        abort();
    for (uint32_t i = 0; i < lane->max; i++)
        connection_init(&lane->connections[i], lane);
    for (uint32_t i = 0; i < lane->warm; i++)
        connection_open(&lane->connections[i]);
}

/* The write and exclusive connections of a process are shared out to its threads. */
static uint32_t lane_size(const struct db *db, enum lane_kind kind)
{
    int64_t threads = db->settings->server_threads > 0 ? db->settings->server_threads : 1;
    int64_t size = 1;
    if (kind == LANE_READ)
        size = db->settings->database_read_lanes;
    else if (kind == LANE_WRITE)
        size = (db->settings->database_write_lanes + threads - 1) / threads;
    else if (kind == LANE_SLOW)
        size = SLOW_LANES;
    else if (kind == LANE_EXCLUSIVE)
        size = (db->settings->database_exclusive_lanes + threads - 1) / threads;
    return size > 0 ? (uint32_t)size : 1;
}

/* Who is known (tokens, sessions) is read as the platform, so one connection of each kind is
 * there from the start; the rest of the platform's come when they are needed. */
static uint32_t lane_warm(enum db_role role, enum lane_kind kind, uint32_t max)
{
    if (kind == LANE_READ)
        return role == ROLE_TENANT ? max : 1;
    if (kind == LANE_WRITE)
        return role == ROLE_TENANT && max > 1 ? 2 : 1;
    return 0;
}

void lane_finish(struct lane *lane)
{
    while (lane->queue.first != NULL) {
        struct db_request *request = lane->queue.first;
        /* Rollbacks that nobody waits for; a fiber must not outlive what it waits for. */
        assert(request->wait == NULL);
        list_remove(&lane->queue, request);
        request_free(request);
    }
    for (uint32_t i = 0; i < lane->max; i++)
        connection_finish(&lane->connections[i]);
    timer_stop(lane->db->loop, &lane->patience);
}

bool lane_is_up(const struct lane *lane)
{
    for (uint32_t i = 0; i < lane->max; i++)
        if (lane->connections[i].state == CONNECTION_UP)
            return true;
    return false;
}

bool lane_is_spare(const struct db_connection *connection)
{
    return connection - connection->lane->connections >= (ptrdiff_t)connection->lane->usual;
}

void lane_flush(struct lane *lane)
{
    switch (lane->kind) {
    case LANE_READ:
        flush_reads(lane);
        break;
    case LANE_WRITE:
        flush_writes(lane);
        break;
    case LANE_SLOW:
        flush_slow(lane);
        break;
    case LANE_EXCLUSIVE:
        flush_exclusive(lane);
        break;
    case LANE_KINDS:
        abort();
    }
}

static void flush_reads(struct lane *lane)
{
    while (lane->queue.first != NULL) {
        struct db_connection *connection = pick_least(lane, UINT32_MAX, READ_IN_FLIGHT_MAX);
        bool is_stalled = connection != NULL && connection_is_stalled(connection);
        if (is_stalled)
            lane_grow(lane, lane->max);
        else if (connection == NULL || connection->statements >= READ_IN_FLIGHT_MAX / 4)
            lane_grow(lane, lane->usual);
        /* Whoever stands behind a statement that does not end cannot be called back. */
        if (connection == NULL || (is_stalled && lane_expects(lane)))
            return;
        struct request_list group = {0};
        gather_reads(lane, &group);
        group_send(connection, &group);
    }
}

static bool travels_alone(const struct db_request *request)
{
    return request->again != 0 || request->is_alone;
}

/* The oldest requests that were compiled against the same epoch, sorted by scope, so that each
 * tenant is entered once. One that is submitted again travels alone. */
static void gather_reads(struct lane *lane, struct request_list *ret)
{
    struct db_request *first = lane->queue.first;
    move(first, &lane->queue, ret);
    if (travels_alone(first))
        return;
    struct db_request *next;
    for (struct db_request *request = lane->queue.first; request != NULL; request = next) {
        next = request->next;
        if (ret->statements + request->count > READ_GROUP_MAX)
            return;
        if (request->epoch != first->epoch || travels_alone(request))
            continue;
        list_remove(&lane->queue, request);
        insert_by_scope(ret, request);
    }
}

static void flush_writes(struct lane *lane)
{
    struct db_request *request;
    while ((request = next_write(lane)) != NULL) {
        struct db_connection *connection = pick_least(lane, WRITE_GROUPS_MAX, UINT32_MAX);
        if (connection == NULL || connection->groups > 0)
            lane_grow(lane, lane->usual);
        if (connection == NULL)
            return;
        struct request_list group = {0};
        move(request, &lane->queue, &group);
        if (request->kind == REQUEST_SHARED && !travels_alone(request))
            gather_shared(lane, &group);
        group_send(connection, &group);
    }
}

/* First come, first served; but while enough shared groups commit, the next one fills up. */
static struct db_request *next_write(const struct lane *lane)
{
    struct db_request *request = lane->queue.first;
    while (request != NULL && request->kind == REQUEST_SHARED && request->again == 0 &&
           lane->shared_groups >= SHARED_GROUPS_MAX)
        request = request->next;
    return request;
}

static void gather_shared(struct lane *lane, struct request_list *ret)
{
    struct db_request *first = ret->first;
    struct db_request *next;
    for (struct db_request *request = lane->queue.first; request != NULL; request = next) {
        next = request->next;
        if (ret->requests >= SHARED_MEMBERS_MAX)
            return;
        if (request->kind != REQUEST_SHARED || travels_alone(request) ||
            request->epoch != first->epoch)
            continue;
        list_remove(&lane->queue, request);
        insert_by_scope(ret, request);
    }
}

static void flush_slow(struct lane *lane)
{
    while (lane->queue.first != NULL) {
        struct db_connection *connection = pick_idle(lane);
        if (connection == NULL) {
            lane_grow(lane, lane->usual);
            return;
        }
        struct request_list group = {0};
        move(lane->queue.first, &lane->queue, &group);
        group_send(connection, &group);
    }
}

static void flush_exclusive(struct lane *lane)
{
    struct db_request *next;
    bool has_room = true;
    for (struct db_request *request = lane->queue.first; request != NULL; request = next) {
        next = request->next;
        if (request->kind == REQUEST_BEGIN && !has_room)
            continue;
        bool is_begin = request->kind == REQUEST_BEGIN;
        if (!send_exclusive(lane, request) && is_begin)
            has_room = false;
    }
    if (!has_room)
        lane_grow(lane, lane->usual);
}

static bool send_exclusive(struct lane *lane, struct db_request *request)
{
    if (request->kind == REQUEST_BEGIN) {
        request->connection = pick_idle(lane);
        if (request->connection == NULL)
            return false;
        request->connection->is_taken = true;
    }
    struct db_connection *connection = request->connection;
    struct request_list group = {0};
    move(request, &lane->queue, &group);
    if (connection->is_broken) {
        if (request->kind == REQUEST_ROLLBACK)
            connection_release(connection);
        list_remove(&group, request);
        request_finish(request, OUTCOME_LOST);
    } else if (request->kind == REQUEST_COPY) {
        list_remove(&group, request);
        copy_start(connection, request);
    } else {
        group_send(connection, &group);
    }
    return true;
}

/* The best of those that may take more. */
static struct db_connection *pick_least(struct lane *lane, uint32_t groups_max,
                                        uint32_t statements_max)
{
    struct db_connection *best = NULL;
    for (uint32_t i = 0; i < lane->max; i++) {
        struct db_connection *connection = &lane->connections[i];
        if (connection->state != CONNECTION_UP || connection->groups >= groups_max ||
            connection->statements >= statements_max)
            continue;
        if (best == NULL || is_better(connection, best))
            best = connection;
    }
    return best;
}

/* One that stands still is passed over while there is another, and so is a worn session, so that
 * it becomes idle and can be replaced; else the one with the least to do. */
static bool is_better(const struct db_connection *a, const struct db_connection *b)
{
    bool is_stalled = connection_is_stalled(a);
    if (is_stalled != connection_is_stalled(b))
        return !is_stalled;
    if (a->is_retiring != b->is_retiring)
        return !a->is_retiring;
    return a->statements < b->statements;
}

static struct db_connection *pick_idle(struct lane *lane)
{
    for (uint32_t i = 0; i < lane->max; i++) {
        struct db_connection *connection = &lane->connections[i];
        if (connection->state == CONNECTION_UP && !connection->is_taken &&
            connection->slots.count == 0)
            return connection;
    }
    return NULL;
}

/* Up to so many connections. One at a time: the next turn asks again. */
static void lane_grow(struct lane *lane, uint32_t connections)
{
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

/* A connection that is sure to come soon, as far as one can know. */
static bool lane_expects(const struct lane *lane)
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

static void move(struct db_request *request, struct request_list *from, struct request_list *to)
{
    list_remove(from, request);
    list_append(to, request);
}

/* Behind its equals: what came first is sent first. */
static void insert_by_scope(struct request_list *list, struct db_request *request)
{
    struct db_request *before = list->last;
    while (before != NULL && place_cmp(before, request) > 0)
        before = before->previous;
    if (before == NULL) {
        list_prepend(list, request);
        return;
    }
    if (before == list->last) {
        list_append(list, request);
        return;
    }
    request->previous = before;
    request->next = before->next;
    before->next->previous = request;
    before->next = request;
    list->requests++;
    list->statements += request->count;
}

/* Those that request_is_like stand together. */
static int place_cmp(const struct db_request *a, const struct db_request *b)
{
    int order = scope_cmp(&a->scope, &b->scope);
    if (order == 0)
        order = memcmp(a->stamp.site.bytes, b->stamp.site.bytes, sizeof(a->stamp.site.bytes));
    if (order == 0 && a->stamp.epoch != b->stamp.epoch)
        order = a->stamp.epoch < b->stamp.epoch ? -1 : 1;
    return order;
}

static int scope_cmp(const Scope *a, const Scope *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->kind == SCOPE_SITE ? memcmp(a->site.bytes, b->site.bytes, sizeof(a->site.bytes)) : 0;
}
