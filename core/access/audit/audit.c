#include "access/audit/audit.h"

#include "gen/sql.h"

#include <assert.h>

static const char *const ACTOR_NAMES[] = {
    [ACTOR_PUBLIC] = "public",       [ACTOR_USER] = "user",   [ACTOR_SITE_TOKEN] = "site_token",
    [ACTOR_SHARE] = "share",         [ACTOR_ADMIN] = "admin", [ACTOR_GOD] = "god",
    [ACTOR_MACHINERY] = "machinery",
};

const char *audit_actor_name(const struct actor *actor)
{
    assert(actor == NULL || actor->kind <= ACTOR_MACHINERY);
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

/* Null: the platform. The nil UUID may be the key of a site. */
static DbArg site_of(const struct ctx *ctx, const struct audit *audit)
{
    if (!uuid_is_nil(audit->site))
        return db_uuid(audit->site);
    return ctx->scope.kind == SCOPE_SITE ? db_uuid(ctx->scope.site) : db_null();
}

static struct db_args args_of(const struct ctx *ctx, const struct audit *audit)
{
    assert(audit->action.len > 0);
    struct audit_add_args args = {
        .site = site_of(ctx, audit),
        .action = audit->action,
        .entity_type = audit->entity_type,
        .entity_id = audit->entity_id,
        .details = audit->details,
        .level = str_from_z(audit->level != NULL ? audit->level : "info"),
        .status = str_from_z(audit->status != NULL ? audit->status : "done"),
        .audit_user = uuid_is_nil(audit->user) ? audit_user(ctx) : db_uuid(audit->user),
        .audit_actor = audit->actor == NULL ? audit_actor(ctx) : db_text(str_from_z(audit->actor)),
        .audit_ip = audit->ip.len == 0 ? audit_ip(ctx) : db_text(audit->ip),
    };
    return audit_add_args(ctx->arena, &args);
}

fiber_fn Err audit_write(struct db_tx *tx, const struct audit *audit)
{
    assert(tx->connection != NULL);
    return db_tx_query(tx, &SQL_AUDIT_ADD, args_of(tx->ctx, audit), NULL);
}

fiber_fn Err audit_write_each(struct db_tx *tx, Str action, Str entity_type, const Str *entity_ids,
                              uint32_t count)
{
    assert(tx->as_platform && action.len > 0);
    struct audit_rows_args args = {
        .sites = {NULL, 0}, /* unnest fills up with nulls: of the platform */
        .keys = {entity_ids, count},
        .action = action,
        .entity_type = entity_type,
        .details = db_null(),
        .audit_user = audit_user(tx->ctx),
        .audit_actor = audit_actor(tx->ctx),
        .audit_ip = audit_ip(tx->ctx),
    };
    return count == 0
               ? OK
               : db_tx_query(tx, &SQL_AUDIT_ROWS, audit_rows_args(tx->ctx->arena, &args), NULL);
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
