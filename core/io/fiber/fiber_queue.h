/*
 * A queue of fibers, fair between owners: it serves them round-robin, so that an owner with many
 * fibers delays only itself. Fibers of one owner are served in FIFO order, and so are those without
 * an owner.
 *
 * The first fiber of each owner is in the round-robin list, the others are linked behind it.
 * Nothing is allocated: a fiber embeds its place, and is in one queue at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fiber_place {
    uint64_t owner;            /* 0: no owner */
    struct fiber_place *next;  /* in the round-robin list, or behind another of its owner */
    struct fiber_place *chain; /* next head in its bucket */
    struct fiber_place *peers; /* other fibers of this owner */
    struct fiber_place *last_peer;
};

/* Enough for the number of owners that a loop has fibers of at one time. */
enum { FIBER_QUEUE_BUCKETS = 256 };

struct fiber_queue {
    struct fiber_place *first;
    struct fiber_place *last;
    struct fiber_place *buckets[FIBER_QUEUE_BUCKETS];
};

void fiber_queue_push(struct fiber_queue *queue, struct fiber_place *place);
/* NULL: empty. */
struct fiber_place *fiber_queue_pop(struct fiber_queue *queue);
