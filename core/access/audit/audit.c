#include "access/audit/audit.h"

#include "gen/sql.h"

#include <assert.h>

enum { ARG_COUNT = 10 };

static const char *const ACTOR_NAMES[] = {
    [ACTOR_PUBLIC] = "public", [ACTOR_USER] = "user", [ACTOR_SITE_TOKEN] = "site_token",
    [ACTOR_ADMIN] = "admin",   [ACTOR_GOD] = "god",   [ACTOR_MACHINERY] = "machinery",
};

const char *audit_actor_name(const struct actor *actor)
{
    return ACTOR_NAMES[actor == NULL ? ACTOR_MACHINERY : actor->kind];
}

enum actor_kind audit_actor_kind(Str name)
{
    for (int i = 0; i < ACTOR_MACHINERY; i++)
        if (str_eq(name, str_from_z(ACTOR_NAMES[i])))
            return (enum actor_kind)i;
    return ACTOR_MACHINERY;
}

const struct actor *audit_doer(const struct ctx *ctx)
{
    return ctx->actor != NULL ? ctx->actor : ctx->asked_by;
}

DbArg audit_user(const struct ctx *ctx)
{
    const struct actor *actor = audit_doer(ctx);
    return actor != NULL && !uuid_is_nil(actor->user) ? db_uuid(actor->user) : db_null();
}

DbArg audit_actor(const struct ctx *ctx)
{
    return db_text(str_from_z(audit_actor_name(audit_doer(ctx))));
}

DbArg audit_ip(const struct ctx *ctx)
{
    const struct actor *actor = audit_doer(ctx);
    return actor != NULL && actor->ip.len > 0 ? db_text(actor->ip) : db_null();
}

static DbArg z_or(const char *given, const char *absent)
{
    return db_text(str_from_z(given != NULL ? given : absent));
}

static DbArg site_arg(const struct ctx *ctx, const struct audit *audit)
{
    if (!uuid_is_nil(audit->site))
        return db_uuid(audit->site);
    return ctx->scope.kind == SCOPE_SITE ? db_uuid(ctx->scope.site) : db_null();
}

/* In the arena: a batch reads its arguments only when it runs. */
static struct db_args args_of(const struct ctx *ctx, const struct audit *audit)
{
    assert(audit->action.len > 0);
    DbArg *list = arena_array(ctx->arena, DbArg, ARG_COUNT);
    list[0] = site_arg(ctx, audit);
    list[1] = db_text(audit->action);
    list[2] = db_text_or_null(audit->entity_type);
    list[3] = db_text_or_null(audit->entity_id);
    list[4] = db_text_or_null(audit->details);
    list[5] = z_or(audit->level, "info");
    list[6] = z_or(audit->status, "done");
    list[7] = uuid_is_nil(audit->user) ? audit_user(ctx) : db_uuid(audit->user);
    list[8] = audit->actor == NULL ? audit_actor(ctx) : db_text(str_from_z(audit->actor));
    list[9] = audit->ip.len == 0 ? audit_ip(ctx) : db_text(audit->ip);
    return (struct db_args){list, ARG_COUNT};
}

fiber_fn Err audit_write(struct db_tx *tx, const struct audit *audit)
{
    return db_tx_query(tx, &SQL_AUDIT_ADD, args_of(tx->ctx, audit), NULL);
}

void audit_add(struct ctx *ctx, struct db_batch *batch, const struct audit *audit)
{
    db_batch_add(batch, &SQL_AUDIT_ADD, args_of(ctx, audit), NULL);
}

fiber_fn Err audit_now(struct ctx *ctx, const struct audit *audit)
{
    return db_query(ctx, &SQL_AUDIT_ADD, args_of(ctx, audit), NULL);
}

fiber_fn Err audit_note(struct platform platform, const struct audit *audit)
{
    return db_query_platform(platform, &SQL_AUDIT_ADD, args_of(platform.ctx, audit), NULL);
}
