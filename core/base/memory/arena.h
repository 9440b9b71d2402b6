/*
 * An arena: memory that dies together. One per request, one per job.
 *
 * Allocation never fails (out of memory aborts); loops give memory back with mark and rewind.
 * Foreign objects enter by arena_defer and are released, last first, when the arena is rewound
 * past them or freed. Not thread-safe: an arena belongs to one fiber.
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
/* Another, which goes when `owner` lets go of this moment: for what outlives a mark in `owner`. */
struct arena *arena_create_within(struct arena *owner);
void arena_destroy(struct arena *arena); /* runs the defers; NULL is fine */

/* Forgets everything but keeps the first chunk, so that pooled arenas stay warm. */
void arena_reset(struct arena *arena);

/* Zeroed, aligned to 16 bytes. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_alloc_array(struct arena *arena, size_t count, size_t size); /* overflow aborts */
/* Not zeroed: for bytes that are written at once. */
void *arena_alloc_raw(struct arena *arena, size_t size);

#define arena_new(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))

ArenaMark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, ArenaMark mark);
/* Gives back what rewinding keeps for the allocations to come: there will be none for a while. */
void arena_trim(struct arena *arena);

/* release(object) runs when the arena lets go of this moment. */
void arena_defer(struct arena *arena, void (*release)(void *), void *object);

size_t arena_used(const struct arena *arena); /* bytes handed out and still held */
