/* The end of a turn: which requests share a sync group, and on which connection they are sent. */
#include "io/pg/db_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void flush_reads(struct lane *lane);
static void gather_reads(struct lane *lane, uint32_t statements_max, struct request_list *ret);
static struct db_request *next_read(struct lane *lane);
static bool may_join(const struct db_request *request, const struct db_request *first);
static bool runs_alone(const struct db_request *request);
static void flush_writes(struct lane *lane);
static struct db_request *next_write(struct lane *lane, const struct flow_queue *queue);
static void gather_shared(struct lane *lane, struct request_list *ret);
static void flush_slow(struct lane *lane);
static struct db_request *next_slow(struct lane *lane);
static void flush_exclusive(struct lane *lane);
static void send_owned(struct db_request *request);
static void insert_by_scope(struct request_list *list, struct db_request *request);
static int place_cmp(const struct db_request *a, const struct db_request *b);
static int scope_cmp(const Scope *a, const Scope *b);

void lane_flush(struct lane *lane)
{
    switch (lane->kind) {
    case LANE_READ:
    case LANE_PROBATION:
        flush_reads(lane);
        break;
    case LANE_WRITE:
        flush_writes(lane);
        break;
    case LANE_SLOW:
    case LANE_LONG:
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
    while (next_read(lane) != NULL) {
        struct db_connection *connection = lane_pick_read(lane);
        bool is_stalled =
            connection != NULL ? connection_is_stalled(connection) : lane_is_stalled(lane);
        if (is_stalled)
            lane_grow(lane, lane->max);
        else if (connection == NULL || connection->statements >= READ_IN_FLIGHT_MAX / 2)
            lane_grow(lane, lane->usual);
        /* Reads queued in a pipeline behind a statement that does not end cannot be withdrawn. */
        if (connection == NULL || (is_stalled && lane_expects(lane)))
            return;
        struct request_list group = {0};
        gather_reads(lane, connection_room(connection), &group);
        group_send(connection, &group);
    }
}

/* Takes one request per flow, round-robin, of those compiled against the same epoch; sorted by
 * scope, so that each tenant's scope is entered once. */
static void gather_reads(struct lane *lane, uint32_t statements_max, struct request_list *ret)
{
    struct db_request *first = next_read(lane);
    assert(first != NULL && ret->first == NULL);
    struct db_request *request;
    queue_send(first, ret);
    if (runs_alone(first))
        return;
    uint32_t passed = 0;
    while ((request = next_read(lane)) != NULL && passed < lane->flows) {
        if (ret->statements + request->count > statements_max)
            return;
        if (!may_join(request, first)) {
            queue_pass(lane);
            passed++;
            continue;
        }
        struct request_list one = {0};
        queue_send(request, &one);
        insert_by_scope(ret, request);
        passed = 0;
    }
}

/* The next read. A read that is now known to be too long for this lane is moved instead. */
static struct db_request *next_read(struct lane *lane)
{
    while (lane->ring != NULL) {
        struct db_request *request = queue_turn(lane)->requests.first;
        if (!read_moves(request))
            return request;
    }
    return NULL;
}

static bool may_join(const struct db_request *request, const struct db_request *first)
{
    return request->epoch == first->epoch && !runs_alone(request);
}

/* A resubmitted request, and one that is to be measured. */
static bool runs_alone(const struct db_request *request)
{
    return request->again != 0 || request->is_alone || flow_is_suspect(request);
}

static void flush_writes(struct lane *lane)
{
    uint32_t passed = 0;
    while (passed < lane->flows) {
        struct flow_queue *queue = queue_turn(lane);
        struct db_request *request = next_write(lane, queue);
        struct db_connection *connection =
            request != NULL ? lane_pick_write(lane, request->flow) : NULL;
        if (request != NULL && (connection == NULL || connection->groups > 0))
            lane_grow(lane, lane->usual);
        if (connection == NULL) {
            queue_pass(lane);
            passed++;
            continue;
        }
        struct request_list group = {0};
        queue_send(request, &group);
        if (request->kind == REQUEST_SHARED && request->again == 0 && !request->is_alone)
            gather_shared(lane, &group);
        group_send(connection, &group);
        passed = 0;
    }
}

/* FIFO; but while enough shared groups are committing, further ones wait to fill the next group. */
static struct db_request *next_write(struct lane *lane, const struct flow_queue *queue)
{
    assert(queue->requests.first != NULL);
    struct db_request *request = queue->requests.first;
    while (request != NULL && request->kind == REQUEST_SHARED && request->again == 0 &&
           lane->shared_groups >= SHARED_GROUPS_MAX)
        request = request->next;
    return request;
}

static void gather_shared(struct lane *lane, struct request_list *ret)
{
    assert(ret->requests == 1);
    const struct db_request *first = ret->first;
    for (uint32_t flows = lane->flows; flows > 0; flows--) {
        struct flow_queue *queue = lane->ring;
        queue_pass(lane);
        struct db_request *next;
        for (struct db_request *request = queue->requests.first; request != NULL; request = next) {
            next = request->next;
            if (ret->requests >= SHARED_MEMBERS_MAX)
                return;
            if (request->kind != REQUEST_SHARED || request->again != 0 || request->is_alone ||
                request->epoch != first->epoch)
                continue;
            queue_take(request);
            insert_by_scope(ret, request);
        }
    }
}

static void flush_slow(struct lane *lane)
{
    while (lane->ring != NULL) {
        struct db_connection *connection = lane_pick_idle(lane);
        if (connection == NULL) {
            lane_grow(lane, lane->usual);
            return;
        }
        struct db_request *request = next_slow(lane);
        if (request == NULL)
            return;
        struct request_list group = {0};
        queue_send(request, &group);
        group_send(connection, &group);
    }
}

/* Round-robin; but flows that ask occasionally go before flows with a permanent backlog. */
static struct db_request *next_slow(struct lane *lane)
{
    struct db_request *next = NULL;
    for (uint32_t flows = lane->flows; flows > 0 && lane->ring != NULL; flows--) {
        struct flow_queue *queue = lane->ring;
        queue_pass(lane);
        while (queue->requests.first != NULL && read_moves(queue->requests.first))
            continue;
        if (queue->requests.first == NULL || !lane_has_room(lane, queue))
            continue;
        if (queue->is_new)
            return queue->requests.first;
        if (next == NULL)
            next = queue->requests.first;
    }
    return next;
}

static void flush_exclusive(struct lane *lane)
{
    while (lane->owned.first != NULL)
        send_owned(lane->owned.first);
    uint32_t passed = 0;
    while (passed < lane->flows) {
        struct flow_queue *queue = queue_turn(lane);
        struct db_request *request = queue->requests.first;
        assert(request != NULL);
        if (!lane_has_room(lane, queue)) {
            queue_pass(lane);
            passed++;
            continue;
        }
        struct db_connection *connection = lane_pick_idle(lane);
        if (connection == NULL) {
            lane_grow(lane, lane->usual);
            return;
        }
        connection->is_taken = true;
        connection->holder = request->is_apart ? 0 : request->flow->id;
        request->connection = connection;
        struct request_list group = {0};
        queue_send(request, &group);
        group_send(connection, &group);
        passed = 0;
    }
}

static void send_owned(struct db_request *request)
{
    struct db_connection *connection = request->connection;
    assert(connection != NULL);
    queue_take(request);
    if (connection->is_broken) {
        if (request->kind == REQUEST_ROLLBACK)
            connection_release(connection);
        request_finish(request, OUTCOME_LOST);
    } else if (request->kind == REQUEST_COPY) {
        copy_start(connection, request);
    } else {
        struct request_list group = {0};
        list_append(&group, request);
        group_send(connection, &group);
    }
}

/* Stable: requests with equal scope stay in order. */
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

/* Requests that are equal under request_is_like become adjacent. */
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
