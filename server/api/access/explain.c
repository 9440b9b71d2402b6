/* GET /permissions/explain: why somebody may do something, or may not. */
#include "access/grants/actor.h"
#include "content/rights/rights.h"
#include "gen/routes/access.h"

Err route_permissions_explain_check(struct ctx *ctx, struct permissions_explain_input *input)
{
    if (!uuid_is_nil(input->user) && !uuid_is_nil(input->site_token))
        return field_refuse(ctx, "site_token", "Give either user or site_token");
    return OK;
}

static struct subject_spec subject_of(const struct ctx *ctx,
                                      const struct permissions_explain_input *input)
{
    struct subject_spec spec = {.kind = SUBJECT_PUBLIC, .site = input->site, .ip = input->ip};
    if (input->ip.len == 0)
        spec.ip = ctx->actor->ip;
    if (!uuid_is_nil(input->user)) {
        spec.kind = SUBJECT_USER;
        spec.id = input->user;
    } else if (!uuid_is_nil(input->site_token)) {
        spec.kind = SUBJECT_SITE_TOKEN;
        spec.id = input->site_token;
    }
    return spec;
}

fiber_fn Err route_permissions_explain(struct ctx *ctx, const struct request *request,
                                       const struct permissions_explain_input *input,
                                       struct reply *reply)
{
    (void)request;
    struct rights_case what = {
        .subject = subject_of(ctx, input),
        .collection = input->collection,
        .action = ACTION_READ,
        .key = input->key,
        .field = input->field,
    };
    if (!action_parse(input->action, &what.action))
        return field_refuse(ctx, "action", "There is no such action");
    json_object_begin(&reply->json);
    json_key(&reply->json, STR("data"));
    TRY(rights_explain(ctx, &what, &reply->json));
    json_object_end(&reply->json);
    return OK;
}
