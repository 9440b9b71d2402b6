#include "access/identity/authenticate.h"
#include "access/identity/identity.h"

#include <assert.h>

fiber_fn Err other_user_find(struct ctx *ctx, Uuid user, const struct actor **ret)
{
    struct access_cache *cache;
    struct identity identity;
    bool is_cacheable;
    *ret = NULL;
    SCOPED_CTX struct ctx machinery = ctx_as_machinery(ctx, "rights belong to no tenant");
    TRY(access_cache_current(&machinery, &cache));
    Err err = identity_of_user(&machinery, cache, user, STR_NONE, &identity, &is_cacheable);
    if (err == ERR_INVALID_CREDENTIALS) {
        diag_clear(&machinery);
        return OK;
    }
    TRY(err);
    assert(identity.grants != NULL);
    struct actor *actor = arena_new(ctx->arena, struct actor);
    *actor = (struct actor){
        .kind = identity.kind,
        .user = identity.user,
        .role = identity.role,
        .is_admin = identity.is_admin,
        .has_app_access = identity.has_app_access,
        .scope = identity.scope,
        .grants = identity.grants,
    };
    *ret = actor;
    return OK;
}
