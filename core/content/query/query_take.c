#include "base/memory/array.h"
#include "base/memory/list.h"
#include "base/settings/settings.h"
#include "content/query/query.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <math.h>

enum { LIST_FIRST = 8 };

struct query_input {
    const char *name; /* for error messages */
    const struct filter_value *value;
};

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
    assert(list->count <= QUERY_LIST_MAX);
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
    const struct filter_value *value = input.value;
    switch (value->kind) {
    case FILTER_NULL:
        return OK;
    case FILTER_TEXT:
        return list_add(ctx, ret, input.name, value->text);
    case FILTER_LIST:
    case FILTER_MEMBERS:
        break;
    default:
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be an array", input.name);
    }
    for (const struct filter *member = value->first; member != NULL; member = member->next) {
        if (member->value->kind != FILTER_TEXT)
            return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be an array of strings", input.name);
        TRY(list_add(ctx, ret, input.name, member->value->text));
    }
    for (uint32_t i = 0; value->kind == FILTER_LIST && i < value->count; i++) {
        if (value->items[i].kind != FILTER_TEXT)
            return fail(ctx, ERR_INVALID_QUERY, "\"%s[%u]\" must be a string", input.name, i);
        TRY(list_add(ctx, ret, input.name, value->items[i].text));
    }
    return OK;
}

static bool number_of(const struct filter_value *value, double *ret)
{
    if (value->kind != FILTER_TEXT && value->kind != FILTER_NUMBER)
        return false;
    Str text = str_trim(value->text);
    *ret = 0;
    return text.len == 0 || str_to_double(text, ret);
}

static Err take_integer(struct ctx *ctx, struct query_input input, int64_t min, int64_t max,
                        int64_t *ret)
{
    assert(min <= max);
    double value;
    if (!number_of(input.value, &value) || !isfinite(value))
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
        assert(path.len > 0);
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
    if (input.value->kind != FILTER_TEXT)
        return fail(ctx, ERR_INVALID_QUERY, "\"search\" must be a string");
    query->search = str_trim(input.value->text);
    if (query->search.len > QUERY_SEARCH_MAX)
        return fail(ctx, ERR_INVALID_QUERY, "\"search\" may have at most %d bytes",
                    QUERY_SEARCH_MAX);
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

/* An object, or its JSON text; *ret is unchanged if there is none. */
static Err take_object(struct ctx *ctx, struct query_input input, const struct filter_value **ret)
{
    const struct filter_value *value = input.value;
    if (value->kind == FILTER_TEXT) {
        struct json_limits limits = {QUERY_FILTER_DEPTH, QUERY_LIST_MAX};
        const struct json *json;
        if (value->text.len == 0)
            return OK;
        if (json_parse(ctx, value->text, limits, &json) != OK)
            return fail(ctx, ERR_INVALID_QUERY, "Invalid JSON for %s object", input.name);
        TRY(filter_read(ctx, ctx->arena, json, &value));
    }
    if (value->kind == FILTER_NULL)
        return OK;
    if (value->kind != FILTER_MEMBERS && value->kind != FILTER_LIST)
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be of type object", input.name);
    *ret = value;
    return OK;
}

static Err take_filter(struct ctx *ctx, struct query_input input, struct query *query)
{
    return take_object(ctx, input, &query->filter);
}

static bool is_parameter(Str name);
static const struct query_deep *deep_list(struct ctx *ctx, const struct filter_value *object);

/* The parameters of deep[x]: _limit is limit … Its fields come from the query, and nested deep
 * objects are its other members. */
static Err take_below(struct ctx *ctx, const struct filter_value *object, struct query *ret)
{
    for (const struct filter *member = object->first; member != NULL; member = member->next) {
        Str name = str_slice(member->name, 1, member->name.len);
        bool is_named = member->name.len > 1 && member->name.data[0] == '_';
        if (!is_named || member->value->kind == FILTER_NULL || str_eq(name, STR("fields")) ||
            str_eq(name, STR("deep")))
            continue;
        TRY(query_take(ctx, name, member->value, ret));
    }
    return OK;
}

static struct query_deep *deep_of(struct ctx *ctx, const struct filter *member)
{
    struct query *query = arena_new(ctx->arena, struct query);
    struct query_deep *deep = arena_new(ctx->arena, struct query_deep);
    *deep = (struct query_deep){.name = member->name, .query = query};
    struct diag before = ctx->diag;
    deep->is_refused = take_below(ctx, member->value, query) != OK;
    if (deep->is_refused)
        deep->refusal = ctx->diag.last->reason;
    ctx->diag = before;
    query->deep = deep_list(ctx, member->value);
    return deep;
}

/* Recursion is limited by the depth of the JSON or the brackets. */
static const struct query_deep *deep_list(struct ctx *ctx, const struct filter_value *object)
{
    struct query_deep *first = NULL;
    struct query_deep *last = NULL;
    for (const struct filter *member = object->first; member != NULL; member = member->next) {
        bool is_taken = str_starts_with(member->name, STR("_")) &&
                        is_parameter(str_slice(member->name, 1, member->name.len));
        if (member->value->kind == FILTER_MEMBERS && !is_taken)
            LIST_APPEND(first, last, deep_of(ctx, member));
    }
    return first;
}

static Err take_deep(struct ctx *ctx, struct query_input input, struct query *query)
{
    const struct filter_value *object = NULL;
    TRY(take_object(ctx, input, &object));
    if (object != NULL)
        query->deep = deep_list(ctx, object);
    return OK;
}

static Err take_alias(struct ctx *ctx, struct query_input input, struct query *query)
{
    const struct filter_value *object = NULL;
    TRY(take_object(ctx, input, &object));
    if (object == NULL)
        return OK;
    struct query_alias *aliases = arena_array(ctx->arena, struct query_alias, object->count + 1);
    uint32_t count = 0;
    for (const struct filter *member = object->first; member != NULL; member = member->next) {
        const struct filter_value *field = member->value;
        if (field->kind != FILTER_TEXT)
            return fail(ctx, ERR_INVALID_QUERY, "\"alias\" must be an object of strings");
        if (str_find_char(member->name, '.') >= 0 || str_find_char(field->text, '.') >= 0)
            return fail(ctx, ERR_INVALID_QUERY,
                        "\"alias\" key/value can't contain a period character `.`");
        aliases[count++] = (struct query_alias){member->name, field->text};
    }
    query->aliases = aliases;
    query->alias_count = count;
    return OK;
}

static Err take_aggregate(struct ctx *ctx, struct query_input input, struct query *query)
{
    const struct filter_value *object = NULL;
    TRY(take_object(ctx, input, &object));
    struct list functions = {0};
    struct list fields = {0};
    const struct filter *member = object == NULL ? NULL : object->first;
    for (; member != NULL; member = member->next) {
        struct query_input names = {.name = "aggregate", .value = member->value};
        uint32_t before = fields.count;
        TRY(take_list(ctx, names, &fields));
        for (uint32_t i = before; i < fields.count; i++)
            TRY(list_push(ctx, &functions, "aggregate", member->name));
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

static bool is_parameter(Str name)
{
    for (size_t i = 0; i < COUNT_OF(PARAMETERS); i++)
        if (str_eq(name, str_from_z(PARAMETERS[i].name)))
            return true;
    return false;
}

Err query_take(struct ctx *ctx, Str name, const struct filter_value *value, struct query *query)
{
    for (size_t i = 0; i < COUNT_OF(PARAMETERS); i++) {
        struct query_input input = {.name = PARAMETERS[i].name, .value = value};
        if (str_eq(name, str_from_z(input.name)))
            return PARAMETERS[i].take(ctx, input, query);
    }
    return OK;
}
