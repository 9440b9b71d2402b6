/* /collections: tables and folders, and what is said of them. */
#include "content/catalog/catalog.h"
#include "content/ddl/ddl.h"
#include "gen/routes/schema.h"
#include "server/api/schema/schema.h"

#include <assert.h>

static fiber_fn Err send_list(struct ctx *ctx, const struct catalog_names *names,
                              struct reply *reply)
{
    data_begin(reply);
    TRY(catalog_collections(ctx, names, &reply->json));
    data_end(reply);
    return OK;
}

static fiber_fn Err send_one(struct ctx *ctx, Str collection, struct reply *reply)
{
    data_begin(reply);
    TRY(catalog_collection(ctx, collection, &reply->json));
    data_end(reply);
    return OK;
}

/* Of an array of names, or of objects with the member `collection`; `none` if it is empty. */
static Err names_of(struct ctx *ctx, const struct json *list, struct catalog_names *ret)
{
    uint32_t count = json_len(list);
    Str *names = arena_array(ctx->arena, Str, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct json *name = json_at(list, i);
        if (json_kind(name) == JSON_OBJECT)
            name = json_get(name, STR("collection"));
        if (json_kind(name) != JSON_STRING)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"keys[%u]\" must be a string", i);
        names[i] = json_str(name);
    }
    *ret = (struct catalog_names){names, count};
    return OK;
}

static Err send_nothing(struct reply *reply)
{
    data_begin(reply);
    json_array_begin(&reply->json);
    json_array_end(&reply->json);
    data_end(reply);
    return OK;
}

fiber_fn Err route_collections_index(struct ctx *ctx, const struct request *request,
                                     struct reply *reply)
{
    (void)request;
    return send_list(ctx, &(struct catalog_names){0}, reply);
}

fiber_fn Err route_collections_search(struct ctx *ctx, const struct request *request,
                                      struct reply *reply)
{
    const struct json *body;
    struct catalog_names names = {0};
    TRY(request_object(ctx, request, &body));
    const struct json *keys = json_get(body, STR("keys"));
    if (json_kind(keys) == JSON_ARRAY)
        TRY(names_of(ctx, keys, &names));
    if (json_kind(keys) == JSON_ARRAY && names.count == 0)
        return send_nothing(reply);
    return send_list(ctx, &names, reply);
}

fiber_fn Err route_collections_show(struct ctx *ctx, const struct request *request,
                                    struct reply *reply)
{
    return send_one(ctx, request->params[0], reply);
}

/* Neither a table nor metadata: nothing would be there. */
static bool is_nothing(const struct json *body)
{
    const struct json *name = json_get(body, STR("collection"));
    return json_kind(name) == JSON_STRING && json_str(name).len > 0 &&
           json_is_null(json_get(body, STR("schema"))) && json_is_null(json_get(body, STR("meta")));
}

fiber_fn Err route_collections_post(struct ctx *ctx, const struct request *request,
                                    struct reply *reply)
{
    const struct json *body;
    struct platform platform;
    struct catalog_names names;
    uint32_t fields;
    TRY(schema_writer(ctx, &platform));
    TRY(request_json(ctx, request, &body));
    if (json_kind(body) != JSON_ARRAY && is_nothing(body))
        return fail_plain(ctx, ERR_FORBIDDEN);
    if (json_kind(body) != JSON_ARRAY) {
        TRY(collection_create(platform, body, &fields));
        return send_one(ctx, json_str(json_get(body, STR("collection"))), reply);
    }
    TRY(collections_create(platform, body));
    TRY(names_of(ctx, body, &names));
    return names.count == 0 ? send_nothing(reply) : send_list(ctx, &names, reply);
}

fiber_fn Err route_collections_patch(struct ctx *ctx, const struct request *request,
                                     struct reply *reply)
{
    const struct json *body;
    struct platform platform;
    TRY(schema_writer(ctx, &platform));
    TRY(request_json(ctx, request, &body));
    TRY(collection_update(platform, request->params[0], body));
    return send_one(ctx, request->params[0], reply);
}

fiber_fn Err route_collections_patch_many(struct ctx *ctx, const struct request *request,
                                          struct reply *reply)
{
    const struct json *body;
    struct platform platform;
    struct catalog_names names;
    TRY(schema_writer(ctx, &platform));
    TRY(request_json(ctx, request, &body));
    TRY(collections_update(platform, body));
    TRY(names_of(ctx, body, &names));
    return names.count == 0 ? send_nothing(reply) : send_list(ctx, &names, reply);
}

fiber_fn Err route_collections_delete(struct ctx *ctx, const struct request *request,
                                      struct reply *reply)
{
    struct platform platform;
    TRY(schema_writer(ctx, &platform));
    TRY(collection_delete(platform, request->params[0]));
    reply_no_content(reply);
    return OK;
}
