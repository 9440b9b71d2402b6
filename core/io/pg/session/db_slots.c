#include "base/memory/array.h"
#include "io/pg/session/db_connection.h"

#include <assert.h>
#include <stdlib.h>

enum { SLOTS_MIN = 64 };

void slot_push(struct db_connection *connection, struct slot slot)
{
    struct slot_ring *ring = &connection->slots;
    if (ring->count == ring->capacity) {
        uint32_t capacity = array_more(ring->capacity, SLOTS_MIN);
        struct slot *slots = malloc(capacity * sizeof(*slots));
        if (slots == NULL)
            abort();
        for (uint32_t i = 0; i < ring->count; i++)
            slots[i] = ring->slots[(ring->first + i) & (ring->capacity - 1)];
        free(ring->slots);
        *ring = (struct slot_ring){slots, 0, ring->count, capacity};
    }
    ring->slots[(ring->first + ring->count) & (ring->capacity - 1)] = slot;
    ring->count++;
    if (slot.kind == SLOT_COMMAND)
        connection->statements++;
}

struct slot slot_pop(struct db_connection *connection)
{
    struct slot_ring *ring = &connection->slots;
    assert(ring->count > 0);
    struct slot slot = ring->slots[ring->first];
    ring->first = (ring->first + 1) & (ring->capacity - 1);
    ring->count--;
    if (slot.kind == SLOT_COMMAND)
        connection->statements--;
    return slot;
}

const struct slot *slot_front(const struct db_connection *connection)
{
    assert(connection->slots.count > 0);
    return &connection->slots.slots[connection->slots.first];
}
