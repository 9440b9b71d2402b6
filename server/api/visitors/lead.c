/* POST /api/lead: a visitor leaves an address. One transaction, answered when it is durable. */
#include "base/memory/array.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "server/api/visitors/public.h"
#include "server/dispatch/handlers.h"

enum { NAME_MAX_LEN = 255, PHONE_MAX = 50, MESSAGE_MAX = 10000, SOURCE_MAX = 100, URL_MAX = 2048 };

struct lead {
    Str name, email, phone, message, source, page_url, referrer;
    Str utm_source, utm_medium, utm_campaign;
};

/* All faults are reported at once; the first one's code is the answer's. */
static Err lead_read(struct ctx *ctx, const struct json *body, struct lead *ret)
{
    *ret = (struct lead){.source = STR("website")};
    const struct {
        const char *key;
        size_t max;
        Str *value;
    } fields[] = {
        {"name", NAME_MAX_LEN, &ret->name},    {"email", 254, &ret->email},
        {"phone", PHONE_MAX, &ret->phone},     {"message", MESSAGE_MAX, &ret->message},
        {"source", SOURCE_MAX, &ret->source},  {"page_url", URL_MAX, &ret->page_url},
        {"referrer", URL_MAX, &ret->referrer}, {"utm_source", 255, &ret->utm_source},
        {"utm_medium", 255, &ret->utm_medium}, {"utm_campaign", 255, &ret->utm_campaign},
    };
    Err first = OK;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        Err err = json_take_str(ctx, body, fields[i].key, fields[i].max, fields[i].value);
        first = first == OK ? err : first;
    }
    if (first == OK && !email_is_plausible(ret->email)) {
        const char *sentence = ret->email.len == 0 ? "Email is required" : "Email is not valid";
        return fail_noted(ctx, ERR_FAILED_VALIDATION, "field", STR("email"), "%s", sentence);
    }
    return first;
}

fiber_fn Err lead_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    Uuid site;
    TRY(visitor_site(ctx, body, &site));
    struct lead lead;
    TRY(lead_read(ctx, body, &lead));

    Uuid id = uuid_make();
    TRY(db_query(ctx, &SQL_LEAD_CREATE,
                 lead_create_args(ctx->arena,
                                  &(struct lead_create_args){
                                      .site = site,
                                      .id = id,
                                      .name = lead.name,
                                      .email = lead.email,
                                      .phone = lead.phone,
                                      .message = lead.message,
                                      .source = lead.source,
                                      .page_url = lead.page_url,
                                      .referrer = lead.referrer,
                                      .utm_source = lead.utm_source,
                                      .utm_medium = lead.utm_medium,
                                      .utm_campaign = lead.utm_campaign,
                                      .ip = visitor_ip(ctx, request),
                                  }),
                 NULL));
    reply->status = 201;
    json_object_begin(&reply->json);
    json_field_bool(&reply->json, "success", true);
    json_field_uuid(&reply->json, "id", id);
    json_object_end(&reply->json);
    return OK;
}
