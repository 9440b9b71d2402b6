/* What the caller may do: /permissions/me, /policies/me/globals, /roles/me. */
#include "access/grants/actor.h"
#include "access/identity/current.h"
#include "base/system/clock.h"
#include "content/items/items.h"
#include "content/rights/rights.h"
#include "gen/routes/access.h"
#include "server/rest/rest_rows.h"

#include <assert.h>

/* These answers come from memory, where no statement has compared the stamps. */
static fiber_fn Err check_known(struct ctx *ctx)
{
    if (ctx->actor->kind == ACTOR_PUBLIC)
        return fail_plain(ctx, ERR_FORBIDDEN);
    return access_confirm(ctx, clock_now_us());
}

fiber_fn Err route_permissions_mine(struct ctx *ctx, const struct request *request,
                                    struct reply *reply)
{
    (void)request;
    TRY(check_known(ctx));
    json_object_begin(&reply->json);
    json_key(&reply->json, STR("data"));
    TRY(rights_put_mine(ctx, &reply->json));
    json_object_end(&reply->json);
    return OK;
}

static fiber_fn Err put_item(struct ctx *ctx, Str collection, Str key, struct reply *reply)
{
    TRY(check_known(ctx));
    json_object_begin(&reply->json);
    json_key(&reply->json, STR("data"));
    TRY(rights_put_item(ctx, collection, key, &reply->json));
    json_object_end(&reply->json);
    return OK;
}

fiber_fn Err route_permissions_mine_collection(struct ctx *ctx, const struct request *request,
                                               struct reply *reply)
{
    return put_item(ctx, request->params[0], STR_NONE, reply);
}

fiber_fn Err route_permissions_mine_item(struct ctx *ctx, const struct request *request,
                                         struct reply *reply)
{
    return put_item(ctx, request->params[0], request->params[1], reply);
}

/* To the public only the first is told, as in Directus. */
fiber_fn Err route_policies_globals(struct ctx *ctx, const struct request *request,
                                    struct reply *reply)
{
    (void)request;
    const struct actor *actor = ctx->actor;
    TRY(access_confirm(ctx, clock_now_us()));
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_key(w, STR("data"));
    json_object_begin(w);
    json_field_bool(w, "app_access", actor->kind != ACTOR_PUBLIC && actor->has_app_access);
    if (actor->kind != ACTOR_PUBLIC) {
        json_field_bool(w, "admin_access", actor->is_admin);
        json_field_bool(w, "enforce_tfa", actor->enforces_tfa);
    }
    json_object_end(w);
    json_object_end(w);
    return OK;
}

/* The role and those above it. */
static fiber_fn Err own_roles(struct ctx *ctx, const Str **ret, uint32_t *ret_count)
{
    const struct schema *schema;
    Uuid roles[ROLE_CHAIN_MAX];
    TRY(schema_current(ctx, &schema));
    uint32_t count = schema_role_chain(schema, ctx->actor->role, roles);
    Str *texts = arena_array(ctx->arena, Str, count + 1);
    for (uint32_t i = 0; i < count; i++)
        texts[i] = uuid_text(ctx->arena, roles[i]);
    *ret = texts;
    *ret_count = count;
    return OK;
}

/* The highest role first. */
static void put_ids(struct json_writer *w, const Str *roles, uint32_t count)
{
    json_object_begin(w);
    json_key(w, STR("data"));
    json_array_begin(w);
    for (uint32_t i = count; i-- > 0;) {
        json_object_begin(w);
        json_field_str(w, "id", roles[i]);
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}

fiber_fn Err route_roles_mine(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(check_known(ctx));
    const Str *roles;
    uint32_t count;
    TRY(own_roles(ctx, &roles, &count));
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    struct rest_rows rows = rest_rows(reply->body);
    const struct items_target target = {STR("directus_roles"), ITEMS_SYSTEM};
    Err err = items_read_many(ctx, target, roles, count, &query, &rows.sink);
    if (err != ERR_FORBIDDEN)
        return err;
    assert(!rows.has_begun);
    diag_clear(ctx);
    put_ids(&reply->json, roles, count);
    return OK;
}
