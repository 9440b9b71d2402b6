#include "access/identity/explained.h"

#include "access/identity/cache.h"
#include "access/identity/identity.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>

static fiber_fn Err site_token_load(struct ctx *ctx, Uuid id, struct identity *ret)
{
    struct rows rows;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_ACCESS_SITE_TOKEN_BY_ID, ARGS(db_uuid(id)),
                          &rows));
    assert(rows.count <= 1);
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such token.");
    if (!row_bool(&rows, 0, ACCESS_SITE_TOKEN_BY_ID_IS_VALID))
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    const Str *scopes;
    uint32_t count = row_text_array(ctx->arena, &rows, 0, ACCESS_SITE_TOKEN_BY_ID_SCOPES, &scopes);
    *ret = identity_of_site(row_uuid(&rows, 0, ACCESS_SITE_TOKEN_BY_ID_SITE_ID), scopes, count);
    return OK;
}

static fiber_fn Err user_load(struct ctx *ctx, struct access_cache *cache,
                              const struct subject_spec *spec, struct identity *ret)
{
    struct rows rows;
    bool is_cacheable;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_ACCESS_USER_BY_ID, ARGS(db_uuid(spec->id)),
                          &rows));
    assert(rows.count <= 1);
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such user.");
    ret->user = spec->id;
    ret->role = row_uuid(&rows, 0, ACCESS_USER_BY_ID_ROLE);
    return identity_of_user(ctx, cache, spec->id, spec->ip, ret, &is_cacheable);
}

static fiber_fn Err identity_load(struct ctx *ctx, struct access_cache *cache,
                                  const struct subject_spec *spec, struct identity *ret)
{
    bool is_cacheable;
    switch (spec->kind) {
    case SUBJECT_SITE_TOKEN:
        if (!cache->has_sites)
            return fail(ctx, ERR_NOT_FOUND, "There is no such token.");
        return site_token_load(ctx, spec->id, ret);
    case SUBJECT_USER:
        return user_load(ctx, cache, spec, ret);
    case SUBJECT_PUBLIC:
        return identity_public(ctx, cache, spec->ip, ret, &is_cacheable);
    }
    return fail_plain(ctx, ERR_INTERNAL);
}

/* As authentication: a credential that is bound to a site may not act in another. */
static Err scope_find(struct ctx *ctx, const struct subject_spec *spec,
                      const struct identity *identity, Scope *ret)
{
    assert(identity->grants != NULL);
    bool is_named = !uuid_is_nil(spec->site);
    *ret = identity->scope;
    if (identity->scope.kind == SCOPE_SITE && is_named &&
        !uuid_eq(identity->scope.site, spec->site))
        return fail(ctx, ERR_FORBIDDEN, "This token belongs to another site.");
    if (is_named)
        *ret = (Scope){.kind = SCOPE_SITE, .site = spec->site};
    else if (spec->kind == SUBJECT_PUBLIC)
        *ret = (Scope){.kind = SCOPE_NONE};
    return OK;
}

fiber_fn Err subject_load(struct ctx *ctx, const struct subject_spec *spec, struct subject *ret)
{
    assert(ctx->scope.kind == SCOPE_PLATFORM);
    SCOPED_CTX struct ctx machinery = ctx_as_machinery(ctx, "loads the rights of somebody else");
    struct access_cache *cache;
    TRY(access_cache_current(&machinery, &cache));
    if (ctx->epoch != 0 && cache->epoch != ctx->epoch)
        return fail(ctx, ERR_STALE_EPOCH, "the rights have changed meanwhile");
    struct identity identity = {0};
    *ret = (struct subject){0};
    Err err = identity_load(&machinery, cache, spec, &identity);
    if (err == OK)
        err = scope_find(&machinery, spec, &identity, &ret->scope);
    if (err == ERR_NOT_FOUND || err_info(err)->status >= 500)
        return err;
    ret->refusal = err;
    diag_clear(&machinery);
    if (err == OK)
        ret->actor = identity_actor(&machinery, &identity, &(struct caller){.ip = spec->ip});
    if (spec->kind == SUBJECT_SITE_TOKEN)
        return OK;
    return policies_explain(&machinery, identity.user, identity.role, spec->ip, &ret->policies,
                            &ret->policy_count);
}

fiber_fn Err other_user_find(struct ctx *ctx, Uuid user, const struct actor **ret)
{
    struct access_cache *cache;
    struct identity identity;
    bool is_cacheable;
    assert(!uuid_is_nil(user));
    *ret = NULL;
    SCOPED_CTX struct ctx machinery = ctx_as_machinery(ctx, "rights belong to no tenant");
    TRY(access_cache_current(&machinery, &cache));
    Err err = identity_of_user(&machinery, cache, user, STR_NONE, &identity, &is_cacheable);
    if (err == ERR_INVALID_CREDENTIALS) {
        diag_clear(&machinery);
        return OK;
    }
    TRY(err);
    *ret = identity_actor(ctx, &identity, &(struct caller){.ip = STR_NONE});
    return OK;
}
