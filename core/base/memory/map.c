/*
 * Linear probing, at most three quarters full. Removing shifts the following entries back, so that
 * there are no tombstones and unsuccessful lookups stay short.
 */
#include "base/memory/map.h"

#include "base/memory/arena.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAPACITY_FIRST = 8, COUNT_MAX = 1 << 24 };

void map_init(struct map *map)
{
    *map = (struct map){0};
}

void map_finish(struct map *map)
{
    if (map == NULL)
        return;
    if (map->arena == NULL)
        free(map->slots);
    *map = (struct map){0};
}

struct map *map_in_arena(struct arena *arena)
{
    struct map *map = arena_new(arena, struct map);
    map->arena = arena;
    return map;
}

/* The slot of the key, or the free slot to insert it at. */
static uint32_t find_slot(const struct map *map, Str key, uint64_t hash)
{
    uint32_t mask = map->capacity - 1;
    uint32_t at = (uint32_t)hash & mask;
    while (map->slots[at].value != NULL) {
        if (map->slots[at].hash == hash && str_eq(map->slots[at].key, key))
            return at;
        at = (at + 1) & mask;
    }
    return at;
}

void *map_get(const struct map *map, Str key)
{
    if (map->count == 0)
        return NULL;
    return map->slots[find_slot(map, key, str_hash(key))].value;
}

static struct map_slot *new_slots(const struct map *map, uint32_t capacity)
{
    if (map->arena != NULL)
        return arena_array(map->arena, struct map_slot, capacity);
    struct map_slot *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL) {
        (void)fprintf(stderr, "out of memory: %u slots\n", capacity);
        abort();
    }
    return slots;
}

static void grow(struct map *map)
{
    struct map old = *map;
    map->capacity = old.capacity == 0 ? CAPACITY_FIRST : old.capacity * 2;
    map->slots = new_slots(map, map->capacity);
    uint32_t mask = map->capacity - 1;
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].value == NULL)
            continue;
        uint32_t at = (uint32_t)old.slots[i].hash & mask;
        while (map->slots[at].value != NULL)
            at = (at + 1) & mask;
        map->slots[at] = old.slots[i];
    }
    if (map->arena == NULL)
        free(old.slots);
}

void *map_put(struct map *map, Str key, void *value)
{
    assert(value != NULL);
    if (map->count + 1 > map->capacity / 4 * 3)
        grow(map);
    uint64_t hash = str_hash(key);
    struct map_slot *slot = &map->slots[find_slot(map, key, hash)];
    void *before = slot->value;
    if (before == NULL) {
        assert(map->count < COUNT_MAX);
        map->count++;
        *slot = (struct map_slot){key, hash, value};
    } else {
        slot->value = value;
    }
    return before;
}

/* An entry may move into the hole unless its home lies between the hole and itself. */
static void close_hole(struct map *map, uint32_t hole)
{
    uint32_t mask = map->capacity - 1;
    uint32_t at = hole;
    for (;;) {
        at = (at + 1) & mask;
        const struct map_slot *slot = &map->slots[at];
        if (slot->value == NULL)
            break;
        uint32_t home = (uint32_t)slot->hash & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        map->slots[hole] = *slot;
        hole = at;
    }
    map->slots[hole] = (struct map_slot){0};
}

void *map_remove(struct map *map, Str key)
{
    if (map->count == 0)
        return NULL;
    uint32_t at = find_slot(map, key, str_hash(key));
    void *value = map->slots[at].value;
    if (value == NULL)
        return NULL;
    close_hole(map, at);
    map->count--;
    return value;
}

void map_clear(struct map *map)
{
    if (map->capacity > 0)
        memset(map->slots, 0, map->capacity * sizeof *map->slots);
    map->count = 0;
}

const struct map_slot *map_next(const struct map *map, uint32_t *cursor)
{
    while (*cursor < map->capacity) {
        const struct map_slot *slot = &map->slots[(*cursor)++];
        if (slot->value != NULL)
            return slot;
    }
    return NULL;
}
