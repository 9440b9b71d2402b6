#include "access/identity/current.h"

#include "access/identity/cache.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/range.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"

#include <assert.h>

/* Minimum interval between revalidations for refusals: 200 per second and thread. */
enum { REFUSAL_PAUSE_US = 5 * 1000 };
/* Timeout for acquiring a pause, behind other pauses of the thread and changes in progress. Longer
 * than changes wait for a pause. */
enum { PAUSE_WAIT_US = 2 * 1000 * 1000 };
/* A site with an older stamp joins the next revalidation, so that requests rarely wait for one. */
enum { WANTED_AGE_US = ACCESS_AGE_US / 2 };

/* After a connection loss the cache is unusable even if the stamps match: the server may have
 * come back without its last transactions, or with rows that were changed while triggers were
 * disabled. */
static bool is_usable(const struct ctx *ctx, const struct access_cache *cache)
{
    return cache != NULL && cache->losses == db_losses(ctx->reactor->db) &&
           !access_cache_is_full(cache);
}

static void want(struct access_cache *cache, struct known_site *site)
{
    assert(cache->wanted_count <= REVALIDATED_SITES_MAX);
    if (site->is_wanted || cache->wanted_count == REVALIDATED_SITES_MAX)
        return;
    site->is_wanted = true;
    cache->wanted[cache->wanted_count++] = site;
}

static bool is_revalidated(struct ctx *ctx, int64_t since_us, const Uuid *site)
{
    struct access_cache *cache = access_thread(ctx->reactor)->cache;
    if (!is_usable(ctx, cache) || cache->revalidated_us < since_us)
        return false;
    if (site == NULL || !cache->has_sites)
        return true;
    struct known_site *known = cache_site(cache, *site);
    if (known->revalidated_us < clock_now_us() - WANTED_AGE_US)
        want(cache, known);
    return known->revalidated_us >= since_us;
}

/* The sites that are due for revalidation, including `site`. */
static DbArg sites_take(struct ctx *ctx, struct access_cache *cache, const Uuid *site)
{
    Uuid *ids = arena_array(ctx->arena, Uuid, REVALIDATED_SITES_MAX + 1);
    uint32_t count = 0;
    if (site != NULL)
        ids[count++] = *site;
    for (uint32_t i = 0; cache != NULL && i < cache->wanted_count; i++) {
        struct known_site *wanted = cache->wanted[i];
        wanted->is_wanted = false;
        if (site == NULL || !uuid_eq(wanted->id, *site))
            ids[count++] = wanted->id;
        assert(count <= REVALIDATED_SITES_MAX + 1);
    }
    if (cache != NULL)
        cache->wanted_count = 0;
    return db_uuid_array(ctx->arena, ids, count);
}

static fiber_fn Err renew(struct ctx *ctx, struct access_thread *thread, int64_t epoch)
{
    struct rows rows;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_ACCESS_HAS_SITES, NO_ARGS, &rows));
    assert(rows.count == 1);
    struct access_cache *cache = access_cache_renew(thread, epoch);
    cache->has_sites = row_bool(&rows, 0, ACCESS_HAS_SITES_HAS_SITES);
    return OK;
}

static fiber_fn Err revalidate(struct ctx *ctx, struct access_thread *thread, const Uuid *site)
{
    uint64_t losses = db_losses(ctx->reactor->db);
    int64_t sent_us = clock_now_us();
    thread->revalidation_sent_us = sent_us;
    struct rows rows;
    counter_inc(access_looks);
    TRY(db_query_platform(reactor_platform(ctx), &SQL_DB_STAMPS,
                          ARGS(sites_take(ctx, thread->cache, site)), &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_CONFIG, "the database has no epoch: run `spark migrate`");
    int64_t epoch = row_int(&rows, 0, DB_STAMPS_EPOCH);
    int64_t started_us = row_time(&rows, 0, DB_STAMPS_SERVER_STARTED);
    if (!is_usable(ctx, thread->cache) || thread->cache->epoch != epoch ||
        thread->cache->server_started_us != started_us) {
        TRY(renew(ctx, thread, epoch));
        thread->cache->losses = losses;
        thread->cache->server_started_us = started_us;
    }
    struct access_cache *cache = thread->cache;
    assert(cache != NULL && cache->epoch == epoch);
    cache->revalidated_us = sent_us;
    for (uint32_t i = 0; i < rows.count; i++)
        if (!row_is_null(&rows, i, DB_STAMPS_SITE_ID))
            cache_note_site(cache, row_uuid(&rows, i, DB_STAMPS_SITE_ID),
                            row_int(&rows, i, DB_STAMPS_SITE_EPOCH), sent_us);
    return OK;
}

/* The fiber that holds the gate may itself be waiting for PostgreSQL. */
static fiber_fn Err wait_for_turn(struct ctx *ctx, struct gate *gate)
{
    Err err = gate_enter(ctx, gate);
    if (err == ERR_TIMEOUT && !db_is_up(ctx->reactor->db))
        return fail(ctx, ERR_UNAVAILABLE, "PostgreSQL is not reachable");
    return err;
}

fiber_fn Err access_revalidate(struct ctx *ctx, int64_t since_us, const Uuid *site, bool is_refusal)
{
    struct access_thread *thread = access_thread(ctx->reactor);
    if (is_revalidated(ctx, since_us, site))
        return OK;
    struct gate *held SCOPED_GATE = NULL;
    TRY(wait_for_turn(ctx, &thread->revalidation_gate));
    held = &thread->revalidation_gate;
    if (is_revalidated(ctx, since_us, site))
        return OK;
    int64_t rest_us = thread->revalidation_sent_us + REFUSAL_PAUSE_US - clock_now_us();
    if (is_refusal && rest_us > 0)
        TRY(fiber_sleep(ctx, rest_us));
    SCOPED_CTX struct ctx own = ctx_as_machinery(ctx, "epoch and stamps belong to no tenant");
    return revalidate(&own, thread, site);
}

/* The site that ctx has a stamp for, or NULL. */
static const Uuid *site_of(const struct ctx *ctx)
{
    return ctx->stamp.epoch != 0 ? &ctx->stamp.site : NULL;
}

/* Whether the stamps of ctx match after a revalidation. */
static bool matches_stamps(const struct ctx *ctx)
{
    struct access_cache *cache = access_thread(ctx->reactor)->cache;
    assert(cache != NULL);
    if (cache->epoch != ctx->epoch)
        return false;
    return site_of(ctx) == NULL || cache_site(cache, ctx->stamp.site)->epoch == ctx->stamp.epoch;
}

/* Errors that can result from a stale cache. A malformed request, or one that exceeds a limit, is
 * refused independent of schema and rights. */
static bool may_rest_on_memory(Err err)
{
    switch (err) {
    case ERR_FORBIDDEN:
    case ERR_INVALID_CREDENTIALS:
    case ERR_TOKEN_EXPIRED:
    case ERR_USER_SUSPENDED:
    case ERR_UNAUTHENTICATED:
    case ERR_NOT_FOUND:
    case ERR_ROUTE_NOT_FOUND:
    case ERR_UNKNOWN_SITE:
    case ERR_INVALID_QUERY:
    case ERR_INVALID_PAYLOAD:
    case ERR_INVALID_PATH_PARAMETER:
    case ERR_FAILED_VALIDATION:
    case ERR_UNPROCESSABLE:
        return true;
    default:
        return false;
    }
}

fiber_fn Err access_confirm(struct ctx *ctx, int64_t since_us)
{
    assert(since_us > 0);
    if (ctx->epoch == 0 || ctx->is_current)
        return OK;
    TRY(access_revalidate(ctx, since_us, site_of(ctx), true));
    if (!matches_stamps(ctx))
        return fail(ctx, ERR_STALE_EPOCH, "the cached schema or rights are stale");
    return OK;
}

fiber_fn Err access_settle(struct ctx *ctx, Err err, int64_t since_us)
{
    if (!may_rest_on_memory(err) || ctx->has_committed)
        return err;
    struct diag story = ctx->diag;
    diag_clear(ctx);
    TRY(access_confirm(ctx, since_us));
    ctx->diag = story;
    return err;
}

fiber_fn Err access_catch_up(struct ctx *ctx, bool *ret_of_all)
{
    const struct access_cache *before = access_thread(ctx->reactor)->cache;
    int64_t epoch = before != NULL ? before->epoch : 0;
    diag_clear(ctx);
    TRY(access_revalidate(ctx, clock_now_us(), site_of(ctx), false));
    int64_t now = access_epoch(ctx->reactor);
    assert(now != 0);
    *ret_of_all = now != epoch || now != ctx->epoch;
    return OK;
}

int64_t access_epoch(struct reactor *reactor)
{
    const struct access_cache *cache = access_thread(reactor)->cache;
    return cache != NULL ? cache->epoch : 0;
}

/* The site's lock is taken first, in the same order as in a transaction that changes a site's
 * rights and then global rights. */
static fiber_fn Err pause_take(struct access_pause *pause, const Uuid *site, bool of_all)
{
    assert(pause->gate == NULL && pause->tx.connection == NULL);
    struct ctx *ctx = pause->ctx;
    struct gate *gate = &access_thread(ctx->reactor)->pause_gate;
    TRY(gate_enter(ctx, gate));
    pause->gate = gate;
    TRY(db_begin_apart(reactor_platform(ctx), &pause->tx));
    if (site != NULL)
        TRY(db_tx_query(&pause->tx, &SQL_DB_PAUSE, ARGS(db_uuid(*site)), NULL));
    if (of_all)
        TRY(db_tx_query(&pause->tx, &SQL_DB_PAUSE, ARGS(db_null()), NULL));
    return OK;
}

/* The pause of the request that ctx is of, or NULL. */
static struct access_pause *pause_of(const struct ctx *ctx)
{
    struct access_pause *pause = access_thread(ctx->reactor)->pause;
    return pause != NULL && pause->ctx->arena == ctx->arena ? pause : NULL;
}

/* A pause needs a connection in addition to one for the handler. */
static bool may_pause(const struct settings *settings)
{
    return settings->database_exclusive_lanes >= 2 * (int64_t)settings->server_threads;
}

fiber_fn void access_pause_begin(struct ctx *ctx, bool of_all, struct access_pause *pause)
{
    assert(pause->gate == NULL && pause->tx.connection == NULL);
    if (pause_of(ctx) != NULL || !may_pause(ctx->reactor->settings))
        return;
    int64_t deadline_us = clock_now_us() + PAUSE_WAIT_US;
    const struct ctx own = {
        .arena = ctx->arena,
        .reactor = ctx->reactor,
        .deadline_us = min_i64(deadline_us, ctx->deadline_us),
    };
    pause->ctx = ctx_new(ctx->arena, own);
    if (pause_take(pause, site_of(ctx), of_all) == OK)
        access_thread(ctx->reactor)->pause = pause;
    else
        access_pause_end(pause);
}

void access_pause_release(const struct ctx *ctx)
{
    struct access_pause *pause = pause_of(ctx);
    if (pause != NULL)
        access_pause_end(pause);
}

void access_pause_end(struct access_pause *pause)
{
    if (pause->ctx != NULL && access_thread(pause->ctx->reactor)->pause == pause)
        access_thread(pause->ctx->reactor)->pause = NULL;
    db_tx_finish(&pause->tx);
    gate_scope_end(&pause->gate);
    pause->gate = NULL;
}
