#include "access/identity/identity.h"

#include "access/identity/policies.h"
#include "base/crypto/crypto.h"
#include "base/settings/settings.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>

struct actor *identity_actor(struct ctx *ctx, const struct identity *identity,
                             const struct caller *caller)
{
    assert(identity->grants != NULL);
    struct actor *actor = arena_new(ctx->arena, struct actor);
    *actor = (struct actor){
        .kind = identity->kind,
        .user = identity->user,
        .role = identity->role,
        .share = identity->share,
        .is_admin = identity->is_admin,
        .has_app_access = identity->has_app_access,
        .enforces_tfa = identity->enforces_tfa,
        .may_write = identity->may_write,
        .scope = identity->scope,
        .session = caller->session,
        .policies = identity->policies,
        .grants = identity->grants,
        .ip = caller->ip,
        .user_agent = caller->user_agent,
        .origin = caller->origin,
    };
    return actor;
}

fiber_fn Err identity_public(struct ctx *ctx, struct access_cache *cache, Str ip,
                             struct identity *ret, bool *ret_cacheable)
{
    struct policies policies;
    TRY(policies_of_public(ctx, ip, &policies));
    *ret_cacheable = !policies.depends_on_ip;
    *ret = (struct identity){.kind = ACTOR_PUBLIC, .may_write = true};
    return policies_grant(ctx, cache, &policies, ret);
}

static fiber_fn Err user_rights(struct ctx *ctx, struct access_cache *cache, Str ip,
                                struct identity *user, bool *ret_cacheable)
{
    struct policies policies;
    TRY(policies_of_user(ctx, user->user, user->role, ip, &policies));
    *ret_cacheable = !policies.depends_on_ip;
    user->kind = ACTOR_USER;
    user->may_write = true;
    return policies_grant(ctx, cache, &policies, user);
}

fiber_fn Err identity_site_check(struct ctx *ctx, const struct access_cache *cache, Uuid site)
{
    assert(cache != NULL);
    struct rows rows;
    if (!cache->has_sites)
        return OK;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_ACCESS_SITE_IS_OPEN, ARGS(db_uuid(site)),
                          &rows));
    assert(rows.count == 1);
    return row_bool(&rows, 0, ACCESS_SITE_IS_OPEN_IS_OPEN)
               ? OK
               : fail_plain(ctx, ERR_INVALID_CREDENTIALS);
}

/* ERR_INVALID_CREDENTIALS when the user's site is closed. */
static fiber_fn Err scope_of_user(struct ctx *ctx, const struct access_cache *cache,
                                  const struct rows *user, uint32_t site_column, Scope *ret)
{
    *ret = (Scope){.kind = SCOPE_PLATFORM};
    if (row_is_null(user, 0, site_column)) /* and not nil, which is a valid key */
        return OK;
    Uuid site = row_uuid(user, 0, site_column);
    TRY(identity_site_check(ctx, cache, site));
    *ret = (Scope){.kind = SCOPE_SITE, .site = site};
    return OK;
}

fiber_fn Err identity_of_user(struct ctx *ctx, struct access_cache *cache, Uuid user, Str ip,
                              struct identity *ret, bool *ret_cacheable)
{
    struct rows rows;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_ACCESS_USER_BY_ID, ARGS(db_uuid(user)),
                          &rows));
    if (rows.count == 0 || !str_eq(row_text(&rows, 0, ACCESS_USER_BY_ID_STATUS), STR("active")))
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    *ret = (struct identity){
        .user = user,
        .role = row_uuid(&rows, 0, ACCESS_USER_BY_ID_ROLE),
    };
    ret->site_epoch = row_int(&rows, 0, ACCESS_USER_BY_ID_SITE_EPOCH);
    TRY(scope_of_user(ctx, cache, &rows, ACCESS_USER_BY_ID_SITE_ID, &ret->scope));
    return user_rights(ctx, cache, ip, ret, ret_cacheable);
}

struct identity identity_of_site(Uuid site, const Str *scopes, uint32_t scope_count)
{
    bool may_write = false;
    for (uint32_t i = 0; i < scope_count; i++)
        may_write |= str_eq(scopes[i], STR("write"));
    return (struct identity){
        .kind = ACTOR_SITE_TOKEN,
        .is_admin = true,
        .may_write = may_write,
        .scope = {.kind = SCOPE_SITE, .site = site},
        .grants = grants_full(),
    };
}

static struct identity identity_of_site_token(struct ctx *ctx, const struct rows *rows)
{
    assert(rows->count == 1);
    const Str *scopes;
    uint32_t count = row_text_array(ctx->arena, rows, 0, ACCESS_SITE_TOKEN_SCOPES, &scopes);
    struct identity identity =
        identity_of_site(row_uuid(rows, 0, ACCESS_SITE_TOKEN_SITE_ID), scopes, count);
    identity.site_epoch = row_int(rows, 0, ACCESS_SITE_TOKEN_SITE_EPOCH);
    identity.expires_wall_us = row_time(rows, 0, ACCESS_SITE_TOKEN_EXPIRES_AT);
    return identity;
}

/* ADMIN_TOKEN is a token of the user ADMIN_EMAIL, as in Directus, and works without that user too.
 */
static fiber_fn Err identity_of_admin(struct ctx *ctx, struct identity *ret, bool *ret_cacheable)
{
    *ret = (struct identity){
        .kind = ACTOR_ADMIN,
        .is_admin = true,
        .may_write = true,
        .has_app_access = true,
        .scope = {.kind = SCOPE_PLATFORM},
        .grants = grants_full(),
    };
    struct rows rows;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_ACCESS_USER_BY_EMAIL,
                          ARGS(db_text(ctx->reactor->settings->admin_email)), &rows));
    *ret_cacheable = rows.count == 1; /* the first start creates it beside the first requests */
    if (rows.count != 1)
        return OK;
    ret->user = row_uuid(&rows, 0, ACCESS_USER_BY_EMAIL_ID);
    ret->role = row_uuid(&rows, 0, ACCESS_USER_BY_EMAIL_ROLE);
    return OK;
}

fiber_fn Err identity_of_static_token(struct ctx *ctx, struct access_cache *cache, Str token,
                                      Str ip, struct identity *ret, bool *ret_cacheable)
{
    assert(token.len > 0);
    *ret_cacheable = true;
    Str admin_token = ctx->reactor->settings->admin_token;
    if (admin_token.len > 0 && secret_eq(token, admin_token))
        return identity_of_admin(ctx, ret, ret_cacheable);
    Sha256 hash = sha256(token);
    struct rows rows = {0};
    if (cache->has_sites)
        TRY(db_query_platform(reactor_platform(ctx), &SQL_ACCESS_SITE_TOKEN,
                              ARGS(db_bytes(str_of((const char *)hash.bytes, sizeof hash.bytes))),
                              &rows));
    if (rows.count == 1) {
        *ret = identity_of_site_token(ctx, &rows);
        return OK;
    }
    TRY(db_query_platform(reactor_platform(ctx), &SQL_ACCESS_USER_BY_TOKEN, ARGS(db_text(token)),
                          &rows));
    if (rows.count == 0)
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    *ret = (struct identity){
        .user = row_uuid(&rows, 0, ACCESS_USER_BY_TOKEN_ID),
        .role = row_uuid(&rows, 0, ACCESS_USER_BY_TOKEN_ROLE),
    };
    ret->site_epoch = row_int(&rows, 0, ACCESS_USER_BY_TOKEN_SITE_EPOCH);
    TRY(scope_of_user(ctx, cache, &rows, ACCESS_USER_BY_TOKEN_SITE_ID, &ret->scope));
    return user_rights(ctx, cache, ip, ret, ret_cacheable);
}
