/*
 * Resubmits reads that wait in a pipeline behind a slow read or one that waits for a lock. The sync
 * group of the slow read is cancelled and its members are submitted again, each alone. The groups
 * behind it are resubmitted: sent messages cannot be recalled, so ghost requests take their places
 * in the pipeline and discard the answers. A read may therefore run twice, but only when another
 * connection can take it.
 */
#include "io/pg/db_internal.h"

#include <assert.h>
#include <string.h>

static bool has_better_place(const struct lane *lane);
static void put_ghost(struct db_connection *connection, struct db_group *group,
                      struct db_request *request);

void resubmit_behind(struct db_connection *connection)
{
    assert(connection->first_group != NULL && connection->lane->kind == LANE_READ);
    struct db_group *first = connection->first_group;
    if (!has_better_place(connection->lane))
        return;
    if (first->members.requests > 1) {
        cancel_head(connection);
        return;
    }
    struct request_list moved = {0};
    for (struct db_group *group = first->next; group != NULL; group = group->next) {
        struct db_request *next;
        for (struct db_request *request = group->members.first; request != NULL; request = next) {
            next = request->next;
            if (request->wait == NULL || (request->again & AGAIN_MOVED) != 0)
                continue;
            put_ghost(connection, group, request);
            list_append(&moved, request);
        }
    }
    while (moved.last != NULL) {
        struct db_request *request = moved.last;
        list_remove(&moved, request);
        request_submit_again(request, AGAIN_MOVED);
    }
}

static bool has_better_place(const struct lane *lane)
{
    for (uint32_t i = 0; i < lane->max; i++) {
        const struct db_connection *connection = &lane->connections[i];
        if (connection->state == CONNECTION_UNUSED ||
            (connection->state == CONNECTION_UP && !connection_is_stalled(connection)))
            return true;
    }
    return false;
}

static void put_ghost(struct db_connection *connection, struct db_group *group,
                      struct db_request *request)
{
    assert(request->received == 0 && request->kind == REQUEST_READ);
    struct db_request *ghost = request_new(connection->lane, REQUEST_READ);
    ghost->connection = connection;
    ghost->count = request->count;
    ghost->scope = request->scope;
    ghost->epoch = request->epoch;
    ghost->stamp = request->stamp;
    memcpy(ghost->sqlstate, request->sqlstate, sizeof(ghost->sqlstate));
    ghost->state = REQUEST_SENT;
    struct slot_ring *ring = &connection->slots;
    for (uint32_t i = 0; i < ring->count; i++) {
        struct slot *slot = &ring->slots[(ring->first + i) & (ring->capacity - 1)];
        if (slot->request == request)
            slot->request = ghost;
    }
    list_remove(&group->members, request);
    list_append(&group->members, ghost);
}
