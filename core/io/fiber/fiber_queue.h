/*
 * A queue of fibers that serves their owners in turn: who has many fibers in it waits for himself,
 * not the others for him. Fibers of one owner come out as they went in, and so do those without.
 *
 * The first fiber of each owner stands in the ring, the others wait behind it. Nothing is
 * allocated: a fiber carries its place, and is in one queue at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fiber_place {
    uint64_t owner;            /* 0: nobody else's */
    struct fiber_place *next;  /* in the ring, or behind another of its owner */
    struct fiber_place *chain; /* the next first one in its bucket */
    struct fiber_place *peers; /* those behind it */
    struct fiber_place *last_peer;
};

/* Chains stay short with as many owners as a loop has fibers at once. */
enum { FIBER_QUEUE_BUCKETS = 256 };

struct fiber_queue {
    struct fiber_place *first;
    struct fiber_place *last;
    struct fiber_place *buckets[FIBER_QUEUE_BUCKETS];
};

void fiber_queue_push(struct fiber_queue *queue, struct fiber_place *place);
/* NULL: it is empty. */
struct fiber_place *fiber_queue_pop(struct fiber_queue *queue);
