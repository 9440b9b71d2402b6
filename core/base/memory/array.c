#include "base/memory/array.h"

#include "base/memory/arena.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

uint32_t array_more(uint32_t capacity, uint32_t first)
{
    assert(first > 0);
    uint32_t more = first;
    if (capacity > 0 && __builtin_mul_overflow(capacity, 2, &more)) {
        (void)fprintf(stderr, "an array of %u elements cannot grow\n", capacity);
        abort();
    }
    return more;
}

void *array_grow(void *list, size_t size, uint32_t count, uint32_t *capacity, uint32_t first)
{
    assert(count <= *capacity);
    if (count < *capacity)
        return list;
    *capacity = array_more(*capacity, first);
    void *grown = reallocarray(list, *capacity, size);
    if (grown == NULL) {
        (void)fprintf(stderr, "out of memory: an array of %u elements\n", *capacity);
        abort();
    }
    return grown;
}

void *array_grow_in(struct arena *arena, void *list, size_t size, uint32_t count,
                    uint32_t *capacity, uint32_t first)
{
    assert(count <= *capacity);
    if (count < *capacity)
        return list;
    *capacity = array_more(*capacity, first);
    void *grown = arena_alloc_array(arena, *capacity, size);
    if (count > 0)
        memcpy(grown, list, count * size);
    return grown;
}
