#include "access/grants/actor.h"

Err actor_platform(struct ctx *ctx, struct platform *ret)
{
    if (ctx->actor == NULL || ctx->scope.kind != SCOPE_PLATFORM)
        return fail(ctx, ERR_FORBIDDEN, "This needs a token of the platform.");
    *ret = (struct platform){ctx};
    return OK;
}

Err actor_require_admin(struct ctx *ctx)
{
    const struct actor *actor = ctx->actor;
    if (actor == NULL || actor->kind == ACTOR_PUBLIC)
        return fail(ctx, ERR_UNAUTHENTICATED, "This route needs an administrator's token.");
    if (!actor->is_admin)
        return fail_plain(ctx, ERR_FORBIDDEN);
    return OK;
}
