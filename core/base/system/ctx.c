#include "base/system/ctx.h"

#include <assert.h>
#include <string.h>

struct ctx *ctx_new(struct arena *arena, struct ctx value)
{
    struct ctx *ctx = arena_new(arena, struct ctx);
    memcpy(ctx, &value, sizeof value); /* initialises its const members */
    return ctx;
}

/* Copies everything except the members of a child. */
static struct ctx *successor(const struct ctx *ctx, const struct actor *actor, Scope scope,
                             Uuid account)
{
    assert(ctx->parent == NULL);
    const struct ctx next = {
        .arena = ctx->arena,
        .reactor = ctx->reactor,
        .actor = actor,
        .asked_by = ctx->asked_by,
        .scope = scope,
        .account = account,
        .deadline_us = ctx->deadline_us,
        .epoch = ctx->epoch,
        .stamp = ctx->stamp,
        .is_repeated = ctx->is_repeated,
        .is_current = ctx->is_current,
        .tally = ctx->tally,
        .trace = ctx->trace,
        .has_committed = ctx->has_committed,
        .diag = ctx->diag,
    };
    return ctx_new(ctx->arena, next);
}

struct ctx *ctx_enter(const struct ctx *ctx, const struct actor *actor, Scope scope, Uuid account)
{
    assert(ctx->actor == NULL && ctx->scope.kind == SCOPE_NONE);
    struct ctx *next = successor(ctx, actor, scope, account);
    next->is_current = false; /* earlier statements did not check the stamps of this site or host */
    return next;
}

struct ctx *ctx_narrow(const struct ctx *ctx, Uuid site)
{
    assert(ctx->scope.kind != SCOPE_SITE);
    return successor(ctx, ctx->actor, (Scope){.kind = SCOPE_SITE, .site = site}, ctx->account);
}

static struct ctx child_of(struct ctx *parent, const struct actor *actor, Scope scope,
                           const char *why)
{
    assert(parent != NULL && why != NULL);
    return (struct ctx){
        .arena = parent->arena,
        .reactor = parent->reactor,
        .actor = actor,
        .asked_by = parent->asked_by,
        .is_repeated = parent->is_repeated,
        .scope = scope,
        .account = parent->account,
        .deadline_us = parent->deadline_us,
        .tally = parent->tally,
        .trace = parent->trace,
        .parent = parent,
        .why = why,
    };
}

struct ctx ctx_for_site(struct ctx *parent, Uuid site, const char *why)
{
    return child_of(parent, parent->actor, (Scope){.kind = SCOPE_SITE, .site = site}, why);
}

struct ctx ctx_for_platform(struct ctx *parent, const char *why)
{
    assert(parent->actor == NULL); /* a caller's rights depend on its scope */
    return child_of(parent, NULL, (Scope){.kind = SCOPE_PLATFORM}, why);
}

struct ctx ctx_as_machinery(struct ctx *parent, const char *why)
{
    return child_of(parent, NULL, (Scope){.kind = SCOPE_NONE}, why);
}

struct ctx ctx_for_actor(struct ctx *parent, const struct actor *actor, Scope scope,
                         const char *why)
{
    assert(actor != NULL);
    assert(parent->scope.kind == SCOPE_PLATFORM ||
           (scope.kind == parent->scope.kind && uuid_eq(scope.site, parent->scope.site)));
    return child_of(parent, actor, scope, why);
}

void ctx_end(struct ctx *child)
{
    assert(child->parent != NULL);
    if (child->diag.first != NULL)
        child->parent->diag = child->diag;
    child->parent->has_committed |= child->has_committed;
}
