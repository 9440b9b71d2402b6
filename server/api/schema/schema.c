#include "server/api/schema/schema.h"

Err schema_writer(struct ctx *ctx, struct platform *ret)
{
    if (ctx->actor == NULL || !ctx->actor->is_admin || ctx->scope.kind != SCOPE_PLATFORM)
        return fail_plain(ctx, ERR_FORBIDDEN);
    return actor_platform(ctx, ret);
}

void data_begin(struct reply *reply)
{
    json_object_begin(&reply->json);
    json_key(&reply->json, STR("data"));
}

void data_end(struct reply *reply)
{
    json_object_end(&reply->json);
}

Err body_members_check(struct ctx *ctx, const struct json *body, Str known)
{
    if (json_kind(body) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"value\" must be of type object");
    for (struct json_iter it = json_iter(body); json_next(&it);) {
        bool is_known = false;
        Str rest = known;
        Str name;
        while (str_next(&rest, ' ', &name))
            is_known = is_known || str_eq(name, it.key);
        if (!is_known)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"%.*s\" is not allowed", STR_FMT(it.key));
    }
    return OK;
}
