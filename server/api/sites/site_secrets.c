/*
 * /api/admin/site-secrets: what a site needs to talk to others. Administrators of the platform set
 * and remove them; they are never shown again.
 */
#include "access/grants/actor.h"
#include "gen/sql.h"
#include "server/api/factory/factory.h"
#include "server/api/listing.h"
#include "server/dispatch/handlers.h"
#include "visitors/outbound/outbound.h"

struct secret_request {
    Uuid site;
    Str name;
    Str value; /* STR_NONE removes it */
};

static Err name_check(struct ctx *ctx, Str name)
{
    if (site_secret_name_is_known(name))
        return OK;
    return factory_refuse(ctx, "name",
                          "name has to be " SECRET_FACEBOOK ", " SECRET_GOOGLE ", " SECRET_WEBHOOK
                          ", or the last with ':' and a form's id");
}

/* It goes into headers, so it is one line. */
static Err value_check(struct ctx *ctx, const struct json *body, Str value)
{
    if (json_get(body, STR("value")) == NULL)
        return factory_refuse(ctx, "value", "value is required; null removes the secret");
    if (value.data == NULL)
        return OK;
    if (value.len == 0)
        return factory_refuse(ctx, "value", "value is empty; null removes the secret");
    if (value.len > SITE_SECRET_MAX)
        return factory_refuse(ctx, "value", "value has more than 4096 bytes");
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.data[i] < ' ' || value.data[i] == 0x7f)
            return factory_refuse(ctx, "value", "value has to be one line");
    return OK;
}

static Err secret_read(struct ctx *ctx, const struct json *body, struct secret_request *ret)
{
    *ret = (struct secret_request){0};
    TRY(factory_named_site(ctx, body, &ret->site));
    TRY(json_take_str(ctx, body, "name", SITE_SECRET_NAME_MAX, &ret->name));
    TRY(json_take_str(ctx, body, "value", SITE_SECRET_MAX, &ret->value));
    if (uuid_is_nil(ret->site))
        return factory_refuse(ctx, "site_id", "site_id is required");
    TRY(name_check(ctx, ret->name));
    return value_check(ctx, body, ret->value);
}

fiber_fn Err site_secrets_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct platform platform;
    TRY(actor_platform(ctx, &platform));
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct secret_request wanted;
    TRY(secret_read(ctx, body, &wanted));
    TRY(site_secret_set(platform, wanted.site, wanted.name, wanted.value));

    json_object_begin(&reply->json);
    json_field_bool(&reply->json, "success", true);
    json_field_str(&reply->json, "name", wanted.name);
    json_field_bool(&reply->json, "is_set", wanted.value.data != NULL);
    json_object_end(&reply->json);
    return OK;
}

fiber_fn Err site_secrets_index(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct platform platform;
    TRY(actor_platform(ctx, &platform));
    Uuid site = {0};
    TRY(query_take_uuid(ctx, request, "site_id", "site", &site));
    if (uuid_is_nil(site))
        return factory_refuse(ctx, "site_id", "site_id is required");
    struct rows rows;
    TRY(site_secret_list(platform, site, &rows));

    json_object_begin(&reply->json);
    json_key(&reply->json, STR("secrets"));
    json_array_begin(&reply->json);
    for (uint32_t i = 0; i < rows.count; i++) {
        json_object_begin(&reply->json);
        json_field_str(&reply->json, "name", row_text(&rows, i, SITE_SECRET_LIST_NAME));
        json_key(&reply->json, STR("updated_at"));
        json_put_time(&reply->json, row_time(&rows, i, SITE_SECRET_LIST_UPDATED_AT));
        json_object_end(&reply->json);
    }
    json_array_end(&reply->json);
    json_object_end(&reply->json);
    return OK;
}
