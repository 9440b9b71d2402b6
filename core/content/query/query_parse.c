#include "content/query/query.h"
#include "content/query/query_qs.h"

#include <assert.h>

Err query_parse(struct ctx *ctx, Str query_string, struct query *ret)
{
    struct query query = QUERY_NONE;
    if (query_string.len > 0) {
        struct qs_node *root;
        TRY(qs_parse(ctx, query_string, &root));
        for (const struct qs_node *node = root->first; node != NULL; node = node->next) {
            struct query_input input = {.text = node->value};
            if (!node->is_leaf)
                TRY(qs_json(ctx, node, &input.json));
            TRY(query_take(ctx, node->name, input, &query));
        }
        query.text = query_string;
    }
    *ret = query;
    return OK;
}

struct query query_unparsed(Str query_string)
{
    struct query query = QUERY_NONE;
    if (query_string.len > 0) {
        query.text = query_string;
        query.is_unparsed = true;
    }
    return query;
}

Err query_from_json(struct ctx *ctx, const struct json *object, struct query *ret)
{
    struct query query = QUERY_NONE;
    if (json_len(object) > 0) {
        for (struct json_iter it = json_iter(object); json_next(&it);) {
            if (json_kind(it.value) == JSON_NULL)
                continue;
            struct query_input input = {.json = it.value};
            TRY(query_take(ctx, it.key, input, &query));
        }
        /* No query string begins with a line feed, so the two kinds of text never meet. */
        Str text = json_text(ctx->arena, object);
        query.text = str_printf(ctx->arena, "\n%.*s", STR_FMT(text));
    }
    *ret = query;
    return OK;
}
