#include "access/identity/site_find.h"

#include "access/identity/current.h"
#include "access/limits/ip_range.h"
#include "base/system/clock.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"

#include <assert.h>

fiber_fn Err site_is_fresh(struct ctx *ctx, struct access_cache *cache, Uuid site,
                           int64_t site_epoch, bool *ret)
{
    assert(site_epoch != 0);
    TRY(access_revalidate(ctx, clock_now_us() - ACCESS_AGE_US, &site, false));
    *ret =
        access_thread(ctx->reactor)->cache == cache && cache_site(cache, site)->epoch == site_epoch;
    return OK;
}

static fiber_fn Err host_load(struct ctx *ctx, struct access_cache *cache, Str name,
                              struct host_entry *ret)
{
    assert(cache->has_sites && name.len > 0);
    int64_t sent_us = clock_now_us();
    struct rows rows;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_ACCESS_SITE_BY_HOST, ARGS(db_text(name)),
                          &rows));
    assert(rows.count == 1);
    *ret = (struct host_entry){
        .site = row_uuid(&rows, 0, ACCESS_SITE_BY_HOST_SITE_ID),
        .site_epoch = row_int(&rows, 0, ACCESS_SITE_BY_HOST_SITE_EPOCH),
    };
    cache_note_site(cache, ret->site, ret->site_epoch, sent_us);
    struct host_entry *known = map_get(cache->hosts, name);
    if (known == NULL) {
        known = arena_new(cache->arena, struct host_entry);
        map_put(cache->hosts, cache_dup(cache, name.data, name.len), known);
    }
    *known = *ret;
    return OK;
}

/* A zeroed entry if the database has no sites or the text is not a hostname. */
static fiber_fn Err host_find(struct ctx *ctx, struct access_cache *cache, Str host,
                              struct host_entry *ret)
{
    *ret = (struct host_entry){0};
    Str name = host_normalise(ctx->arena, host);
    if (name.len == 0 || !cache->has_sites)
        return OK;
    const struct host_entry *known = map_get(cache->hosts, name);
    bool is_known = known != NULL;
    if (is_known) {
        *ret = *known;
        TRY(site_is_fresh(ctx, cache, ret->site, ret->site_epoch, &is_known));
    }
    return is_known ? OK : host_load(ctx, cache, name, ret);
}

fiber_fn Err site_find_by_host(struct ctx *ctx, Str host, Uuid *ret)
{
    struct access_cache *cache;
    TRY(access_cache_current(ctx, &cache));
    struct host_entry entry;
    TRY(host_find(ctx, cache, host, &entry));
    ctx->stamp = (SiteStamp){entry.site, entry.site_epoch};
    ctx->is_current = false;
    *ret = entry.site;
    return OK;
}

/* "https://a.example:8443" → "a.example:8443"; "null" and other schemes match no site. */
static Str origin_host(Str origin)
{
    if (str_starts_with(origin, STR("https://")))
        return str_slice(origin, sizeof "https://" - 1, origin.len);
    if (str_starts_with(origin, STR("http://")))
        return str_slice(origin, sizeof "http://" - 1, origin.len);
    return STR_NONE;
}

/* A name of this machine says nothing about a site: every site is developed there. */
static bool is_loopback(struct ctx *ctx, Str host)
{
    Str name = host_normalise(ctx->arena, host);
    return str_eq(name, STR("localhost")) || str_ends_with(name, STR(".localhost")) ||
           str_eq(name, STR("[::1]")) || ip_in_ranges(name, STR("127.0.0.0/8"));
}

fiber_fn Err sites_find(struct ctx *ctx, struct access_cache *cache, Str host, Str origin,
                        struct request_sites *ret)
{
    assert(cache != NULL && ret != NULL);
    struct host_entry by_host;
    struct host_entry by_origin;
    TRY(host_find(ctx, cache, host, &by_host));
    TRY(host_find(ctx, cache, origin_host(origin), &by_origin));
    *ret = (struct request_sites){
        .by_host = by_host.site,
        .by_origin = by_origin.site,
        .is_loopback = is_loopback(ctx, host),
    };
    return OK;
}

fiber_fn Err request_sites_find(struct ctx *ctx, Str host, Str origin, struct request_sites *ret)
{
    struct access_cache *cache;
    TRY(access_cache_current(ctx, &cache));
    return sites_find(ctx, cache, host, origin, ret);
}

bool request_sites_are_one(const struct request_sites *sites)
{
    return !uuid_is_nil(sites->by_origin) && uuid_eq(sites->by_origin, sites->by_host);
}

bool request_sites_may_meet(const struct request_sites *sites)
{
    if (uuid_is_nil(sites->by_origin))
        return false;
    return uuid_is_nil(sites->by_host) || sites->is_loopback || request_sites_are_one(sites);
}

/* The refusal depends on the cached host, so it is settled under the stamp of the host's site. */
static Err wrong_site(struct ctx *ctx, const struct host_entry *host)
{
    ctx->stamp = (SiteStamp){host->site, host->site_epoch};
    return fail(ctx, ERR_FORBIDDEN, "This token belongs to another site.");
}

/* Refuses a site's token on the host of another, or with another site selected. */
static fiber_fn Err scope_check(struct ctx *ctx, struct access_cache *cache,
                                const struct credentials *credentials, Uuid site, Uuid selected)
{
    struct host_entry host;
    TRY(host_find(ctx, cache, credentials->host, &host));
    bool is_other = !uuid_is_nil(host.site) && !uuid_eq(host.site, site);
    if (is_other && !is_loopback(ctx, credentials->host))
        return wrong_site(ctx, &host);
    if (!uuid_is_nil(selected) && !uuid_eq(selected, site))
        return wrong_site(ctx, &host);
    return OK;
}

/* A visitor: Host, else Origin. */
static fiber_fn Err scope_of_visitor(struct ctx *ctx, struct access_cache *cache,
                                     const struct credentials *credentials, Scope *ret)
{
    struct host_entry host;
    struct host_entry page = {0};
    TRY(host_find(ctx, cache, credentials->host, &host));
    if (uuid_is_nil(host.site))
        TRY(host_find(ctx, cache, origin_host(credentials->origin), &page));
    if (!uuid_is_nil(page.site))
        host = page;
    ctx->stamp = (SiteStamp){host.site, host.site_epoch};
    *ret = (Scope){.kind = uuid_is_nil(host.site) ? SCOPE_NONE : SCOPE_SITE, .site = host.site};
    return OK;
}

fiber_fn Err scope_find(struct ctx *ctx, struct access_cache *cache,
                        const struct credentials *credentials, const struct identity *identity,
                        Scope *ret)
{
    assert(identity->grants != NULL);
    Uuid selected = {0};
    if (credentials->site_selector.len > 0 && !uuid_parse(credentials->site_selector, &selected))
        return fail(ctx, ERR_INVALID_PAYLOAD, "X-Site-Id must be a UUID");
    /* Whatever the host, a share of no site never reaches rows of one. */
    if (identity->kind == ACTOR_SHARE && identity->scope.kind == SCOPE_NONE) {
        *ret = identity->scope;
        return OK;
    }
    if (identity->scope.kind == SCOPE_SITE) {
        *ret = identity->scope;
        return scope_check(ctx, cache, credentials, identity->scope.site, selected);
    }
    if (identity->scope.kind != SCOPE_PLATFORM)
        return scope_of_visitor(ctx, cache, credentials, ret);
    *ret = identity->scope;
    if (!uuid_is_nil(selected))
        *ret = (Scope){.kind = SCOPE_SITE, .site = selected};
    return OK;
}
