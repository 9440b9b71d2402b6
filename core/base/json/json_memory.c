#include "base/json/json_memory.h"

#include "base/system/counters.h"
#include "base/system/range.h"

#include <assert.h>
#include <jansson.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT = 8,
    BLOCK_FIRST_MIN = 1024,
    BLOCK_MIN = 64 * 1024,
    BLOCK_MAX = 4 * 1024 * 1024, /* malloc maps it separately, so freeing returns the memory */
    PIECE_FROM = 16 * 1024,      /* long strings and arrays, which jansson copies as they grow */
    OWNERS_MAX = 256, /* concurrent owners of large trees; further ones share the last entry */
};

/* An owner of large trees. */
struct owner {
    Uuid id;
    uint64_t bytes; /* 0: the entry is free */
};

struct block {
    struct block *next;
    struct block *previous; /* in the list of pieces */
    size_t size;
    alignas(ALIGNMENT) char data[];
};

/* Stored in its own first block. */
struct json_memory {
    struct block *blocks; /* newest first */
    struct block *pieces; /* long allocations, each in its own block */
    char *next;
    char *end;
    uint64_t bytes;
    uint64_t counted;
    struct owner *owner; /* NULL: a small tree */
};

/* Stored before each allocation. */
struct head {
    struct block *piece; /* NULL: allocated in a shared block */
};

static _Atomic uint64_t limit = UINT64_MAX;
static _Atomic uint64_t used;
static _Thread_local struct json_memory *current;
static pthread_mutex_t owners_lock = PTHREAD_MUTEX_INITIALIZER;
static struct owner owners[OWNERS_MAX];

void json_memory_set_limit(uint64_t bytes)
{
    atomic_store(&limit, bytes);
}

uint64_t json_memory_share(void)
{
    return atomic_load(&limit) / 4 * 3;
}

uint64_t json_memory_used(void)
{
    return atomic_load(&used);
}

static void count(int64_t bytes)
{
    atomic_fetch_add(&used, (uint64_t)bytes);
    counter_add(COUNTER_json_tree_bytes, bytes);
}

static struct owner *owner_find(Uuid id)
{
    struct owner *place = &owners[OWNERS_MAX - 1];
    for (int i = OWNERS_MAX - 1; i >= 0; i--) {
        if (owners[i].bytes > 0 && memcmp(&owners[i].id, &id, sizeof id) == 0)
            return &owners[i];
        if (owners[i].bytes == 0)
            place = &owners[i];
    }
    place->id = id;
    return place;
}

/* NULL: the limit of all trees, or of this owner, would be exceeded. */
static struct owner *take(Uuid id, uint64_t bytes)
{
    pthread_mutex_lock(&owners_lock);
    struct owner *owner = owner_find(id);
    bool has_room = atomic_load(&used) + bytes <= atomic_load(&limit) &&
                    owner->bytes + bytes <= json_memory_share();
    if (has_room) {
        owner->bytes += bytes;
        count((int64_t)bytes);
    }
    pthread_mutex_unlock(&owners_lock);
    return has_room ? owner : NULL;
}

static void give_back(struct json_memory *memory, uint64_t bytes)
{
    if (memory->owner != NULL) {
        pthread_mutex_lock(&owners_lock);
        memory->owner->bytes -= bytes;
        pthread_mutex_unlock(&owners_lock);
    }
    memory->counted -= bytes;
    count(-(int64_t)bytes);
}

static struct block *block_new(size_t size)
{
    struct block *block = malloc(size);
    if (block == NULL)
        abort();
    *block = (struct block){.size = size};
    return block;
}

/* A tree usually takes a few times the size of its text. */
struct json_memory *json_memory_new(Uuid id, size_t text_len, uint64_t most)
{
    struct owner *owner = NULL;
    if (most <= JSON_TREE_SMALL)
        count((int64_t)most);
    else if ((owner = take(id, most)) == NULL)
        return NULL;
    size_t size = max_size(min_size(text_len, BLOCK_MAX / 4) * 4, BLOCK_FIRST_MIN);
    struct block *block = block_new(size);
    struct json_memory *memory = (struct json_memory *)block->data;
    *memory = (struct json_memory){
        .blocks = block,
        .next = block->data + sizeof *memory,
        .end = (char *)block + size,
        .bytes = size,
        .counted = most,
        .owner = owner,
    };
    return memory;
}

static void free_list(struct block *block)
{
    while (block != NULL) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void json_memory_free(struct json_memory *memory)
{
    if (memory == NULL)
        return;
    give_back(memory, memory->counted);
    free_list(memory->pieces);
    free_list(memory->blocks); /* the struct itself is in the last one */
}

static struct head *piece_alloc(struct json_memory *memory, size_t size)
{
    struct block *block = block_new(sizeof *block + size);
    memory->bytes += block->size;
    block->next = memory->pieces;
    if (memory->pieces != NULL)
        memory->pieces->previous = block;
    memory->pieces = block;
    struct head *head = (struct head *)block->data;
    head->piece = block;
    return head;
}

static void piece_free(struct json_memory *memory, struct block *block)
{
    if (block->previous != NULL)
        block->previous->next = block->next;
    else
        memory->pieces = block->next;
    if (block->next != NULL)
        block->next->previous = block->previous;
    memory->bytes -= block->size;
    free(block);
}

static void add_block(struct json_memory *memory)
{
    size_t size = max_size(memory->blocks->size * 2, BLOCK_MIN);
    struct block *block = block_new(min_size(size, BLOCK_MAX));
    memory->bytes += block->size;
    block->next = memory->blocks;
    memory->blocks = block;
    memory->next = block->data;
    memory->end = (char *)block + block->size;
}

void *json_memory_alloc(struct json_memory *memory, size_t wanted)
{
    size_t size = (sizeof(struct head) + wanted + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct head *head;
    if (size >= PIECE_FROM) {
        head = piece_alloc(memory, size);
    } else {
        if (size > (size_t)(memory->end - memory->next))
            add_block(memory);
        head = (struct head *)memory->next;
        head->piece = NULL;
        memory->next += size;
    }
    return head + 1;
}

static void *tree_malloc(size_t size)
{
    return current == NULL ? malloc(size) : json_memory_alloc(current, size);
}

/* Memory in a shared block is freed with its tree. */
static void tree_free(void *pointer)
{
    if (current == NULL) {
        free(pointer);
        return;
    }
    if (pointer == NULL)
        return;
    struct head *head = (struct head *)pointer - 1;
    if (head->piece != NULL)
        piece_free(current, head->piece);
}

__attribute__((constructor)) static void take_jansson(void)
{
    json_set_alloc_funcs(tree_malloc, tree_free);
}

void json_memory_enter(struct json_memory *memory)
{
    assert(current == NULL && memory != NULL);
    current = memory;
}

void json_memory_leave(void)
{
    assert(current != NULL);
    current = NULL;
}

void json_memory_settle(struct json_memory *memory)
{
    assert(memory != current);
    if (memory->bytes < memory->counted)
        give_back(memory, memory->counted - memory->bytes);
}
