#include "content/query/query.h"
#include "content/query/query_qs.h"

#include <assert.h>

Err query_parse(struct ctx *ctx, Str query_string, struct query *ret)
{
    struct query query = {0};
    struct qs_node *root;
    TRY(qs_parse(ctx, query_string, &root));
    for (const struct qs_node *node = root->first; node != NULL; node = node->next) {
        struct filter_value text = filter_text(node->value);
        const struct filter_value *value = &text;
        if (!node->is_leaf)
            TRY(qs_value(ctx, node, &value));
        TRY(query_take(ctx, node->name, value, &query));
    }
    *ret = query;
    return OK;
}

struct query query_unparsed(Str query_string)
{
    Str text = query_string.len == 0 ? STR("") : query_string;
    return (struct query){.is_unparsed = true, .text = text};
}

Err query_from_json(struct ctx *ctx, const struct json *object, struct query *ret)
{
    struct query query = {0};
    const struct filter_value *body;
    TRY(filter_read(ctx, ctx->arena, object, &body));
    for (const struct filter *member = body->first; member != NULL; member = member->next)
        if (member->value->kind != FILTER_NULL)
            TRY(query_take(ctx, member->name, member->value, &query));
    *ret = query;
    return OK;
}

const struct query_deep *query_deep_find(const struct query_deep *deep, Str name)
{
    while (deep != NULL && !str_eq(deep->name, name))
        deep = deep->next;
    return deep;
}

const struct query_alias *query_alias_find(const struct query *query, Str name)
{
    assert(query->alias_count == 0 || query->aliases != NULL);
    for (uint32_t i = 0; i < query->alias_count; i++)
        if (str_eq(query->aliases[i].name, name))
            return &query->aliases[i];
    return NULL;
}
