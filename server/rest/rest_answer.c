#include "server/rest/rest_answer.h"

#include "content/items/items.h"
#include "server/rest/rest_export.h"

Err rest_read_query(struct ctx *ctx, const struct request *request, struct query *ret)
{
    *ret = query_unparsed(request->query);
    if (str_find(request->query, STR("export")) < 0)
        return OK;
    struct query parsed;
    TRY(query_parse(ctx, request->query, &parsed));
    if (parsed.export != EXPORT_NONE)
        *ret = parsed;
    return OK;
}

void rest_answer_open(struct ctx *ctx, Str collection, const struct query *query,
                      struct reply *reply, struct rest_answer *ret)
{
    if (query->export == EXPORT_NONE) {
        ret->enveloped = rest_rows(reply->body);
        ret->rows = &ret->enveloped.sink;
        return;
    }
    ret->rows = rest_export(ctx, collection, query->export, reply);
}

fiber_fn Err rest_search_read(struct ctx *ctx, const struct request *request,
                              struct rest_search *ret)
{
    const struct json *body;
    *ret = (struct rest_search){0};
    TRY(request_json(ctx, request, &body));
    if (json_kind(body) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"value\" must be of type object");
    for (struct json_iter it = json_iter(body); json_next(&it);) {
        if (str_eq(it.key, STR("keys"))) {
            TRY(items_keys_read(ctx, it.value, &ret->keys, &ret->key_count));
            ret->has_keys = true;
            continue;
        }
        if (!str_eq(it.key, STR("query")))
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"%.*s\" is not allowed", STR_FMT(it.key));
        if (json_kind(it.value) != JSON_OBJECT)
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"query\" must be of type object");
        TRY(query_from_json(ctx, it.value, &ret->query));
    }
    return OK;
}
