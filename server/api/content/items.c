/* Items of any collection: Directus' /items, and the routes of its system collections. */
#include "content/items/items.h"

#include "gen/routes/content.h"
#include "server/rest/rest_answer.h"

static struct items_target target_of(const struct request *request)
{
    Str collection = request->route->collection;
    if (collection.len > 0)
        return (struct items_target){collection, ITEMS_SYSTEM};
    return (struct items_target){request->params[0], ITEMS_USER};
}

/* The last parameter; before it, /items has the collection. */
static Str key_of(const struct request *request)
{
    return request->params[request->route->collection.len > 0 ? 0 : 1];
}

/* A write answers 204 if its result may not be read back. */
static Err finish(struct reply *reply, const struct rest_rows *rows)
{
    if (!rows->has_begun)
        reply_no_content(reply);
    return OK;
}

fiber_fn Err route_items_index(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct query query;
    struct rest_answer answer;
    TRY(rest_read_query(ctx, request, &query));
    rest_answer_open(ctx, target_of(request).collection, &query, reply, &answer);
    return items_list(ctx, target_of(request), &query, answer.rows);
}

fiber_fn Err route_items_search(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct rest_search search;
    struct rest_answer answer;
    TRY(rest_search_read(ctx, request, &search));
    struct items_target target = target_of(request);
    rest_answer_open(ctx, target.collection, &search.query, reply, &answer);
    if (!search.has_keys)
        return items_list(ctx, target, &search.query, answer.rows);
    return items_read_many(ctx, target, search.keys, search.key_count, &search.query, answer.rows);
}

fiber_fn Err route_items_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct query query;
    struct rest_answer answer;
    TRY(rest_read_query(ctx, request, &query));
    rest_answer_open(ctx, target_of(request).collection, &query, reply, &answer);
    return items_read(ctx, target_of(request), key_of(request), &query, answer.rows);
}

fiber_fn Err route_items_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_json(ctx, request, &body));
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    struct rest_rows rows = rest_rows(reply->body);
    TRY(items_create(ctx, target_of(request), body, &query, &rows.sink));
    return finish(reply, &rows);
}

fiber_fn Err route_items_patch(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    struct rest_rows rows = rest_rows(reply->body);
    TRY(items_update(ctx, target_of(request), key_of(request), body, &query, &rows.sink));
    return finish(reply, &rows);
}

fiber_fn Err route_items_patch_many(struct ctx *ctx, const struct request *request,
                                    struct reply *reply)
{
    const struct json *body;
    TRY(request_json(ctx, request, &body));
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    struct rest_rows rows = rest_rows(reply->body);
    TRY(items_update_many(ctx, target_of(request), body, &query, &rows.sink));
    return finish(reply, &rows);
}

fiber_fn Err route_items_remove(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(items_delete(ctx, target_of(request), key_of(request)));
    reply_no_content(reply);
    return OK;
}

fiber_fn Err route_items_delete_some(struct ctx *ctx, const struct request *request,
                                     struct reply *reply)
{
    const struct json *body;
    TRY(request_json(ctx, request, &body));
    TRY(items_delete_many(ctx, target_of(request), body));
    reply_no_content(reply);
    return OK;
}
