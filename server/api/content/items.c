/* Items of any collection: Directus' /items, and the routes of its system collections. */
#include "content/items/items.h"

#include "gen/routes/content.h"
#include "server/rest/rest_rows.h"

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
    struct query query = query_unparsed(request->query);
    struct rest_rows rows = rest_rows(reply->body);
    return items_list(ctx, target_of(request), &query, &rows.sink);
}

/* Keys are strings or numbers. */
static Err keys_read(struct ctx *ctx, const struct json *list, const Str **ret, uint32_t *ret_count)
{
    uint32_t count = json_len(list);
    if (json_kind(list) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"keys\" must be an array");
    if (count > ITEMS_WRITE_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d keys", ITEMS_WRITE_MAX);
    Str *keys = arena_array(ctx->arena, Str, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct json *key = json_at(list, i);
        if (json_kind(key) == JSON_STRING)
            keys[i] = json_str(key);
        else if (json_kind(key) == JSON_INT)
            keys[i] = json_text(ctx->arena, key);
        else
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"keys[%u]\" must be one of [string, number]",
                        i);
    }
    *ret = keys;
    *ret_count = count;
    return OK;
}

fiber_fn Err route_items_search(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_json(ctx, request, &body));
    if (json_kind(body) == JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"value\" must be of type object");
    struct query query;
    TRY(query_from_json(ctx, json_get(body, STR("query")), &query));
    struct rest_rows rows = rest_rows(reply->body);
    const struct json *list = json_get(body, STR("keys"));
    if (json_is_null(list))
        return items_list(ctx, target_of(request), &query, &rows.sink);
    const Str *keys = NULL;
    uint32_t count = 0;
    TRY(keys_read(ctx, list, &keys, &count));
    return items_read_many(ctx, target_of(request), keys, count, &query, &rows.sink);
}

fiber_fn Err route_items_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct query query = query_unparsed(request->query);
    struct rest_rows rows = rest_rows(reply->body);
    return items_read(ctx, target_of(request), key_of(request), &query, &rows.sink);
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
