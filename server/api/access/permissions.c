/*
 * GET and SEARCH /permissions: all rows, and for callers with app access the rules of the
 * app-access minimum behind them. The other routes of permissions are those of all system
 * collections.
 */
#include "access/grants/actor.h"
#include "content/items/items.h"
#include "content/rights/rights.h"
#include "gen/routes/access.h"
#include "server/rest/rest_rows.h"

#include <assert.h>

static const struct items_target PERMISSIONS = {STR_INIT("directus_permissions"), ITEMS_SYSTEM};

/* Opens the end of a written list again. */
static fiber_fn Err append_minimum(struct ctx *ctx, const struct query *query, struct reply *reply)
{
    static const Str END = STR_INIT("]}");
    struct buf *body = reply->body;
    if (!ctx->actor->has_app_access || ctx->actor->kind == ACTOR_PUBLIC)
        return OK;
    assert(body->len > END.len && memcmp(body->data + body->len - END.len, END.data, END.len) == 0);
    body->len -= END.len;
    struct json_writer w = json_writer(body);
    w.needs_comma = body->data[body->len - 1] != '[';
    TRY(rights_put_minimum(ctx, query->filter, &w));
    buf_put(body, END);
    return OK;
}

static fiber_fn Err list(struct ctx *ctx, struct query *query, const Str *keys, uint32_t count,
                         struct reply *reply)
{
    struct rest_rows rows = rest_rows(reply->body);
    query->has_limit = true;
    query->limit = -1; /* the app wants all, whatever was asked for */
    query->offset = query->page = 0;
    if (keys != NULL)
        TRY(items_read_many(ctx, PERMISSIONS, keys, count, query, &rows.sink));
    else
        TRY(items_list(ctx, PERMISSIONS, query, &rows.sink));
    return append_minimum(ctx, query, reply);
}

fiber_fn Err route_permissions_list(struct ctx *ctx, const struct request *request,
                                    struct reply *reply)
{
    struct query query;
    TRY(query_parse(ctx, request->query, &query));
    return list(ctx, &query, NULL, 0, reply);
}

fiber_fn Err route_permissions_find(struct ctx *ctx, const struct request *request,
                                    struct reply *reply)
{
    const struct json *body;
    struct query query;
    TRY(request_object(ctx, request, &body));
    TRY(query_from_json(ctx, json_get(body, STR("query")), &query));
    const struct json *given = json_get(body, STR("keys"));
    const Str *keys = NULL;
    uint32_t count = 0;
    if (!json_is_null(given))
        TRY(items_keys_read(ctx, given, &keys, &count));
    return list(ctx, &query, keys, count, reply);
}
