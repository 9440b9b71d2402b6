/*
 * /api/admin/site-secrets: secrets of a site for outbound calls. Administrators of the platform set
 * and remove them; the values are never returned.
 */
#include "access/grants/actor.h"
#include "gen/routes/sites.h"
#include "gen/sql.h"
#include "visitors/outbound/outbound.h"

static Err name_check(struct ctx *ctx, Str name)
{
    if (site_secret_name_is_known(name))
        return OK;
    return field_refuse(ctx, "name",
                        "name must be " SECRET_FACEBOOK ", " SECRET_GOOGLE ", " SECRET_WEBHOOK
                        ", or the last with ':' and a form's id");
}

/* The value is used in headers, so it must be one line. */
static Err value_check(struct ctx *ctx, bool is_given, Str value)
{
    if (!is_given)
        return field_refuse(ctx, "value", "value is required; null removes the secret");
    if (value.data == NULL)
        return OK;
    if (value.len == 0)
        return field_refuse(ctx, "value", "value is empty; null removes the secret");
    if (value.len > SITE_SECRET_MAX)
        return field_refuse(ctx, "value", "value has more than 4096 bytes");
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.data[i] < ' ' || value.data[i] == 0x7f)
            return field_refuse(ctx, "value", "value must be one line");
    return OK;
}

Err route_site_secrets_post_check(struct ctx *ctx, struct site_secrets_post_input *input)
{
    TRY(name_check(ctx, input->name));
    return value_check(ctx, input->has_value, input->value);
}

fiber_fn Err route_site_secrets_post(struct ctx *ctx, const struct request *request,
                                     const struct site_secrets_post_input *input,
                                     struct reply *reply)
{
    struct platform platform;
    TRY(actor_platform(ctx, &platform));
    (void)request;
    TRY(site_secret_set(platform, input->site_id, input->name, input->value));

    site_secrets_post_reply_write(&reply->json, &(struct site_secrets_post_reply){
                                                    .name = input->name,
                                                    .is_set = input->value.data != NULL,
                                                });
    return OK;
}

fiber_fn Err route_site_secrets_index(struct ctx *ctx, const struct request *request,
                                      const struct site_secrets_index_input *input,
                                      struct reply *reply)
{
    struct platform platform;
    TRY(actor_platform(ctx, &platform));
    (void)request;
    struct rows rows;
    TRY(site_secret_list(platform, input->site_id, &rows));

    struct secret_reply *secrets = arena_array(ctx->arena, struct secret_reply, rows.count);
    for (uint32_t i = 0; i < rows.count; i++)
        secrets[i] = (struct secret_reply){
            .name = row_text(&rows, i, SITE_SECRET_LIST_NAME),
            .updated_at = row_time(&rows, i, SITE_SECRET_LIST_UPDATED_AT),
        };
    site_secrets_index_reply_write(
        &reply->json, &(struct site_secrets_index_reply){.secrets = {secrets, rows.count}});
    return OK;
}
