/* /fields: columns and what is said of them. */
#include "content/catalog/catalog.h"
#include "content/ddl/ddl.h"
#include "gen/routes/schema.h"
#include "server/api/schema/schema.h"

#include <assert.h>

static fiber_fn Err send_list(struct ctx *ctx, Str collection, struct reply *reply)
{
    data_begin(reply);
    TRY(catalog_fields(ctx, collection, &reply->json));
    data_end(reply);
    return OK;
}

static fiber_fn Err send_one(struct ctx *ctx, Str collection, Str field, struct reply *reply)
{
    data_begin(reply);
    TRY(catalog_field(ctx, collection, field, &reply->json));
    data_end(reply);
    return OK;
}

fiber_fn Err route_fields_index(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)request;
    return send_list(ctx, STR_NONE, reply);
}

fiber_fn Err route_fields_of_collection(struct ctx *ctx, const struct request *request,
                                        struct reply *reply)
{
    return send_list(ctx, request->params[0], reply);
}

fiber_fn Err route_fields_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    return send_one(ctx, request->params[0], request->params[1], reply);
}

static Err body_check(struct ctx *ctx, const struct json *body)
{
    TRY(body_members_check(ctx, body, STR("collection field type schema meta name")));
    const struct json *field = json_get(body, STR("field"));
    const struct json *schema = json_get(body, STR("schema"));
    if (field == NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"field\" is required");
    if (json_kind(field) != JSON_STRING)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"field\" must be a string");
    if (json_str(field).len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"field\" is not allowed to be empty");
    if (!json_is_null(schema) && json_kind(schema) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"schema\" must be of type object");
    return OK;
}

/* Without a type nothing would be there but what `meta` says. */
static bool is_nothing(const struct json *body)
{
    return json_is_null(json_get(body, STR("type"))) && json_is_null(json_get(body, STR("meta")));
}

fiber_fn Err route_fields_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    struct platform platform;
    TRY(catalog_require(ctx, request->params[0]));
    TRY(schema_writer(ctx, &platform));
    TRY(request_json(ctx, request, &body));
    TRY(body_check(ctx, body));
    if (is_nothing(body)) {
        reply_no_content(reply);
        return OK;
    }
    TRY(field_create_in(platform, request->params[0], body));
    return send_one(ctx, request->params[0], json_str(json_get(body, STR("field"))), reply);
}

fiber_fn Err route_fields_patch(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    struct platform platform;
    TRY(catalog_require(ctx, request->params[0]));
    TRY(schema_writer(ctx, &platform));
    TRY(request_object(ctx, request, &body));
    TRY(field_update(platform, request->params[0], request->params[1], body));
    return send_one(ctx, request->params[0], request->params[1], reply);
}

fiber_fn Err route_fields_patch_many(struct ctx *ctx, const struct request *request,
                                     struct reply *reply)
{
    const struct json *body;
    struct platform platform;
    TRY(catalog_require(ctx, request->params[0]));
    TRY(schema_writer(ctx, &platform));
    TRY(request_json(ctx, request, &body));
    TRY(fields_update(platform, request->params[0], body));
    data_begin(reply);
    json_array_begin(&reply->json);
    for (uint32_t i = 0; i < json_len(body); i++) {
        Str field = json_str(json_get(json_at(body, i), STR("field")));
        TRY(catalog_field(ctx, request->params[0], field, &reply->json));
    }
    json_array_end(&reply->json);
    data_end(reply);
    return OK;
}

fiber_fn Err route_fields_delete(struct ctx *ctx, const struct request *request,
                                 struct reply *reply)
{
    struct platform platform;
    TRY(catalog_require(ctx, request->params[0]));
    TRY(schema_writer(ctx, &platform));
    Err err = field_delete(platform, request->params[0], request->params[1]);
    if (err != OK && err != ERR_NOT_FOUND)
        return err;
    diag_clear(ctx); /* a field that is not there is as gone as it should be */
    reply_no_content(reply);
    return OK;
}
