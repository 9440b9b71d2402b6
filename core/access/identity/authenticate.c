#include "access/identity/authenticate.h"

#include "access/identity/cache.h"
#include "access/identity/current.h"
#include "access/identity/identity.h"
#include "access/identity/jwt.h"
#include "base/crypto/crypto.h"
#include "base/system/clock.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum { TOKEN_LEN_MAX = 8192 };

static Err token_choose(struct ctx *ctx, const struct credentials *credentials, Str *ret)
{
    if (credentials->query_token.len > 0 && credentials->bearer.len > 0)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "The request uses more than one method for including an access token");
    if (credentials->query_token.len > 0)
        *ret = credentials->query_token;
    else if (credentials->bearer.len > 0)
        *ret = credentials->bearer;
    else
        *ret = credentials->session_cookie;
    if (ret->len > TOKEN_LEN_MAX)
        return fail_plain(ctx, ERR_INVALID_TOKEN);
    return OK;
}

static fiber_fn Err identity_load(struct ctx *ctx, struct access_cache *cache, Str token, Str ip,
                                  struct identity *ret, bool *ret_cacheable)
{
    assert(token.len > 0);
    if (!jwt_is_ours(ctx, token))
        return identity_of_static_token(ctx, cache, token, ip, ret, ret_cacheable);
    struct claims claims;
    TRY(jwt_verify(ctx, token, ctx->reactor->settings->secret, &claims));
    TRY(identity_of_user(ctx, cache, claims.user, ip, ret, ret_cacheable));
    ret->expires_wall_us = claims.expires_s * SECOND_US;
    return OK;
}

/* ERR_TOKEN_EXPIRED for a JWT that expired in the cache; an expired site token is unknown. */
static Err expiry_check(struct ctx *ctx, const struct identity *identity)
{
    if (identity->expires_wall_us == 0 || identity->expires_wall_us > clock_wall_us())
        return OK;
    bool is_jwt = identity->kind == ACTOR_USER;
    return fail_plain(ctx, is_jwt ? ERR_TOKEN_EXPIRED : ERR_INVALID_CREDENTIALS);
}

/* A cached site is valid while its stamp is the last one seen and was revalidated recently. */
static fiber_fn Err is_fresh(struct ctx *ctx, struct access_cache *cache, Uuid site,
                             int64_t site_epoch, bool *ret)
{
    assert(site_epoch != 0);
    TRY(access_revalidate(ctx, clock_now_us() - ACCESS_AGE_US, &site, false));
    *ret =
        access_thread(ctx->reactor)->cache == cache && cache_site(cache, site)->epoch == site_epoch;
    return OK;
}

static fiber_fn Err identity_recall(struct ctx *ctx, struct access_cache *cache, Str key,
                                    struct identity *ret, bool *ret_is_known)
{
    const struct identity *known = map_get(cache->tokens, key);
    *ret_is_known = known != NULL;
    if (known == NULL)
        return OK;
    *ret = *known;
    if (known->scope.kind == SCOPE_SITE)
        TRY(is_fresh(ctx, cache, ret->scope.site, ret->site_epoch, ret_is_known));
    return OK;
}

/* Replaces an existing entry, so that reloading a token does not grow the cache. */
static void identity_remember(struct access_cache *cache, Str key, const struct identity *identity)
{
    assert(key.len == sizeof(Sha256) && identity->grants != NULL);
    struct identity *known = map_get(cache->tokens, key);
    if (known == NULL) {
        known = arena_new(cache->arena, struct identity);
        map_put(cache->tokens, cache_dup(cache, key.data, key.len), known);
    }
    *known = *identity;
}

/* The cache key of a token is its hash, so that the cache holds no secret. */
static fiber_fn Err identity_find(struct ctx *ctx, struct access_cache *cache, Str token, Str ip,
                                  struct identity *ret)
{
    Sha256 hash = sha256(token);
    Str key = str_of((const char *)hash.bytes, sizeof hash.bytes);
    bool is_known;
    TRY(identity_recall(ctx, cache, key, ret, &is_known));
    if (!is_known) {
        int64_t sent_us = clock_now_us();
        bool is_cacheable = true;
        if (token.len == 0)
            TRY(identity_public(ctx, cache, ip, ret, &is_cacheable));
        else
            TRY(identity_load(ctx, cache, token, ip, ret, &is_cacheable));
        if (ret->scope.kind == SCOPE_SITE)
            cache_note_site(cache, ret->scope.site, ret->site_epoch, sent_us);
        if (is_cacheable)
            identity_remember(cache, key, ret);
    }
    if (ret->scope.kind == SCOPE_SITE)
        ctx->stamp = (SiteStamp){ret->scope.site, ret->site_epoch};
    return expiry_check(ctx, ret);
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
        TRY(is_fresh(ctx, cache, ret->site, ret->site_epoch, &is_known));
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

/* "https://a.example:8443" → "a.example:8443"; "null" and other invalid origins match no site. */
static Str origin_host(Str origin)
{
    ptrdiff_t slashes = str_find(origin, STR("://"));
    return slashes < 0 ? STR_NONE : str_slice(origin, (size_t)slashes + 3, origin.len);
}

/* The refusal depends on the cached host, so it is settled under the stamp of the host's site. */
static Err wrong_site(struct ctx *ctx, const struct host_entry *host)
{
    ctx->stamp = (SiteStamp){host->site, host->site_epoch};
    return fail(ctx, ERR_FORBIDDEN, "This token belongs to another site.");
}

/* Refuses a site's token on the host of another site, or with another site selected. */
static fiber_fn Err scope_of_site(struct ctx *ctx, struct access_cache *cache,
                                  const struct credentials *credentials, Uuid site, Uuid selected)
{
    struct host_entry host;
    TRY(host_find(ctx, cache, credentials->host, &host));
    if (!uuid_is_nil(host.site) && !uuid_eq(host.site, site))
        return wrong_site(ctx, &host);
    if (!uuid_is_nil(selected) && !uuid_eq(selected, site))
        return wrong_site(ctx, &host);
    return OK;
}

/* Anonymous: the host's site. A token bound to a site: that site. An unbound token: the platform,
 * narrowed by the site selector if present. */
static fiber_fn Err scope_find(struct ctx *ctx, struct access_cache *cache,
                               const struct credentials *credentials,
                               const struct identity *identity, Scope *ret)
{
    Uuid selected = {0};
    if (credentials->site_selector.len > 0 && !uuid_parse(credentials->site_selector, &selected))
        return fail(ctx, ERR_INVALID_PAYLOAD, "X-Site-Id must be a UUID");
    if (identity->scope.kind == SCOPE_PLATFORM) {
        *ret = identity->scope;
        if (!uuid_is_nil(selected))
            *ret = (Scope){.kind = SCOPE_SITE, .site = selected};
        return OK;
    }
    if (identity->scope.kind == SCOPE_SITE) {
        *ret = identity->scope;
        return scope_of_site(ctx, cache, credentials, identity->scope.site, selected);
    }
    struct host_entry host;
    TRY(host_find(ctx, cache, credentials->host, &host));
    if (uuid_is_nil(host.site) && credentials->by_origin)
        TRY(host_find(ctx, cache, origin_host(credentials->origin), &host));
    ctx->stamp = (SiteStamp){host.site, host.site_epoch};
    *ret = (Scope){.kind = uuid_is_nil(host.site) ? SCOPE_NONE : SCOPE_SITE, .site = host.site};
    return OK;
}

static Err god_check(struct ctx *ctx, Str given, bool *ret_is_god)
{
    Str token = ctx->reactor->settings->god_token;
    *ret_is_god = false;
    if (given.len == 0 || token.len == 0)
        return OK;
    if (!secret_eq(given, token))
        return fail_plain(ctx, ERR_FORBIDDEN);
    *ret_is_god = true;
    return OK;
}

static const struct identity GOD = {
    .kind = ACTOR_GOD, .is_admin = true, .may_write = true, .scope = {.kind = SCOPE_PLATFORM}};

fiber_fn Err authenticate(struct ctx *ctx, const struct credentials *credentials, struct ctx **ret)
{
    *ret = ctx;
    struct access_cache *cache;
    TRY(access_cache_current(ctx, &cache));
    Str token;
    TRY(token_choose(ctx, credentials, &token));
    bool is_god;
    TRY(god_check(ctx, credentials->god_token, &is_god));

    struct identity identity = GOD;
    identity.grants = grants_full();
    if (!is_god)
        TRY(identity_find(ctx, cache, token, credentials->ip, &identity));
    Scope scope = {.kind = SCOPE_NONE};
    Err err = scope_find(ctx, cache, credentials, &identity, &scope);
    if (err != OK) { /* refused, but the log names the site of the token */
        *ret = ctx_enter(ctx, NULL, scope, (Uuid){0});
        return err;
    }
    assert(identity.grants != NULL);
    struct actor *actor = arena_new(ctx->arena, struct actor);
    *actor = (struct actor){
        .kind = identity.kind,
        .user = identity.user,
        .role = identity.role,
        .is_admin = identity.is_admin,
        .has_app_access = identity.has_app_access,
        .enforces_tfa = identity.enforces_tfa,
        .may_write = identity.may_write,
        .scope = identity.scope,
        .policies = identity.policies,
        .grants = identity.grants,
        .ip = credentials->ip,
        .user_agent = credentials->user_agent,
        .origin = credentials->origin,
    };
    *ret = ctx_enter(ctx, actor, scope, identity.user);
    return OK;
}
