/* POST /api/admin/site-tokens: a token of one site, shown this once. */
#include "access/grants/actor.h"
#include "access/identity/site_token.h"
#include "base/system/clock.h"
#include "server/api/factory/factory.h"
#include "server/dispatch/handlers.h"

static Err token_read(struct ctx *ctx, const struct json *body, struct site_token_request *ret)
{
    Str expires = STR_NONE;
    *ret = (struct site_token_request){.may_write = true};
    TRY(json_take_uuid(ctx, body, "site_id", &ret->site));
    TRY(json_take_str(ctx, body, "name", 255, &ret->name));
    TRY(json_take_str(ctx, body, "expires_at", 64, &expires));
    bool is_read_only = false;
    TRY(json_take_bool(ctx, body, "read_only", &is_read_only));
    ret->may_write = !is_read_only;
    if (uuid_is_nil(ret->site))
        return factory_refuse(ctx, "site_id", "site_id is required");
    if (ret->name.len == 0)
        return factory_refuse(ctx, "name", "name is required");
    if (expires.len > 0 && !clock_parse_iso(expires, &ret->expires_wall_us))
        return factory_refuse(ctx, "expires_at", "expires_at has to be an ISO 8601 date");
    if (expires.len > 0 && ret->expires_wall_us <= clock_wall_us())
        return factory_refuse(ctx, "expires_at", "expires_at is in the past");
    return OK;
}

fiber_fn Err site_tokens_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct platform platform;
    TRY(actor_platform(ctx, &platform));
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct site_token_request wanted;
    TRY(token_read(ctx, body, &wanted));
    Uuid id;
    Str token;
    TRY(site_token_create(platform, &wanted, &id, &token));

    reply->status = 201;
    reply_header(reply, STR("cache-control"), STR("no-store"));
    json_object_begin(&reply->json);
    json_field_uuid(&reply->json, "id", id);
    json_field_str(&reply->json, "token", token);
    json_object_end(&reply->json);
    return OK;
}
