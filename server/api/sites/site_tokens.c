/* POST /api/admin/site-tokens: creates a token of one site, which is returned only once. */
#include "access/grants/actor.h"
#include "access/identity/site_token.h"
#include "base/system/clock.h"
#include "gen/routes/sites.h"

Err route_site_tokens_post_check(struct ctx *ctx, struct site_tokens_post_input *input)
{
    if (input->has_expires_at && input->expires_at <= clock_wall_us())
        return field_refuse(ctx, "expires_at", "expires_at is in the past");
    return OK;
}

fiber_fn Err route_site_tokens_post(struct ctx *ctx, const struct request *request,
                                    const struct site_tokens_post_input *input, struct reply *reply)
{
    struct platform platform;
    TRY(actor_platform(ctx, &platform));
    (void)request;
    struct site_token_request wanted = {
        .site = input->site_id,
        .name = input->name,
        .may_write = !input->read_only,
        .expires_wall_us = input->expires_at,
    };
    Uuid id;
    Str token;
    TRY(site_token_create(platform, &wanted, &id, &token));

    reply->status = 201;
    reply_header(reply, STR("cache-control"), STR("no-store"));
    site_tokens_post_reply_write(&reply->json,
                                 &(struct site_tokens_post_reply){.id = id, .token = token});
    return OK;
}
