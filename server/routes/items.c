/* Items of any collection: what Directus calls /items. */
#include "content/items.h"

#include "server/handlers.h"

static struct items_target target_of(const struct request *request)
{
    return (struct items_target){.collection = request->params[0], .access = ITEMS_USER};
}

/* A write answers 204 when its result may not be read back. */
static Err finish(struct reply *reply, bool has_body)
{
    if (!has_body)
        reply_no_content(reply);
    return OK;
}

fiber_fn Err items_index(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    return items_list(ctx, target_of(request), &query, reply->body);
}

fiber_fn Err items_search(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct query query;
    TRY(query_from_json(ctx, json_get(body, STR("query")), &query));
    return items_list(ctx, target_of(request), &query, reply->body);
}

fiber_fn Err items_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    return items_read(ctx, target_of(request), request->params[1], &query, reply->body);
}

fiber_fn Err items_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_json(ctx, request, &body));
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    bool has_body;
    TRY(items_create(ctx, target_of(request), body, &query, reply->body, &has_body));
    return finish(reply, has_body);
}

fiber_fn Err items_patch(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    bool has_body;
    TRY(items_update(ctx, target_of(request), request->params[1], body, &query, reply->body,
                     &has_body));
    return finish(reply, has_body);
}

fiber_fn Err items_patch_many(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_json(ctx, request, &body));
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    bool has_body;
    TRY(items_update_many(ctx, target_of(request), body, &query, reply->body, &has_body));
    return finish(reply, has_body);
}

fiber_fn Err items_remove(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(items_delete(ctx, target_of(request), request->params[1]));
    reply_no_content(reply);
    return OK;
}

fiber_fn Err items_delete_some(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_json(ctx, request, &body));
    TRY(items_delete_many(ctx, target_of(request), body));
    reply_no_content(reply);
    return OK;
}
