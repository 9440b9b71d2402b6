#include "io/fiber/fiber_queue.h"

#include "base/memory/list.h"

#include <assert.h>
#include <stddef.h>

static struct fiber_place **bucket_of(struct fiber_queue *queue, uint64_t owner);
static struct fiber_place *first_of(struct fiber_queue *queue, uint64_t owner);
static void append(struct fiber_queue *queue, struct fiber_place *place);
static void forget(struct fiber_queue *queue, const struct fiber_place *place);

void fiber_queue_push(struct fiber_queue *queue, struct fiber_place *place)
{
    place->chain = NULL;
    place->peers = NULL;
    place->last_peer = NULL;
    struct fiber_place *first = place->owner != 0 ? first_of(queue, place->owner) : NULL;
    if (first == NULL) {
        append(queue, place);
        return;
    }
    LIST_APPEND(first->peers, first->last_peer, place);
}

struct fiber_place *fiber_queue_pop(struct fiber_queue *queue)
{
    struct fiber_place *place = LIST_TAKE(queue->first, queue->last);
    if (place == NULL || place->owner == 0)
        return place;
    forget(queue, place);
    struct fiber_place *heir = LIST_TAKE(place->peers, place->last_peer);
    assert(heir == NULL || heir->owner == place->owner);
    if (heir != NULL) {
        heir->peers = place->peers;
        heir->last_peer = place->last_peer;
        append(queue, heir);
    }
    return place;
}

static struct fiber_place **bucket_of(struct fiber_queue *queue, uint64_t owner)
{
    assert(owner != 0);
    return &queue->buckets[owner % FIBER_QUEUE_BUCKETS];
}

static struct fiber_place *first_of(struct fiber_queue *queue, uint64_t owner)
{
    struct fiber_place *place = *bucket_of(queue, owner);
    while (place != NULL && place->owner != owner)
        place = place->chain;
    return place;
}

/* Appends to the round-robin list, as the first fiber of its owner. */
static void append(struct fiber_queue *queue, struct fiber_place *place)
{
    LIST_APPEND(queue->first, queue->last, place);
    if (place->owner == 0)
        return;
    struct fiber_place **bucket = bucket_of(queue, place->owner);
    place->chain = *bucket;
    *bucket = place;
}

static void forget(struct fiber_queue *queue, const struct fiber_place *place)
{
    struct fiber_place **link = bucket_of(queue, place->owner);
    while (*link != place) {
        assert(*link != NULL);
        link = &(*link)->chain;
    }
    *link = place->chain;
}
