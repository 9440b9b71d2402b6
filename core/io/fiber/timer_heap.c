#include "io/fiber/timer_heap.h"

#include "base/memory/array.h"
#include "io/fiber/loop.h"

#include <assert.h>
#include <stdlib.h>

enum { SLOTS_FIRST = 64, TIMERS_MAX = 1 << 24 };

static void sift(struct timer_heap *heap, struct timer *timer, uint32_t hole);
static void heap_set(struct timer_heap *heap, uint32_t index, struct timer *timer);

void timer_heap_put(struct timer_heap *heap, struct timer *timer)
{
    uint32_t hole = timer->heap_index;
    if (hole == 0) {
        assert(heap->count < TIMERS_MAX);
        if (heap->count + 1 >= heap->capacity) /* slots[0] is unused */
            ARRAY_GROW(heap->slots, heap->capacity, heap->capacity, SLOTS_FIRST);
        hole = ++heap->count;
    }
    assert(hole <= heap->count);
    sift(heap, timer, hole);
}

void timer_heap_remove(struct timer_heap *heap, struct timer *timer)
{
    uint32_t hole = timer->heap_index;
    if (hole == 0)
        return;
    assert(hole <= heap->count && heap->slots[hole] == timer);
    timer->heap_index = 0;
    struct timer *last = heap->slots[heap->count--];
    if (last != timer)
        sift(heap, last, hole);
}

struct timer *timer_heap_first(const struct timer_heap *heap)
{
    return heap->count > 0 ? heap->slots[1] : NULL;
}

void timer_heap_finish(struct timer_heap *heap)
{
    assert(heap->count == 0);
    free(heap->slots);
    *heap = (struct timer_heap){0};
}

/* Places `timer` at the hole, moved up or down as the order requires. */
static void sift(struct timer_heap *heap, struct timer *timer, uint32_t hole)
{
    assert(hole > 0 && hole <= heap->count);
    while (hole > 1 && heap->slots[hole / 2]->at_us > timer->at_us) {
        heap_set(heap, hole, heap->slots[hole / 2]);
        hole /= 2;
    }
    for (uint32_t child = hole * 2; child <= heap->count; child = hole * 2) {
        if (child < heap->count && heap->slots[child + 1]->at_us < heap->slots[child]->at_us)
            child++;
        if (heap->slots[child]->at_us >= timer->at_us)
            break;
        heap_set(heap, hole, heap->slots[child]);
        hole = child;
    }
    heap_set(heap, hole, timer);
}

static void heap_set(struct timer_heap *heap, uint32_t index, struct timer *timer)
{
    assert(index > 0 && index <= heap->count);
    heap->slots[index] = timer;
    timer->heap_index = index;
}
