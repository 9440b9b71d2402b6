/*
 * Hash map from Str to pointer: open addressing, seeded hash, at most 2^24 entries. Keys are not
 * copied: they must live as long as their entry. map_init/map_finish (heap) or map_in_arena.
 */
#pragma once

#include "base/text/str.h"

struct map_slot {
    Str key;
    uint64_t hash;
    void *value; /* NULL: free */
};

struct map {
    struct map_slot *slots;
    uint32_t count;
    uint32_t capacity; /* a power of two, or 0 */
    struct arena *arena;
};

void map_init(struct map *map);
void map_finish(struct map *map);
struct map *map_in_arena(struct arena *arena);

void *map_get(const struct map *map, Str key); /* NULL if absent */
/* Returns the previous value, or NULL. `value` must not be NULL. */
void *map_put(struct map *map, Str key, void *value);
void *map_remove(struct map *map, Str key); /* the removed value, or NULL */
void map_clear(struct map *map);

/* for (uint32_t i = 0; (slot = map_next(map, &i)) != NULL;) in no particular order */
const struct map_slot *map_next(const struct map *map, uint32_t *cursor);
