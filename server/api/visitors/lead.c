/* POST /api/lead: stores a lead in one transaction, durable before the answer. */
#include "gen/routes/visitors.h"
#include "gen/sql.h"
#include "server/api/visitors/public.h"

Err route_lead_post_check(struct ctx *ctx, struct lead_post_input *input)
{
    if (email_is_plausible(input->email))
        return OK;
    return field_refuse(ctx, "email",
                        input->email.len == 0 ? "Email is required" : "Email is not valid");
}

fiber_fn Err route_lead_post(struct ctx *ctx, const struct request *request,
                             const struct lead_post_input *input, struct reply *reply)
{
    Uuid id = uuid_make();
    TRY(db_query(ctx, &SQL_LEAD_CREATE,
                 lead_create_args(ctx->arena,
                                  &(struct lead_create_args){
                                      .site = ctx->scope.site,
                                      .id = id,
                                      .name = input->name,
                                      .email = input->email,
                                      .phone = input->phone,
                                      .message = input->message,
                                      .source = input->source,
                                      .page_url = input->page_url,
                                      .referrer = input->referrer,
                                      .utm_source = input->utm_source,
                                      .utm_medium = input->utm_medium,
                                      .utm_campaign = input->utm_campaign,
                                      .ip = visitor_ip(ctx, request),
                                  }),
                 NULL));
    reply->status = 201;
    lead_post_reply_write(&reply->json, &(struct lead_post_reply){.id = id});
    return OK;
}
