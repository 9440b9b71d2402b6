#include "access/identity/authenticate.h"

#include "access/identity/cache.h"
#include "access/identity/current.h"
#include "access/identity/identity.h"
#include "access/identity/jwt.h"
#include "access/identity/site_find.h"
#include "base/crypto/crypto.h"
#include "base/system/clock.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum { TOKEN_LEN_MAX = 8192 };

/* The cookie counts only if there is no other token. */
static Err token_choose(struct ctx *ctx, const struct credentials *credentials, Str *ret,
                        bool *ret_is_cookie)
{
    *ret_is_cookie = credentials_are_cookie(credentials);
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

bool credentials_are_cookie(const struct credentials *credentials)
{
    return credentials->query_token.len == 0 && credentials->bearer.len == 0 &&
           credentials->session_cookie.len > 0;
}

static fiber_fn Err identity_load(struct ctx *ctx, struct access_cache *cache, Str token, Str ip,
                                  struct identity *ret, bool *ret_cacheable)
{
    assert(token.len > 0);
    if (!jwt_is_ours(ctx, token))
        return identity_of_static_token(ctx, cache, token, ip, ret, ret_cacheable);
    struct claims claims;
    TRY(jwt_verify(ctx, token, ctx->reactor->settings->secret, &claims));
    if (uuid_is_nil(claims.share))
        TRY(identity_of_user(ctx, cache, claims.user, ip, ret, ret_cacheable));
    else
        TRY(identity_of_share(ctx, cache, claims.share, ip, ret, ret_cacheable));
    ret->expires_wall_us = claims.expires_s * SECOND_US;
    ret->has_session = claims.session.len > 0;
    return OK;
}

/* A session ends at once on every server: its row is looked up for each request, unlike rights,
 * which are cached under the epoch. The cache keeps no claims, because the session is a secret. */
static fiber_fn Err session_check(struct ctx *ctx, Str token, const struct identity *identity)
{
    if (!identity->has_session)
        return OK;
    assert(token.len > 0 && (identity->kind == ACTOR_USER || identity->kind == ACTOR_SHARE));
    struct rows rows;
    bool is_share = identity->kind == ACTOR_SHARE;
    TRY(db_query_platform(reactor_platform(ctx),
                          is_share ? &SQL_SHARE_SESSION : &SQL_ACCESS_SESSION,
                          ARGS(db_text(jwt_session(ctx, token)),
                               db_uuid(is_share ? identity->share : identity->user)),
                          &rows));
    return rows.count == 1 ? OK : fail_plain(ctx, ERR_INVALID_CREDENTIALS);
}

/* ERR_TOKEN_EXPIRED for a JWT that expired in the cache; an expired site token is unknown. */
static Err expiry_check(struct ctx *ctx, const struct identity *identity)
{
    if (identity->expires_wall_us == 0 || identity->expires_wall_us > clock_wall_us())
        return OK;
    bool is_jwt = identity->kind == ACTOR_USER || identity->kind == ACTOR_SHARE;
    return fail_plain(ctx, is_jwt ? ERR_TOKEN_EXPIRED : ERR_INVALID_CREDENTIALS);
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
        TRY(site_is_fresh(ctx, cache, ret->scope.site, ret->site_epoch, ret_is_known));
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
    TRY(expiry_check(ctx, ret));
    return session_check(ctx, token, ret);
}

/*
 * A browser sends the cookie with every request, whichever page made it. Pages of other origins
 * must not act with it: on a host that a site shares with its own pages it counts for users of that
 * site alone, anywhere else not at all. Then the request is a visitor's.
 */
static fiber_fn Err identity_of_cookie(struct ctx *ctx, struct access_cache *cache,
                                       const struct credentials *credentials, struct identity *ret)
{
    assert(!credentials->is_own_page && credentials->session_cookie.len > 0);
    struct request_sites sites;
    TRY(sites_find(ctx, cache, credentials->host, credentials->origin, &sites));
    if (request_sites_are_one(&sites)) {
        TRY(identity_find(ctx, cache, credentials->session_cookie, credentials->ip, ret));
        if (ret->scope.kind == SCOPE_SITE && uuid_eq(ret->scope.site, sites.by_origin))
            return OK;
    }
    return identity_find(ctx, cache, STR_NONE, credentials->ip, ret);
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
    bool is_cookie;
    TRY(token_choose(ctx, credentials, &token, &is_cookie));
    bool is_god;
    TRY(god_check(ctx, credentials->god_token, &is_god));

    struct identity identity = GOD;
    identity.grants = grants_full();
    if (!is_god && is_cookie && !credentials->is_own_page)
        TRY(identity_of_cookie(ctx, cache, credentials, &identity));
    else if (!is_god)
        TRY(identity_find(ctx, cache, token, credentials->ip, &identity));
    Scope scope = {.kind = SCOPE_NONE};
    Err err = scope_find(ctx, cache, credentials, &identity, &scope);
    if (err != OK) { /* refused, but the log names the site of the token */
        *ret = ctx_enter(ctx, NULL, scope, (Uuid){0});
        return err;
    }
    const struct caller caller = {
        .ip = credentials->ip,
        .user_agent = credentials->user_agent,
        .origin = credentials->origin,
        .session = identity.has_session ? jwt_session(ctx, token) : STR_NONE,
    };
    struct actor *actor = identity_actor(ctx, &identity, &caller);
    bool is_platform = identity.kind == ACTOR_ADMIN;
    *ret = ctx_enter(ctx, actor, scope, is_platform ? (Uuid){0} : identity.user);
    return OK;
}
