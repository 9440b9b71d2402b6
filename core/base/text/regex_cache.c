#include "base/system/counters.h"
#include "base/system/ctx.h"
#include "base/text/regex_internal.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t hash;
    uint64_t used; /* the cache's clock at its last use */
    char *pattern;
    size_t len;
    unsigned flags;
    struct regex *regex; /* NULL: it does not compile, because of: */
    struct regex_fault fault;
    size_t size;
};

struct cache {
    uint64_t clock;
    size_t bytes;
    uint32_t count;
    struct entry entries[REGEX_KEPT_MAX];
};

static _Thread_local struct cache *cache;
static pthread_key_t cache_key;

static void drop(struct cache *from, uint32_t index)
{
    assert(index < from->count);
    struct entry *entry = &from->entries[index];
    from->bytes -= entry->size;
    regex_free(entry->regex);
    free(entry->pattern);
    *entry = from->entries[--from->count];
}

static void cache_free(void *object)
{
    struct cache *old = object;
    while (old->count > 0)
        drop(old, old->count - 1);
    free(old);
    cache = NULL;
}

__attribute__((constructor)) static void make_cache_key(void)
{
    if (pthread_key_create(&cache_key, cache_free) != 0)
        abort();
}

/* Threads clean up in their destructors, the main thread here. */
__attribute__((destructor)) static void close_cache(void)
{
    if (cache != NULL)
        cache_free(cache);
}

static struct cache *cache_get(void)
{
    if (cache != NULL)
        return cache;
    cache = calloc(1, sizeof *cache);
    if (cache == NULL || pthread_setspecific(cache_key, cache) != 0)
        abort();
    return cache;
}

/* Linear: comparing 256 hashes takes at most two microseconds, a tenth of compiling. */
static struct entry *find(struct cache *in, uint64_t hash, Str pattern, unsigned flags)
{
    for (uint32_t i = 0; i < in->count; i++) {
        struct entry *entry = &in->entries[i];
        if (entry->hash == hash && entry->flags == flags &&
            str_eq(str_of(entry->pattern, entry->len), pattern))
            return entry;
    }
    return NULL;
}

/* Evicts least recently used entries until there is room for `size` bytes. */
static void make_room(struct cache *in, size_t size)
{
    while (in->count == REGEX_KEPT_MAX || (in->count > 0 && in->bytes + size > REGEX_KEPT_BYTES)) {
        uint32_t oldest = 0;
        for (uint32_t i = 1; i < in->count; i++)
            if (in->entries[i].used < in->entries[oldest].used)
                oldest = i;
        drop(in, oldest);
    }
}

static struct entry *add(struct cache *to, uint64_t hash, Str pattern, unsigned flags)
{
    struct entry entry = {.hash = hash, .len = pattern.len, .flags = flags};
    entry.regex = regex_try_compile(pattern, flags, &entry.fault);
    entry.pattern = malloc(pattern.len + 1);
    if (entry.pattern == NULL)
        abort();
    memcpy(entry.pattern, pattern.len > 0 ? pattern.data : "", pattern.len);
    entry.size = pattern.len + (entry.regex != NULL ? regex_size(entry.regex) : 0);
    make_room(to, entry.size);
    to->entries[to->count] = entry;
    to->bytes += entry.size;
    return &to->entries[to->count++];
}

Err regex_find(struct ctx *ctx, Str pattern, unsigned flags, const struct regex **ret)
{
    /* regex_compile refuses it; not cached, so that entries stay small. */
    if (pattern.len > REGEX_PATTERN_MAX) {
        struct regex *none;
        return regex_compile(ctx, pattern, flags, &none);
    }
    struct cache *kept = cache_get();
    uint64_t hash = str_hash(pattern);
    struct entry *entry = find(kept, hash, pattern, flags);
    if (entry == NULL)
        entry = add(kept, hash, pattern, flags);
    entry->used = ++kept->clock;
    if (entry->regex == NULL)
        return regex_refuse(ctx, entry->fault);
    *ret = entry->regex;
    return OK;
}
