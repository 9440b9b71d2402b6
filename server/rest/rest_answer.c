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

/* Keys are strings or numbers. */
static Err keys_read(struct ctx *ctx, const struct json *list, struct rest_search *ret)
{
    uint32_t count = json_len(list);
    if (json_kind(list) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"keys\" must be an array");
    if (count > ITEMS_WRITE_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d keys", ITEMS_WRITE_MAX);
    Str *keys = arena_array(ctx->arena, Str, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct json *key = json_at(list, i);
        enum json_kind kind = json_kind(key);
        if (kind == JSON_STRING)
            keys[i] = json_str(key);
        else if (kind == JSON_INT || kind == JSON_REAL)
            keys[i] = json_text(ctx->arena, key);
        else
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"keys[%u]\" must be one of [string, number]",
                        i);
    }
    ret->has_keys = true;
    ret->keys = keys;
    ret->key_count = count;
    return OK;
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
            TRY(keys_read(ctx, it.value, ret));
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
