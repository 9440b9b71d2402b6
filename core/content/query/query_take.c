#include "base/memory/array.h"
#include "base/settings/settings.h"
#include "content/query/query.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <math.h>

enum { LIST_FIRST = 8 };

static int64_t limit_max(const struct ctx *ctx)
{
    return ctx->reactor == NULL ? 10000 : ctx->reactor->settings->query_limit_max;
}

/* The name before the next comma outside parentheses. */
static bool next_name(Str *rest, Str *ret)
{
    if (rest->data == NULL)
        return false;
    int open = 0;
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->data[i];
        open += (c == '(') - (c == ')');
        if (c == ',' && open <= 0) {
            *ret = str_trim(str_slice(*rest, 0, i));
            *rest = str_slice(*rest, i + 1, rest->len);
            return true;
        }
    }
    *ret = str_trim(*rest);
    *rest = STR_NONE;
    return true;
}

struct list {
    Str *items;
    uint32_t count;
    uint32_t capacity;
};

static Err list_push(struct ctx *ctx, struct list *list, const char *name, Str item)
{
    if (list->count == QUERY_LIST_MAX)
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must contain less than or equal to %d items",
                    name, QUERY_LIST_MAX);
    ARRAY_GROW_IN(ctx->arena, list->items, list->count, list->capacity, LIST_FIRST);
    list->items[list->count++] = item;
    return OK;
}

static Err list_add(struct ctx *ctx, struct list *list, const char *name, Str csv)
{
    Str item;
    while (next_name(&csv, &item)) {
        if (item.len > 0)
            TRY(list_push(ctx, list, name, item));
    }
    return OK;
}

Err query_split(struct ctx *ctx, Str csv, const Str **ret, uint32_t *ret_count)
{
    struct list list = {0};
    TRY(list_add(ctx, &list, "fields", csv));
    *ret = list.items;
    *ret_count = list.count;
    return OK;
}

static Err take_list(struct ctx *ctx, struct query_input input, struct list *ret)
{
    if (input.json == NULL)
        return list_add(ctx, ret, input.name, input.text);
    switch (json_kind(input.json)) {
    case JSON_NULL:
        return OK;
    case JSON_STRING:
        return list_add(ctx, ret, input.name, json_str(input.json));
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    default:
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be an array", input.name);
    }
    for (struct json_iter it = json_iter(input.json); json_next(&it);) {
        if (json_kind(it.value) != JSON_STRING)
            return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be an array of strings", input.name);
        TRY(list_add(ctx, ret, input.name, json_str(it.value)));
    }
    for (uint32_t i = 0; json_kind(input.json) == JSON_ARRAY && i < json_len(input.json); i++) {
        const struct json *item = json_at(input.json, i);
        if (json_kind(item) != JSON_STRING)
            return fail(ctx, ERR_INVALID_QUERY, "\"%s[%u]\" must be a string", input.name, i);
        TRY(list_add(ctx, ret, input.name, json_str(item)));
    }
    return OK;
}

static bool number_of(struct query_input input, double *ret)
{
    if (input.json == NULL || json_kind(input.json) == JSON_STRING) {
        Str text = str_trim(input.json == NULL ? input.text : json_str(input.json));
        *ret = 0;
        return text.len == 0 || str_to_double(text, ret);
    }
    if (json_kind(input.json) != JSON_INT && json_kind(input.json) != JSON_REAL)
        return false;
    *ret = json_number(input.json);
    return true;
}

static Err take_integer(struct ctx *ctx, struct query_input input, int64_t min, int64_t max,
                        int64_t *ret)
{
    double value;
    if (!number_of(input, &value) || !isfinite(value))
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be a number", input.name);
    if (value != floor(value))
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be an integer", input.name);
    if (value < (double)min)
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be greater than or equal to %jd",
                    input.name, (intmax_t)min);
    if (value > (double)max)
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be less than or equal to %jd", input.name,
                    (intmax_t)max);
    *ret = (int64_t)value;
    return OK;
}

static Err take_fields(struct ctx *ctx, struct query_input input, struct query *query)
{
    struct list list = {0};
    TRY(take_list(ctx, input, &list));
    query->fields = list.items;
    query->field_count = list.count;
    return OK;
}

static Err take_sort(struct ctx *ctx, struct query_input input, struct query *query)
{
    struct list list = {0};
    TRY(take_list(ctx, input, &list));
    struct query_sort *sort = arena_array(ctx->arena, struct query_sort, list.count + 1);
    for (uint32_t i = 0; i < list.count; i++) {
        Str path = list.items[i];
        sort[i].descending = path.data[0] == '-';
        sort[i].path = sort[i].descending ? str_slice(path, 1, path.len) : path;
    }
    query->sort = sort;
    query->sort_count = list.count;
    return OK;
}

static Err take_group_by(struct ctx *ctx, struct query_input input, struct query *query)
{
    struct list list = {0};
    TRY(take_list(ctx, input, &list));
    query->group_by = list.items;
    query->group_by_count = list.count;
    return OK;
}

static Err take_limit(struct ctx *ctx, struct query_input input, struct query *query)
{
    query->has_limit = true;
    return take_integer(ctx, input, -1, limit_max(ctx), &query->limit);
}

static Err take_offset(struct ctx *ctx, struct query_input input, struct query *query)
{
    return take_integer(ctx, input, 0, INT32_MAX, &query->offset);
}

static Err take_page(struct ctx *ctx, struct query_input input, struct query *query)
{
    return take_integer(ctx, input, 0, INT32_MAX, &query->page);
}

static Err take_search(struct ctx *ctx, struct query_input input, struct query *query)
{
    if (input.json != NULL && json_kind(input.json) != JSON_STRING)
        return fail(ctx, ERR_INVALID_QUERY, "\"search\" must be a string");
    query->search = str_trim(input.json == NULL ? input.text : json_str(input.json));
    if (query->search.len > QUERY_SEARCH_MAX)
        return fail(ctx, ERR_INVALID_QUERY, "\"search\" may have %d bytes", QUERY_SEARCH_MAX);
    return OK;
}

static Err take_meta(struct ctx *ctx, struct query_input input, struct query *query)
{
    struct list list = {0};
    TRY(take_list(ctx, input, &list));
    for (uint32_t i = 0; i < list.count; i++) {
        if (str_eq(list.items[i], STR("*")))
            query->meta |= META_TOTAL_COUNT | META_FILTER_COUNT;
        else if (str_eq(list.items[i], STR("total_count")))
            query->meta |= META_TOTAL_COUNT;
        else if (str_eq(list.items[i], STR("filter_count")))
            query->meta |= META_FILTER_COUNT;
        else
            return fail(ctx, ERR_INVALID_QUERY,
                        "\"meta[%u]\" must be one of [total_count, filter_count]", i);
    }
    return OK;
}

/* An object, or its JSON text. */
static Err take_object(struct ctx *ctx, struct query_input input, const struct json **ret)
{
    const struct json *json = input.json;
    if (json == NULL || json_kind(json) == JSON_STRING) {
        struct json_limits limits = {QUERY_FILTER_DEPTH, QUERY_LIST_MAX};
        Str text = json == NULL ? input.text : json_str(json);
        if (text.len == 0)
            return OK;
        if (json_parse(ctx, text, limits, &json) != OK)
            return fail(ctx, ERR_INVALID_QUERY, "Invalid JSON for %s object", input.name);
    }
    if (json_kind(json) == JSON_NULL)
        return OK;
    if (json_kind(json) != JSON_OBJECT && json_kind(json) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be of type object", input.name);
    *ret = json;
    return OK;
}

static Err take_filter(struct ctx *ctx, struct query_input input, struct query *query)
{
    const struct json *object = NULL;
    TRY(take_object(ctx, input, &object));
    return object == NULL ? OK : filter_read(ctx, ctx->arena, object, &query->filter);
}

static Err take_deep(struct ctx *ctx, struct query_input input, struct query *query)
{
    return take_object(ctx, input, &query->deep);
}

static Err take_alias(struct ctx *ctx, struct query_input input, struct query *query)
{
    TRY(take_object(ctx, input, &query->alias));
    for (struct json_iter it = json_iter(query->alias); json_next(&it);) {
        if (json_kind(it.value) != JSON_STRING)
            return fail(ctx, ERR_INVALID_QUERY, "\"alias\" must be an object of strings");
        if (str_find_char(it.key, '.') >= 0 || str_find_char(json_str(it.value), '.') >= 0)
            return fail(ctx, ERR_INVALID_QUERY,
                        "\"alias\" key/value can't contain a period character `.`");
    }
    return OK;
}

static Err take_aggregate(struct ctx *ctx, struct query_input input, struct query *query)
{
    const struct json *object = NULL;
    TRY(take_object(ctx, input, &object));
    struct list functions = {0};
    struct list fields = {0};
    for (struct json_iter it = json_iter(object); json_next(&it);) {
        struct query_input names = {.name = "aggregate", .json = it.value};
        uint32_t before = fields.count;
        TRY(take_list(ctx, names, &fields));
        for (uint32_t i = before; i < fields.count; i++)
            TRY(list_push(ctx, &functions, "aggregate", it.key));
    }
    assert(functions.count == fields.count);
    struct query_aggregate *list =
        arena_array(ctx->arena, struct query_aggregate, fields.count + 1);
    for (uint32_t i = 0; i < fields.count; i++)
        list[i] = (struct query_aggregate){functions.items[i], fields.items[i]};
    query->aggregates = list;
    query->aggregate_count = fields.count;
    return OK;
}

static const struct {
    const char *name;
    Err (*take)(struct ctx *ctx, struct query_input input, struct query *query);
} PARAMETERS[] = {
    {"aggregate", take_aggregate}, {"alias", take_alias},   {"deep", take_deep},
    {"fields", take_fields},       {"filter", take_filter}, {"groupBy", take_group_by},
    {"limit", take_limit},         {"meta", take_meta},     {"offset", take_offset},
    {"page", take_page},           {"search", take_search}, {"sort", take_sort},
};

Err query_take(struct ctx *ctx, Str name, struct query_input input, struct query *query)
{
    for (size_t i = 0; i < COUNT_OF(PARAMETERS); i++) {
        if (str_eq(name, str_from_z(PARAMETERS[i].name))) {
            input.name = PARAMETERS[i].name;
            return PARAMETERS[i].take(ctx, input, query);
        }
    }
    return OK; /* unknown ones are ignored, as Directus does */
}
