/*
 * Arrays: the number of elements, and growing.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>

struct arena;

/* The number of elements, a constant. A pointer does not compile: its array type has no size. */
#define COUNT_OF(array)                                                                            \
    (sizeof(array) / sizeof((array)[0]) + 0 * sizeof(char[1 - 2 * ARRAY_IS_POINTER_(array)]))
#define ARRAY_IS_POINTER_(array)                                                                   \
    __builtin_types_compatible_p(__typeof__(array), __typeof__(&(array)[0]))

/* The new capacity of a full array of `capacity` elements (0: without memory), so that appending is
 * amortised constant time. Aborts beyond 32 bits: growth must be limited elsewhere. */
uint32_t array_more(uint32_t capacity, uint32_t first);

/* Makes room for one more element after `count`; the new element is not zeroed, out of memory
 * aborts. `list`, `count` and `capacity` are the array's own fields. The owner free()s the memory
 * of ARRAY_GROW; that of ARRAY_GROW_IN is in the arena, where outgrown arrays stay until the arena
 * is freed. */
#define ARRAY_GROW(list, count, capacity, first)                                                   \
    ((list) = array_grow((list), sizeof(*(list)), (count), &(capacity), (first)))
#define ARRAY_GROW_IN(arena, list, count, capacity, first)                                         \
    ((list) = array_grow_in((arena), (list), sizeof(*(list)), (count), &(capacity), (first)))

void *array_grow(void *list, size_t size, uint32_t count, uint32_t *capacity, uint32_t first);
void *array_grow_in(struct arena *arena, void *list, size_t size, uint32_t count,
                    uint32_t *capacity, uint32_t first);
