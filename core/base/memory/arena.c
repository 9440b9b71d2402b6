/*
 * A list of chunks, newest first; allocation bumps a pointer in the newest. The arena struct is
 * stored in the first chunk. Allocations that would waste a chunk use malloc and are freed by a
 * defer, so that rewinding needs only one order.
 */
#include "base/memory/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(HAS_ASAN)
#include <sanitizer/asan_interface.h>
enum { RED_ZONE = 16 }; /* poisoned gap between two allocations */
#else
#define ASAN_POISON_MEMORY_REGION(data, size) ((void)(data), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(data, size) ((void)(data), (void)(size))
enum { RED_ZONE = 0 };
#endif

enum {
    ALIGNMENT = 16,
    CHUNK_FIRST = 8 * 1024,
    CHUNK_MAX = 1024 * 1024,
};

struct chunk {
    struct chunk *older;
    size_t size;   /* of data */
    size_t before; /* bytes used in all older chunks */
    size_t used;   /* of data; kept while this chunk is not the newest */
    alignas(ALIGNMENT) char data[];
};

struct defer {
    struct defer *older;
    void (*release)(void *);
    void *object;
    size_t size; /* of a large allocation; 0 for external objects */
};

struct arena {
    char *next; /* first free byte of the newest chunk */
    char *end;
    struct chunk *newest;
    struct chunk *spare; /* one chunk kept after a rewind, so that loops do not call malloc */
    struct defer *defers;
    size_t large; /* bytes in large allocations */
};

static_assert(sizeof(struct chunk) % ALIGNMENT == 0);

static void abort_out_of_memory(size_t size)
{
    (void)fprintf(stderr, "out of memory: %zu bytes\n", size);
    abort();
}

static void *must_malloc(size_t size)
{
    void *data = malloc(size);
    if (data == NULL)
        abort_out_of_memory(size);
    return data;
}

static size_t round_up(size_t size)
{
    if (size > SIZE_MAX / 2)
        abort_out_of_memory(size);
    return (size + RED_ZONE + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static struct chunk *chunk_new(size_t total)
{
    struct chunk *chunk = must_malloc(total);
    *chunk = (struct chunk){.size = total - sizeof(struct chunk)};
    ASAN_POISON_MEMORY_REGION(chunk->data, chunk->size);
    return chunk;
}

static void chunk_free(struct chunk *chunk)
{
    if (chunk == NULL)
        return;
    ASAN_UNPOISON_MEMORY_REGION(chunk->data, chunk->size);
    free(chunk);
}

struct arena *arena_create(void)
{
    struct chunk *chunk = chunk_new(CHUNK_FIRST);
    struct arena *arena = (struct arena *)chunk->data;
    ASAN_UNPOISON_MEMORY_REGION(arena, sizeof *arena);
    *arena = (struct arena){
        .next = chunk->data + round_up(sizeof(struct arena)),
        .end = chunk->data + chunk->size,
        .newest = chunk,
    };
    return arena;
}

static void destroy(void *arena)
{
    arena_destroy(arena);
}

struct arena *arena_create_within(struct arena *owner)
{
    struct arena *arena = arena_create();
    arena_defer(owner, destroy, arena);
    return arena;
}

/* The mark of an arena without allocations. */
static ArenaMark initial_mark(struct chunk *first)
{
    return (ArenaMark){.chunk = first, .used = round_up(sizeof(struct arena)), .defers = NULL};
}

static struct chunk *oldest_chunk(const struct arena *arena)
{
    struct chunk *chunk = arena->newest;
    while (chunk->older != NULL)
        chunk = chunk->older;
    return chunk;
}

void arena_trim(struct arena *arena)
{
    chunk_free(arena->spare);
    arena->spare = NULL;
}

void arena_reset(struct arena *arena)
{
    arena_rewind(arena, initial_mark(oldest_chunk(arena)));
    arena_trim(arena);
}

void arena_destroy(struct arena *arena)
{
    if (arena == NULL)
        return;
    arena_reset(arena);
    chunk_free(arena->newest);
}

static void add_defer(struct arena *arena, void (*release)(void *), void *object, size_t size)
{
    struct defer *defer = arena_alloc_raw(arena, sizeof *defer);
    *defer = (struct defer){arena->defers, release, object, size};
    arena->defers = defer;
}

static void *alloc_large(struct arena *arena, size_t size)
{
    void *data = must_malloc(size);
    add_defer(arena, free, data, size);
    arena->large += size;
    return data;
}

static struct chunk *take_chunk(struct arena *arena, size_t total)
{
    struct chunk *spare = arena->spare;
    if (spare == NULL || spare->size + sizeof(struct chunk) < total)
        return chunk_new(total);
    arena->spare = NULL;
    return spare;
}

static void *alloc_slow(struct arena *arena, size_t size, size_t rounded)
{
    struct chunk *full = arena->newest;
    size_t total = 2 * (full->size + sizeof(struct chunk));
    if (total > CHUNK_MAX)
        total = CHUNK_MAX;
    if (rounded > total / 4)
        return alloc_large(arena, size);
    full->used = (size_t)(arena->next - full->data);
    struct chunk *chunk = take_chunk(arena, total);
    chunk->older = full;
    chunk->before = full->before + full->used;
    arena->newest = chunk;
    arena->next = chunk->data + rounded;
    arena->end = chunk->data + chunk->size;
    ASAN_UNPOISON_MEMORY_REGION(chunk->data, size);
    return chunk->data;
}

void *arena_alloc_raw(struct arena *arena, size_t size)
{
    size_t rounded = round_up(size + (size == 0));
    if (rounded > (size_t)(arena->end - arena->next))
        return alloc_slow(arena, size + (size == 0), rounded);
    void *data = arena->next;
    arena->next += rounded;
    ASAN_UNPOISON_MEMORY_REGION(data, size);
    return data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *data = arena_alloc_raw(arena, size);
    memset(data, 0, size);
    return data;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        abort_out_of_memory(SIZE_MAX);
    return arena_alloc(arena, total);
}

ArenaMark arena_mark(const struct arena *arena)
{
    return (ArenaMark){
        .chunk = arena->newest,
        .used = (size_t)(arena->next - arena->newest->data),
        .defers = arena->defers,
    };
}

/* A release may read older memory of this arena, so all of them run before any memory is freed. */
static void run_defers(struct arena *arena, const struct defer *until)
{
    while (arena->defers != until) {
        struct defer *defer = arena->defers;
        assert(defer != NULL); /* else the mark is newer than the arena's state */
        arena->defers = defer->older;
        arena->large -= defer->size;
        defer->release(defer->object);
    }
}

static void drop_newest(struct arena *arena)
{
    struct chunk *chunk = arena->newest;
    arena->newest = chunk->older;
    ASAN_POISON_MEMORY_REGION(chunk->data, chunk->size);
    if (arena->spare == NULL || arena->spare->size < chunk->size) {
        chunk_free(arena->spare);
        arena->spare = chunk;
    } else {
        chunk_free(chunk);
    }
}

void arena_rewind(struct arena *arena, ArenaMark mark)
{
    run_defers(arena, mark.defers);
    while (arena->newest != mark.chunk) {
        assert(arena->newest->older != NULL); /* else the mark belongs to another arena */
        drop_newest(arena);
        arena->next = arena->newest->data + arena->newest->used;
    }
    struct chunk *chunk = arena->newest;
    char *next = chunk->data + mark.used;
    assert(next <= arena->next);
    ASAN_POISON_MEMORY_REGION(next, (size_t)(arena->next - next));
    arena->next = next;
    arena->end = chunk->data + chunk->size;
}

void arena_defer(struct arena *arena, void (*release)(void *), void *object)
{
    assert(release != NULL);
    add_defer(arena, release, object, 0);
}

size_t arena_used(const struct arena *arena)
{
    size_t in_newest = (size_t)(arena->next - arena->newest->data);
    return arena->newest->before + in_newest + arena->large - round_up(sizeof(struct arena));
}
