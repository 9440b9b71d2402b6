/*
 * Arrays: how many elements one has, and one that grows.
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

/* What a full array of `capacity` elements grows to, where 0 is one without memory; so that adding
 * one by one costs a constant time each. Beyond 32 bits it aborts: what grows has a limit. */
uint32_t array_more(uint32_t capacity, uint32_t first);

/* Room for one more element behind `count`; a new place is not zeroed, no memory aborts. `list`,
 * `count` and `capacity` are the array's own fields. ARRAY_GROW's memory is free()d by whoever owns
 * the array, ARRAY_GROW_IN's lies in the arena: a shorter one stays there until the arena goes. */
#define ARRAY_GROW(list, count, capacity, first)                                                   \
    ((list) = array_grow((list), sizeof(*(list)), (count), &(capacity), (first)))
#define ARRAY_GROW_IN(arena, list, count, capacity, first)                                         \
    ((list) = array_grow_in((arena), (list), sizeof(*(list)), (count), &(capacity), (first)))

void *array_grow(void *list, size_t size, uint32_t count, uint32_t *capacity, uint32_t first);
void *array_grow_in(struct arena *arena, void *list, size_t size, uint32_t count,
                    uint32_t *capacity, uint32_t first);
