/*
 * POST /api/track/conversion and /call-click: durable in PostgreSQL before they are answered. Who
 * else is told of them is told by a job, made in the same transaction.
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
    return field_refuse(ctx, "currency", "currency has to be three capital letters");
}

static Err conversion_answer(struct reply *reply, Uuid id)
{
    json_object_begin(&reply->json);
    json_field_bool(&reply->json, "success", true);
    json_field_uuid(&reply->json, "conversion_id", id);
    visitor_write_sent(&reply->json);
    json_object_end(&reply->json);
    return OK;
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
    return conversion_answer(reply, conversion.id);
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
    return conversion_answer(reply, conversion);
}
