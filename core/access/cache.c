#include "access/cache.h"

#include "base/clock.h"
#include "gen/sql.h"
#include "io/reactor.h"

#include <assert.h>

static void cache_unref(void *object)
{
    struct access_cache *cache = object;
    assert(cache->references > 0);
    if (--cache->references == 0)
        arena_destroy(cache->arena);
}

static struct access_cache *cache_new(int64_t epoch)
{
    struct arena *arena = arena_create();
    struct access_cache *cache = arena_new(arena, struct access_cache);
    *cache = (struct access_cache){
        .arena = arena,
        .references = 1, /* the reactor's slot */
        .epoch = epoch,
        .checked_us = clock_now_us(),
        .tokens = map_in_arena(arena),
        .hosts = map_in_arena(arena),
        .grants = map_in_arena(arena),
    };
    return cache;
}

void access_invalidate(struct ctx *ctx)
{
    struct access_cache *cache = ctx->reactor->slots[SLOT_ACCESS];
    ctx->reactor->slots[SLOT_ACCESS] = NULL;
    if (cache != NULL)
        cache_unref(cache);
}

static bool is_fresh(const struct access_cache *cache)
{
    return cache != NULL && clock_now_us() - cache->checked_us < CACHE_AGE_US &&
           cache->tokens->count < CACHE_TOKENS_MAX && cache->hosts->count < CACHE_HOSTS_MAX;
}

/* Only one look at a time would be needed; several at once are harmless. */
static fiber_fn Err refresh(struct ctx *ctx)
{
    struct rows rows;
    ctx->epoch = 0;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_DB_EPOCH, NO_ARGS, &rows));
    int64_t epoch = row_int(&rows, 0, DB_EPOCH_EPOCH);
    struct access_cache *cache = ctx->reactor->slots[SLOT_ACCESS];
    if (cache != NULL && cache->epoch == epoch && cache->tokens->count < CACHE_TOKENS_MAX &&
        cache->hosts->count < CACHE_HOSTS_MAX) {
        cache->checked_us = clock_now_us();
        return OK;
    }
    TRY(db_query_platform(reactor_platform(ctx), &SQL_ACCESS_HAS_SITES, NO_ARGS, &rows));
    access_invalidate(ctx);
    cache = cache_new(epoch);
    cache->has_sites = row_bool(&rows, 0, ACCESS_HAS_SITES_HAS_SITES);
    reactor_keep(ctx->reactor, SLOT_ACCESS, cache, cache_unref);
    return OK;
}

fiber_fn Err access_cache_current(struct ctx *ctx, struct access_cache **ret)
{
    if (!is_fresh(ctx->reactor->slots[SLOT_ACCESS]))
        TRY(refresh(ctx));
    struct access_cache *cache = ctx->reactor->slots[SLOT_ACCESS];
    cache->references++;
    arena_defer(ctx->arena, cache_unref, cache);
    ctx->epoch = cache->epoch;
    *ret = cache;
    return OK;
}

Str cache_dup(struct access_cache *cache, const void *bytes, size_t len)
{
    return str_dup(cache->arena, str_of(bytes, len));
}
