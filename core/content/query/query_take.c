/*
 * The parameters of a query, one by one.
 */
#include "base/memory/array.h"
#include "base/memory/list.h"
#include "base/settings/settings.h"
#include "content/query/query_input.h"
#include "io/reactor/reactor.h"

#include <assert.h>

static int64_t limit_max(const struct ctx *ctx)
{
    return ctx->reactor == NULL ? 10000 : ctx->reactor->settings->query_limit_max;
}

/* Of one text: in a list of names, each is looked for as it is. */
static Err check_parentheses(struct ctx *ctx, const struct filter_value *names)
{
    int open = 0;
    for (size_t i = 0; names->kind == FILTER_TEXT && i < names->text.len; i++)
        open += (names->text.data[i] == '(') - (names->text.data[i] == ')');
    return open == 0 ? OK
                     : fail(ctx, ERR_INVALID_QUERY, "Missing closing parenthesis in \"fields\"");
}

static Err take_fields(struct ctx *ctx, struct query_input input, struct query *query)
{
    struct query_list list = {0};
    TRY(check_parentheses(ctx, input.value));
    TRY(query_take_paths(ctx, input, &list));
    assert(list.count <= QUERY_LIST_MAX);
    static const Str KEY_ONLY[] = {STR_INIT("")};
    bool is_empty_list = input.value->kind == FILTER_LIST && input.value->count == 0;
    query->fields = is_empty_list ? KEY_ONLY : list.items;
    query->field_count = is_empty_list ? 1 : list.count;
    return OK;
}

static Err take_sort(struct ctx *ctx, struct query_input input, struct query *query)
{
    struct query_list list = {0};
    if (input.value->kind != FILTER_TEXT && input.value->kind != FILTER_LIST)
        return OK; /* ignored, as in Directus */
    TRY(query_take_paths(ctx, input, &list));
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
    struct query_list list = {0};
    bool is_list = input.value->kind <= FILTER_LIST && input.value->kind != FILTER_BOOL &&
                   input.value->kind != FILTER_NUMBER;
    input.name = is_list ? "group" : "fields"; /* as Directus' errors name it */
    TRY(check_parentheses(ctx, input.value));
    TRY(query_take_paths(ctx, input, &list));
    assert(list.count <= QUERY_LIST_MAX);
    query->group_by = list.items;
    query->group_by_count = list.count;
    return OK;
}

static Err take_limit(struct ctx *ctx, struct query_input input, struct query *query)
{
    query->has_limit = true;
    return query_take_integer(ctx, input, -1, limit_max(ctx), &query->limit);
}

static Err take_offset(struct ctx *ctx, struct query_input input, struct query *query)
{
    return query_take_integer(ctx, input, 0, INT64_MAX, &query->offset);
}

static Err take_page(struct ctx *ctx, struct query_input input, struct query *query)
{
    return query_take_integer(ctx, input, 0, INT64_MAX, &query->page);
}

static Err take_search(struct ctx *ctx, struct query_input input, struct query *query)
{
    if (input.value->kind != FILTER_TEXT)
        return OK; /* ignored, as in Directus */
    query->search = str_trim(input.value->text);
    if (query->search.len > QUERY_SEARCH_MAX)
        return fail(ctx, ERR_INVALID_QUERY, "\"search\" may have at most %d bytes",
                    QUERY_SEARCH_MAX);
    return OK;
}

static Err meta_of(struct ctx *ctx, Str name, uint32_t at, struct query *query)
{
    if (str_eq(name, STR("total_count")))
        query->meta |= META_TOTAL_COUNT;
    else if (str_eq(name, STR("filter_count")))
        query->meta |= META_FILTER_COUNT;
    else
        return fail(ctx, ERR_INVALID_QUERY,
                    "\"meta[%u]\" must be one of [total_count, filter_count]", at);
    assert(query->meta != 0);
    return OK;
}

/* "*" alone, or the names of counts with nothing around them. */
static Err take_meta(struct ctx *ctx, struct query_input input, struct query *query)
{
    const struct filter_value *value = input.value;
    if (value->kind == FILTER_TEXT && str_eq(value->text, STR("*")))
        query->meta |= META_TOTAL_COUNT | META_FILTER_COUNT;
    else if (value->kind == FILTER_TEXT) {
        Str rest = value->text.len == 0 ? STR_NONE : value->text;
        Str name;
        for (uint32_t i = 0; str_next(&rest, ',', &name); i++)
            TRY(meta_of(ctx, name, i, query));
    }
    for (uint32_t i = 0; value->kind == FILTER_LIST && i < value->count; i++)
        TRY(meta_of(ctx, value->items[i].text, i, query));
    return OK;
}

/* false: the text is no JSON, or larger than the limits of a filter. */
static bool parse_text(struct ctx *ctx, const struct filter_value **value)
{
    assert((*value)->kind == FILTER_TEXT);
    struct json_limits limits = {QUERY_FILTER_DEPTH, QUERY_LIST_MAX};
    const struct json *json;
    struct diag before = ctx->diag;
    bool is_parsed = json_parse(ctx, (*value)->text, limits, &json) == OK &&
                     filter_read(ctx, ctx->arena, json, value) == OK;
    if (!is_parsed)
        ctx->diag = before;
    return is_parsed;
}

/* An object, or its JSON text; *ret is unchanged if there is none. */
static Err take_object(struct ctx *ctx, struct query_input input, const struct filter_value **ret)
{
    const struct filter_value *value = input.value;
    if (value->kind == FILTER_NULL || (value->kind == FILTER_TEXT && value->text.len == 0))
        return OK;
    if (value->kind == FILTER_TEXT && !parse_text(ctx, &value))
        return fail(ctx, ERR_INVALID_QUERY, "Invalid JSON for %s object", input.name);
    if (value->kind != FILTER_MEMBERS)
        return fail(ctx, ERR_INVALID_QUERY, "\"%s\" must be of type object", input.name);
    *ret = value;
    return OK;
}

/* Lists and single values are taken, too: the compiler says what is wrong with them. */
static Err take_filter(struct ctx *ctx, struct query_input input, struct query *query)
{
    bool is_text = input.value->kind == FILTER_TEXT;
    if (input.value->kind == FILTER_NULL || (is_text && input.value->text.len == 0))
        return OK;
    if (is_text && !parse_text(ctx, &input.value))
        return fail(ctx, ERR_INVALID_QUERY, "Invalid JSON for filter object");
    if (input.value->kind == FILTER_NULL)
        return fail(ctx, ERR_INVALID_QUERY, "\"filter\" must be of type object");
    query->filter = input.value;
    return filter_check(ctx, query->filter);
}

static bool is_parameter(Str name);
static const struct query_deep *deep_list(struct ctx *ctx, const struct filter_value *object);

/* The parameters of deep[x]: _limit is limit … Its fields come from the query, and nested deep
 * objects are its other members. */
static Err take_below(struct ctx *ctx, const struct filter_value *object, struct query *ret)
{
    assert(object->kind == FILTER_MEMBERS);
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
    assert(member->value->kind == FILTER_MEMBERS);
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

/* Anything but an object is ignored, as in Directus. */
static Err take_deep(struct ctx *ctx, struct query_input input, struct query *query)
{
    const struct filter_value *object = input.value;
    if (object->kind == FILTER_TEXT && !parse_text(ctx, &object))
        return OK;
    query->deep = deep_list(ctx, object);
    return OK;
}

static Err alias_of(struct ctx *ctx, const struct filter *member, struct query_alias *ret)
{
    const struct filter_value *field = member->value;
    if (field->kind != FILTER_TEXT)
        return fail(ctx, ERR_INVALID_QUERY, "\"alias\" value has to be a string. \"string\" given");
    if (str_find_char(member->name, '.') >= 0 || str_find_char(field->text, '.') >= 0)
        return fail(ctx, ERR_INVALID_QUERY,
                    "\"alias\" key/value can't contain a period character `.`");
    *ret = (struct query_alias){member->name, field->text};
    return OK;
}

static Err take_alias(struct ctx *ctx, struct query_input input, struct query *query)
{
    const struct filter_value *object = input.value;
    if (object->kind == FILTER_NULL || (object->kind == FILTER_TEXT && object->text.len == 0))
        return OK;
    bool is_readable = object->kind != FILTER_TEXT || parse_text(ctx, &object);
    if (is_readable && object->kind == FILTER_NULL)
        return fail(ctx, ERR_INVALID_QUERY, "\"alias\" must be of type object");
    if (!is_readable || object->kind != FILTER_MEMBERS)
        return fail(ctx, ERR_INVALID_QUERY, "\"alias\" has to be an object");
    struct query_alias *aliases = arena_array(ctx->arena, struct query_alias, object->count + 1);
    uint32_t count = 0;
    for (const struct filter *member = object->first; member != NULL; member = member->next)
        TRY(alias_of(ctx, member, &aliases[count++]));
    assert(count == object->count);
    query->aliases = aliases;
    query->alias_count = count;
    return OK;
}

static Err take_aggregate(struct ctx *ctx, struct query_input input, struct query *query)
{
    const struct filter_value *object = NULL;
    TRY(take_object(ctx, input, &object));
    struct query_list functions = {0};
    struct query_list fields = {0};
    const struct filter *member = object == NULL ? NULL : object->first;
    for (; member != NULL; member = member->next) {
        struct query_input names = {
            .name = "aggregate", .value = member->value, .blanks = BLANKS_KEPT};
        uint32_t before = fields.count;
        TRY(query_take_list(ctx, names, &fields));
        for (uint32_t i = before; i < fields.count; i++)
            TRY(query_list_push(ctx, &functions, "aggregate", member->name));
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

static Err take_backlink(struct ctx *ctx, struct query_input input, struct query *query)
{
    (void)ctx;
    query->has_no_backlinks = str_eq(input.value->text, STR("false"));
    return OK;
}

static Err take_export(struct ctx *ctx, struct query_input input, struct query *query)
{
    static const Str NAMES[] = {
        [EXPORT_CSV] = STR_INIT("csv"),   [EXPORT_CSV_UTF8] = STR_INIT("csv_utf8"),
        [EXPORT_JSON] = STR_INIT("json"), [EXPORT_XML] = STR_INIT("xml"),
        [EXPORT_YAML] = STR_INIT("yaml"),
    };
    static_assert(COUNT_OF(NAMES) == EXPORT_YAML + 1, "one name for each format");
    Str name = input.value->kind == FILTER_TEXT ? input.value->text : STR_NONE;
    if (input.value->kind == FILTER_NULL || (name.data != NULL && name.len == 0))
        return OK;
    for (size_t i = EXPORT_CSV; i < COUNT_OF(NAMES); i++)
        if (str_eq(name, NAMES[i]))
            query->export = (enum query_export)i;
    if (query->export != EXPORT_NONE)
        return OK;
    return fail(ctx, ERR_INVALID_QUERY,
                "\"export\" must be one of [csv, csv_utf8, json, xml, yaml]");
}

static const struct {
    const char *name;
    Err (*take)(struct ctx *ctx, struct query_input input, struct query *query);
} PARAMETERS[] = {
    {"aggregate", take_aggregate}, {"alias", take_alias},      {"backlink", take_backlink},
    {"deep", take_deep},           {"export", take_export},    {"fields", take_fields},
    {"filter", take_filter},       {"groupBy", take_group_by}, {"limit", take_limit},
    {"meta", take_meta},           {"offset", take_offset},    {"page", take_page},
    {"search", take_search},       {"sort", take_sort},
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
    assert(value != NULL && !query->is_unparsed);
    for (size_t i = 0; i < COUNT_OF(PARAMETERS); i++) {
        struct query_input input = {.name = PARAMETERS[i].name, .value = value};
        if (str_eq(name, str_from_z(input.name)))
            return PARAMETERS[i].take(ctx, input, query);
    }
    return OK;
}
