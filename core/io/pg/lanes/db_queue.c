/*
 * Requests waiting for a lane: one queue for each flow, and a round-robin list of the flows with
 * requests. Deficit round robin over statements: a flow sends one request at its turn and is passed
 * over after a large batch until the others have sent about as many statements.
 */
#include "io/pg/db_internal.h"

#include <assert.h>

enum { CREDIT_A_TURN = 4 };

static void ring_add(struct lane *lane, struct flow_queue *queue);
static void ring_remove(struct lane *lane, struct flow_queue *queue);

/* A request of a transaction already owns its connection, so it does not wait for its turn. */
bool request_is_owned(const struct db_request *request)
{
    return request->kind == REQUEST_TX || request->kind == REQUEST_COPY ||
           request->kind == REQUEST_ROLLBACK;
}

void queue_put(struct db_request *request)
{
    struct lane *lane = request->lane;
    request->state = REQUEST_QUEUED;
    if (request_is_owned(request)) {
        list_append(&lane->owned, request);
        return;
    }
    struct flow_queue *queue = &request->flow->queues[lane->kind];
    if (queue->requests.first == NULL)
        ring_add(lane, queue);
    list_append(&queue->requests, request);
    lane->requests++;
    lane->statements += request->count;
}

void queue_put_first(struct db_request *request)
{
    struct lane *lane = request->lane;
    struct flow_queue *queue = &request->flow->queues[lane->kind];
    assert(!request_is_owned(request));
    request->state = REQUEST_QUEUED;
    if (queue->requests.first == NULL) {
        ring_add(lane, queue);
        lane->ring = queue;
    }
    list_prepend(&queue->requests, request);
    lane->requests++;
    lane->statements += request->count;
}

void queue_take(struct db_request *request)
{
    struct lane *lane = request->lane;
    assert(request->state == REQUEST_QUEUED);
    if (request_is_owned(request)) {
        list_remove(&lane->owned, request);
        return;
    }
    struct flow_queue *queue = &request->flow->queues[lane->kind];
    list_remove(&queue->requests, request);
    assert(lane->requests > 0 && lane->statements >= request->count);
    lane->requests--;
    lane->statements -= request->count;
    if (queue->requests.first == NULL)
        ring_remove(lane, queue);
}

/* Before the head, which is the end of the circular list. */
static void ring_add(struct lane *lane, struct flow_queue *queue)
{
    assert(queue->next == NULL && queue->previous == NULL);
    queue->credit = 0;
    queue->is_new = true;
    lane->flows++;
    if (lane->ring == NULL) {
        queue->next = queue->previous = queue;
        lane->ring = queue;
        return;
    }
    queue->next = lane->ring;
    queue->previous = lane->ring->previous;
    queue->previous->next = queue;
    queue->next->previous = queue;
}

static void ring_remove(struct lane *lane, struct flow_queue *queue)
{
    assert(lane->flows > 0);
    assert(queue->next != NULL && queue->previous != NULL);
    lane->flows--;
    if (lane->ring == queue)
        lane->ring = queue->next != queue ? queue->next : NULL;
    queue->next->previous = queue->previous;
    queue->previous->next = queue->next;
    queue->next = queue->previous = NULL;
}

struct flow_queue *queue_turn(struct lane *lane)
{
    assert(lane->ring != NULL);
    for (;;) {
        struct flow_queue *queue = lane->ring;
        if (queue->credit <= 0)
            queue->credit += CREDIT_A_TURN;
        if (queue->credit > 0 || lane->flows == 1)
            return queue;
        queue_pass(lane);
    }
}

void queue_pass(struct lane *lane)
{
    assert(lane->ring != NULL);
    lane->ring = lane->ring->next;
}

void queue_send(struct db_request *request, struct request_list *group)
{
    assert(request->state == REQUEST_QUEUED && !request_is_owned(request));
    struct lane *lane = request->lane;
    struct flow_queue *queue = &request->flow->queues[lane->kind];
    queue->credit -= (int32_t)request->count;
    queue->is_new = false;
    if (lane->ring == queue)
        queue_pass(lane);
    queue_take(request);
    list_append(group, request);
}
