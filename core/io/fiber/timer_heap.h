/*
 * Timers in a binary heap, soonest first. Only loop.c uses this; the owners allocate the timers.
 */
#pragma once

#include <stdint.h>

struct timer;

struct timer_heap {
    struct timer **slots; /* [1 … count] */
    uint32_t count;
    uint32_t capacity;
};

void timer_heap_put(struct timer_heap *heap, struct timer *timer);    /* adds or moves */
void timer_heap_remove(struct timer_heap *heap, struct timer *timer); /* idempotent */
struct timer *timer_heap_first(const struct timer_heap *heap);        /* NULL: none */
void timer_heap_finish(struct timer_heap *heap);
