/* /relations: which fields refer to which collections. */
#include "content/catalog/catalog.h"
#include "content/ddl/ddl.h"
#include "gen/routes/schema.h"
#include "server/api/schema/schema.h"

#include <assert.h>

static fiber_fn Err send_list(struct ctx *ctx, Str collection, struct reply *reply)
{
    data_begin(reply);
    TRY(catalog_relations(ctx, collection, &reply->json));
    data_end(reply);
    return OK;
}

static fiber_fn Err send_one(struct ctx *ctx, Str collection, Str field, struct reply *reply)
{
    data_begin(reply);
    TRY(catalog_relation(ctx, collection, field, &reply->json));
    data_end(reply);
    return OK;
}

fiber_fn Err route_relations_index(struct ctx *ctx, const struct request *request,
                                   struct reply *reply)
{
    (void)request;
    return send_list(ctx, STR_NONE, reply);
}

fiber_fn Err route_relations_of_collection(struct ctx *ctx, const struct request *request,
                                           struct reply *reply)
{
    return send_list(ctx, request->params[0], reply);
}

fiber_fn Err route_relations_show(struct ctx *ctx, const struct request *request,
                                  struct reply *reply)
{
    return send_one(ctx, request->params[0], request->params[1], reply);
}

fiber_fn Err route_relations_post(struct ctx *ctx, const struct request *request,
                                  struct reply *reply)
{
    const struct json *body;
    struct platform platform;
    TRY(schema_writer(ctx, &platform));
    TRY(request_json(ctx, request, &body));
    TRY(body_members_check(ctx, body, STR("collection field related_collection schema meta")));
    TRY(relation_create_tracked(platform, body));
    return send_one(ctx, json_str(json_get(body, STR("collection"))),
                    json_str(json_get(body, STR("field"))), reply);
}

fiber_fn Err route_relations_patch(struct ctx *ctx, const struct request *request,
                                   struct reply *reply)
{
    const struct json *body;
    struct platform platform;
    TRY(catalog_require(ctx, request->params[0]));
    TRY(schema_writer(ctx, &platform));
    TRY(request_object(ctx, request, &body));
    TRY(relation_update(platform, request->params[0], request->params[1], body));
    return send_one(ctx, request->params[0], request->params[1], reply);
}

fiber_fn Err route_relations_delete(struct ctx *ctx, const struct request *request,
                                    struct reply *reply)
{
    struct platform platform;
    TRY(catalog_require(ctx, request->params[0]));
    TRY(schema_writer(ctx, &platform));
    TRY(relation_delete(platform, request->params[0], request->params[1]));
    reply_no_content(reply);
    return OK;
}
