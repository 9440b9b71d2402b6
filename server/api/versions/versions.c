/* Versions of items: compare, save, promote. */
#include "content/system/versions.h"

#include "gen/routes/versions.h"

static void put_data_begin(struct json_writer *json)
{
    json_object_begin(json);
    json_key(json, STR("data"));
}

fiber_fn Err route_version_compare(struct ctx *ctx, const struct request *request,
                                   struct reply *reply)
{
    struct version_comparison found;
    struct json_writer *json = &reply->json;
    TRY(version_compare(ctx, request->params[0], &found));
    put_data_begin(json);
    json_object_begin(json);
    json_key(json, STR("outdated"));
    json_put_bool(json, found.is_outdated);
    json_key(json, STR("mainHash"));
    json_put_str(json, found.main_hash);
    json_key(json, STR("current"));
    json_put_value(json, found.current);
    json_key(json, STR("main"));
    json_put_value(json, found.main);
    json_object_end(json);
    json_object_end(json);
    return OK;
}

fiber_fn Err route_version_save(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    const struct json *item;
    TRY(request_object(ctx, request, &body));
    TRY(version_save(ctx, request->params[0], body, &item));
    put_data_begin(&reply->json);
    json_put_value(&reply->json, item);
    json_object_end(&reply->json);
    return OK;
}

fiber_fn Err route_version_promote(struct ctx *ctx, const struct request *request,
                                   struct reply *reply)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    const struct json *hash = json_get(body, STR("mainHash"));
    const struct json *fields = json_get(body, STR("fields"));
    if (json_kind(hash) != JSON_STRING)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"mainHash\" field is required");
    if (!json_is_null(fields) && json_kind(fields) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"fields\" must be an array");
    Str key;
    TRY(version_promote(ctx, request->params[0], json_str(hash),
                        json_is_null(fields) ? NULL : fields, &key));
    version_promote_reply_write(&reply->json, &(struct version_promote_reply){.data = key});
    return OK;
}
