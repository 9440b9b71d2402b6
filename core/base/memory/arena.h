/*
 * An arena: memory that is freed together. One per request, one per job.
 *
 * Allocation never fails (out of memory aborts); loops release memory with mark and rewind.
 * External objects are registered with arena_defer and released, in reverse order, when the arena
 * is rewound past them or freed. Not thread-safe: an arena belongs to one fiber.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena;

typedef struct ArenaMark {
    void *chunk;
    size_t used;
    void *defers;
} ArenaMark;

struct arena *arena_create(void);
/* A second arena, freed when `owner` is rewound to before this call or freed: for memory that
 * outlives a mark in `owner`. */
struct arena *arena_create_within(struct arena *owner);
void arena_destroy(struct arena *arena); /* runs the defers; NULL is allowed */

/* Frees everything except the first chunk, so that pooled arenas are reused without malloc. */
void arena_reset(struct arena *arena);

/* Zeroed, aligned to 16 bytes. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_alloc_array(struct arena *arena, size_t count, size_t size); /* overflow aborts */
/* Not zeroed: for bytes that are overwritten immediately. */
void *arena_alloc_raw(struct arena *arena, size_t size);

#define arena_new(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))

ArenaMark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, ArenaMark mark);
/* Frees the memory that rewinding keeps for later allocations: when none will follow for a
 * while. */
void arena_trim(struct arena *arena);

/* release(object) runs when the arena is rewound to before this call, or freed. */
void arena_defer(struct arena *arena, void (*release)(void *), void *object);

size_t arena_used(const struct arena *arena); /* bytes allocated and not released */
