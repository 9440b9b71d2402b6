/* Items of any collection: Directus' /items, and the routes of its system collections. */
#include "content/items/items.h"

#include "base/memory/array.h"
#include "content/system/versions.h"
#include "gen/routes/content.h"
#include "server/rest/rest_answer.h"

static struct items_target target_of(const struct request *request)
{
    Str collection = request->route->collection;
    if (collection.len > 0)
        return (struct items_target){collection, ITEMS_SYSTEM};
    return (struct items_target){request->params[0], ITEMS_USER};
}

/* The last parameter; before it, /items has the collection. Directus' routes of shares take nothing
 * but a UUID. */
static Err key_of(struct ctx *ctx, const struct request *request, Str *ret)
{
    Uuid id;
    *ret = request->params[request->route->collection.len > 0 ? 0 : 1];
    if (!str_eq(request->route->collection, STR("directus_shares")) || uuid_parse(*ret, &id))
        return OK;
    return fail_route(ctx, request);
}

/* A write answers 204 if its result may not be read back. */
static Err finish(struct reply *reply, const struct rest_rows *rows)
{
    if (!rows->has_begun)
        reply_no_content(reply);
    return OK;
}

/* ?version= of an item or a singleton; "main" is the item itself. */
static bool asks_version(struct ctx *ctx, const struct request *request, Str *ret)
{
    *ret = request_query(ctx->arena, request, STR("version"));
    return ret->len > 0 && !str_eq(*ret, STR("main"));
}

static fiber_fn Err show_version(struct ctx *ctx, const struct request *request, Str key, Str name,
                                 struct reply *reply)
{
    Str raw = request_query(ctx->arena, request, STR("versionRaw"));
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    struct rest_rows rows = rest_rows(reply->body);
    struct version_reading reading = {
        .target = target_of(request),
        .key = key,
        .name = name,
        .is_raw = raw.data != NULL && !str_eq(raw, STR("false")),
        .query = &query,
        .sink = &rows.sink,
    };
    TRY(version_read(ctx, &reading));
    if (reading.raw == NULL)
        return OK;
    json_object_begin(&reply->json);
    json_key(&reply->json, STR("data"));
    json_put_value(&reply->json, reading.raw);
    json_object_end(&reply->json);
    return OK;
}

fiber_fn Err route_items_index(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    Str version;
    if (asks_version(ctx, request, &version)) {
        bool is_singleton;
        TRY(items_are_singleton(ctx, target_of(request), &is_singleton));
        if (is_singleton)
            return show_version(ctx, request, STR_NONE, version, reply);
    }
    struct query query;
    struct rest_answer answer;
    TRY(rest_read_query(ctx, request, &query));
    rest_answer_open(ctx, target_of(request).collection, &query, reply, &answer);
    return items_list(ctx, target_of(request), &query, answer.rows);
}

/* Directus reads no "keys" in a SEARCH of these. */
static bool knows_keys(const struct request *request)
{
    static const Str WITHOUT[] = {STR_INIT("directus_dashboards"), STR_INIT("directus_panels"),
                                  STR_INIT("directus_revisions"),  STR_INIT("directus_roles"),
                                  STR_INIT("directus_shares"),     STR_INIT("directus_users")};
    for (size_t i = 0; i < COUNT_OF(WITHOUT); i++) {
        if (str_eq(request->route->collection, WITHOUT[i]))
            return false;
    }
    return true;
}

fiber_fn Err route_items_search(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct rest_search search;
    struct rest_answer answer;
    TRY(rest_search_read(ctx, request, &search));
    struct items_target target = target_of(request);
    rest_answer_open(ctx, target.collection, &search.query, reply, &answer);
    if (!search.has_keys || !knows_keys(request))
        return items_list(ctx, target, &search.query, answer.rows);
    return items_read_many(ctx, target, search.keys, search.key_count, &search.query, answer.rows);
}

fiber_fn Err route_items_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    Str key;
    Str version;
    TRY(key_of(ctx, request, &key));
    if (asks_version(ctx, request, &version))
        return show_version(ctx, request, key, version, reply);
    struct query query;
    struct rest_answer answer;
    TRY(rest_read_query(ctx, request, &query));
    rest_answer_open(ctx, target_of(request).collection, &query, reply, &answer);
    return items_read(ctx, target_of(request), key, &query, answer.rows);
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
    Str key;
    const struct json *body;
    TRY(key_of(ctx, request, &key));
    TRY(request_object(ctx, request, &body));
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    struct rest_rows rows = rest_rows(reply->body);
    TRY(items_update(ctx, target_of(request), key, body, &query, &rows.sink));
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
    Str key;
    TRY(key_of(ctx, request, &key));
    TRY(items_delete(ctx, target_of(request), key));
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
