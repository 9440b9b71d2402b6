#include "access/identity/cache.h"

#include "access/identity/current.h"
#include "base/system/clock.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <stdlib.h>

static void cache_unref(void *object)
{
    struct access_cache *cache = object;
    assert(cache->references > 0);
    if (--cache->references == 0)
        arena_destroy(cache->arena);
}

static void thread_free(void *object)
{
    struct access_thread *thread = object;
    if (thread->cache != NULL)
        cache_unref(thread->cache);
    free(thread);
}

static void thread_init(void *object, struct reactor *reactor)
{
    (void)reactor;
    struct access_thread *thread = object;
    gate_init(&thread->revalidation_gate, 1);
    gate_init(&thread->pause_gate, 1);
}

static struct reactor_slot slot = {
    .size = sizeof(struct access_thread),
    .init = thread_init,
    .release = thread_free,
};

struct access_thread *access_thread(struct reactor *reactor)
{
    assert(reactor != NULL);
    return reactor_slot(reactor, &slot);
}

struct access_cache *access_cache_renew(struct access_thread *thread, int64_t epoch)
{
    assert(epoch != 0);
    struct arena *arena = arena_create();
    struct access_cache *cache = arena_new(arena, struct access_cache);
    *cache = (struct access_cache){
        .arena = arena,
        .references = 1, /* the reference of the thread */
        .epoch = epoch,
        .tokens = map_in_arena(arena),
        .hosts = map_in_arena(arena),
        .policies = map_in_arena(arena),
        .sites = map_in_arena(arena),
    };
    if (thread->cache != NULL)
        cache_unref(thread->cache);
    thread->cache = cache;
    return cache;
}

bool access_cache_is_full(const struct access_cache *cache)
{
    return cache->tokens->count >= CACHE_TOKENS_MAX || cache->hosts->count >= CACHE_HOSTS_MAX ||
           cache->sites->count >= CACHE_SITES_MAX;
}

fiber_fn Err access_cache_current(struct ctx *ctx, struct access_cache **ret)
{
    TRY(access_revalidate(ctx, clock_now_us() - ACCESS_AGE_US, NULL, false));
    struct access_cache *cache = access_thread(ctx->reactor)->cache;
    assert(cache != NULL);
    assert(cache->references > 0 && cache->epoch != 0);
    cache->references++;
    arena_defer(ctx->arena, cache_unref, cache);
    ctx->epoch = cache->epoch;
    *ret = cache;
    return OK;
}

static Str key_of(const Uuid *id)
{
    return str_of((const char *)id->bytes, sizeof id->bytes);
}

struct known_site *cache_site(struct access_cache *cache, Uuid id)
{
    struct known_site *site = map_get(cache->sites, key_of(&id));
    if (site != NULL)
        return site;
    site = arena_new(cache->arena, struct known_site);
    *site = (struct known_site){.id = id};
    map_put(cache->sites, key_of(&site->id), site);
    return site;
}

void cache_note_site(struct access_cache *cache, Uuid id, int64_t epoch, int64_t sent_us)
{
    struct known_site *site = cache_site(cache, id);
    assert(epoch != 0);
    if (sent_us < site->revalidated_us)
        return;
    site->epoch = epoch;
    site->revalidated_us = sent_us;
}

Str cache_dup(struct access_cache *cache, const void *bytes, size_t len)
{
    return str_dup(cache->arena, str_of(bytes, len));
}
