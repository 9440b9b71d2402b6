/*
 * A bounded LRU map. One per thread, so it needs no locks.
 */
#include "content/plan/plan.h"
#include "content/schema/schema.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <stdlib.h>

struct entry {
    struct entry *newer;
    struct entry *older;
    struct plan *plan;
    struct plan_binding binding; /* its texts are stored after the key */
    Str key;                     /* its bytes are stored after the entry */
};

struct plan_cache {
    const struct schema *schema; /* referenced by the cached plans, so its address is not reused */
    struct map map;
    struct entry *newest;
    struct entry *oldest;
    uint32_t count;
};

struct plan_cache *plan_cache_new(void)
{
    struct plan_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        abort();
    map_init(&cache->map);
    return cache;
}

static void unlink_entry(struct plan_cache *cache, struct entry *entry)
{
    assert((entry->newer != NULL) == (cache->newest != entry));
    assert((entry->older != NULL) == (cache->oldest != entry));
    if (entry->newer != NULL)
        entry->newer->older = entry->older;
    else
        cache->newest = entry->older;
    if (entry->older != NULL)
        entry->older->newer = entry->newer;
    else
        cache->oldest = entry->newer;
    entry->newer = entry->older = NULL;
}

static void link_newest(struct plan_cache *cache, struct entry *entry)
{
    assert(entry->newer == NULL && entry->older == NULL);
    entry->older = cache->newest;
    if (cache->newest != NULL)
        cache->newest->newer = entry;
    cache->newest = entry;
    if (cache->oldest == NULL)
        cache->oldest = entry;
}

static void drop(struct plan_cache *cache, struct entry *entry)
{
    assert(cache->count > 0 && entry->plan != NULL);
    unlink_entry(cache, entry);
    map_remove(&cache->map, entry->key);
    plan_unref(entry->plan);
    free(entry);
    cache->count--;
}

static void clear(struct plan_cache *cache)
{
    while (cache->oldest != NULL)
        drop(cache, cache->oldest);
}

void plan_cache_free(void *object)
{
    struct plan_cache *cache = object;
    clear(cache);
    map_finish(&cache->map);
    free(cache);
}

static void cache_init(void *object, struct reactor *reactor)
{
    (void)reactor;
    struct plan_cache *cache = object;
    map_init(&cache->map);
}

static struct reactor_slot slot = {
    .size = sizeof(struct plan_cache),
    .init = cache_init,
    .release = plan_cache_free,
};

struct plan_cache *plan_cache_of(struct reactor *reactor, const struct schema *schema)
{
    if (content_thread(reactor)->schema != schema)
        return NULL;
    struct plan_cache *cache = reactor_slot(reactor, &slot);
    if (cache->schema != schema)
        clear(cache);
    cache->schema = schema;
    return cache;
}

struct plan *plan_cache_find(struct plan_cache *cache, Str key,
                             const struct plan_binding **ret_binding)
{
    struct entry *entry = map_get(&cache->map, key);
    if (entry == NULL)
        return NULL;
    if (entry != cache->newest) {
        unlink_entry(cache, entry);
        link_newest(cache, entry);
    }
    if (ret_binding != NULL)
        *ret_binding = &entry->binding;
    return entry->plan;
}

static size_t binding_size(const struct plan_binding *binding)
{
    size_t size = 0;
    for (uint32_t i = 0; binding != NULL && i < binding->count; i++)
        size += binding->values[i].text.len;
    return size;
}

static struct entry *entry_new(Str key, const struct plan_binding *binding)
{
    struct entry *entry = calloc(1, sizeof *entry + key.len + binding_size(binding));
    if (entry == NULL)
        abort();
    char *to = (char *)(entry + 1);
    memcpy(to, key.data, key.len);
    entry->key = str_of(to, key.len);
    to += key.len;
    if (binding != NULL)
        entry->binding = *binding;
    for (uint32_t i = 0; i < entry->binding.count; i++) {
        Str *text = &entry->binding.values[i].text;
        if (text->len > 0)
            memcpy(to, text->data, text->len);
        *text = str_of(to, text->len);
        to += text->len;
    }
    return entry;
}

void plan_cache_add(struct plan_cache *cache, Str key, struct plan *plan,
                    const struct plan_binding *binding)
{
    assert(key.len > 0 && plan != NULL);
    struct entry *same = map_get(&cache->map, key);
    if (same != NULL)
        drop(cache, same);
    if (cache->count == PLAN_CACHE_MAX)
        drop(cache, cache->oldest);
    struct entry *entry = entry_new(key, binding);
    entry->plan = plan;
    map_put(&cache->map, entry->key, entry);
    link_newest(cache, entry);
    cache->count++;
    assert(cache->count <= PLAN_CACHE_MAX);
}
