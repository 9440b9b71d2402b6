/*
 * POST /api/track/conversion and /call-click: durable in PostgreSQL before the answer. A job,
 * enqueued in the same transaction, notifies the advertising networks.
 */
#include "gen/routes/visitors.h"
#include "server/api/visitors/public.h"

enum { CURRENCY_LEN = 3 };

Err route_conversion_post_check(struct ctx *ctx, struct conversion_post_input *input)
{
    Str currency = input->currency;
    bool is_code = currency.len == CURRENCY_LEN;
    for (size_t i = 0; is_code && i < currency.len; i++)
        is_code = currency.data[i] >= 'A' && currency.data[i] <= 'Z';
    if (is_code)
        return OK;
    return field_refuse(ctx, "currency", "currency must be three capital letters");
}

fiber_fn Err route_conversion_post(struct ctx *ctx, const struct request *request,
                                   const struct conversion_post_input *input, struct reply *reply)
{
    (void)request;
    struct conversion conversion = {
        .lead = input->lead_id,
        .type = input->conversion_type,
        .value = input->value,
        .currency = input->currency,
        .source = input->source,
        .campaign = input->campaign,
        .gclid = input->gclid,
        .fbclid = input->fbclid,
        .for_google = input->send_to_google,
        .for_facebook = input->send_to_facebook,
    };
    TRY(conversion_store(ctx, &conversion));
    conversion_post_reply_write(&reply->json, &(struct conversion_post_reply){
                                                  .conversion_id = conversion.id,
                                              });
    return OK;
}

fiber_fn Err route_call_click_post(struct ctx *ctx, const struct request *request,
                                   const struct call_click_post_input *input, struct reply *reply)
{
    const struct call_click click = {
        .click = CLICK(input),
        .phone = input->phone_number,
        .page_url = input->page_url,
        .page_title = input->page_title,
        .session_id = input->session_id,
        .visitor_id = input->visitor_id,
        .ip = visitor_ip(ctx, request),
        .user_agent = visitor_agent(request),
    };
    Uuid conversion;
    TRY(call_click_store(ctx, &click, &conversion));
    call_click_post_reply_write(&reply->json, &(struct call_click_post_reply){
                                                  .conversion_id = conversion,
                                              });
    return OK;
}
