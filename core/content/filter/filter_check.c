/*
 * What the filters of a query look like, whatever the schema: refused before anything is looked up.
 */
#include "base/memory/array.h"
#include "base/system/ctx.h"
#include "content/filter/filter.h"

#include <assert.h>

static Err check_members(struct ctx *ctx, const struct filter_value *object, uint32_t depth);

static Err refuse(struct ctx *ctx)
{
    return fail(ctx, ERR_INVALID_QUERY, "Invalid filter object");
}

static Err check_group(struct ctx *ctx, const struct filter_value *list, uint32_t depth)
{
    assert(depth <= FILTER_FIELDS_DEPTH);
    if (list->kind != FILTER_LIST)
        return refuse(ctx);
    for (uint32_t i = 0; i < list->count; i++)
        TRY(check_members(ctx, &list->items[i], depth));
    return OK;
}

/* Beyond it, JavaScript holds another number than the one that was written. */
static bool is_unsafe(Str number)
{
    const double safe_max = 9007199254740991.0;
    double value;
    return !str_to_double(number, &value) || value > safe_max;
}

/* A single value of an operator or a field; null is one. */
static Err check_scalar(struct ctx *ctx, Str name, const struct filter_value *value)
{
    if (value->kind == FILTER_NUMBER && is_unsafe(value->text))
        return fail(ctx, ERR_INVALID_QUERY, "The filter value for \"%.*s\" is not a valid number",
                    STR_FMT(name));
    if (value->kind == FILTER_NULL || (filter_is_scalar(value) && value->text.len > 0))
        return OK;
    if (value->kind == FILTER_TEXT)
        return fail(ctx, ERR_INVALID_QUERY,
                    "You can't filter for an empty string in \"%.*s\". Use \"_empty\" or "
                    "\"_nempty\" instead",
                    STR_FMT(name));
    return fail(ctx, ERR_INVALID_QUERY,
                "The filter value for \"%.*s\" has to be a string, number, or boolean",
                STR_FMT(name));
}

/* _intersects … and their negations: no column of a type that Spark knows supports them. */
static bool is_geometric(Str name)
{
    assert(name.len > 0 && name.data[0] == '_');
    Str rest = str_slice(name, str_starts_with(name, STR("_n")) ? 2 : 1, name.len);
    return str_eq(rest, STR("intersects")) || str_eq(rest, STR("intersects_bbox"));
}

static Err check_geometry(struct ctx *ctx, Str name, const struct filter_value *value)
{
    struct json_limits limits = {FILTER_GEOMETRY_DEPTH, FILTER_VALUES_MAX};
    const struct json *json = NULL;
    if (value->kind == FILTER_TEXT && json_parse(ctx, value->text, limits, &json) != OK) {
        diag_clear(ctx);
        return refuse(ctx);
    }
    bool has_type = json_kind(json) == JSON_OBJECT && !json_is_null(json_get(json, STR("type")));
    if (has_type || filter_find(value, STR("type")) != NULL)
        return OK;
    return fail(ctx, ERR_INVALID_QUERY, "\"%.*s\" has to be a valid GeoJSON object", STR_FMT(name));
}

static Err check_operator(struct ctx *ctx, const struct filter *member, uint32_t depth)
{
    assert(member->kind == FILTER_OPERATOR && depth <= FILTER_FIELDS_DEPTH);
    const struct filter_value *value = member->value;
    bool flag;
    if (is_geometric(member->name))
        return check_geometry(ctx, member->name, value);
    if (member->op == NULL && value->kind == FILTER_MEMBERS)
        return check_members(ctx, value, depth); /* a field of this name */
    if (member->op == NULL)
        return check_scalar(ctx, member->name, value);
    switch (member->op->meaning) {
    case MEANS_ANY:
    case MEANS_BETWEEN:
        if (value->kind < FILTER_LIST || value->count > 0)
            return OK;
        return fail(ctx, ERR_INVALID_QUERY, "\"%.*s\" has to be an array of values",
                    STR_FMT(member->name));
    case MEANS_NULL:
    case MEANS_EMPTY:
        if (filter_flag(value, &flag))
            return OK;
        return fail(ctx, ERR_INVALID_QUERY, "\"%.*s\" has to be a boolean", STR_FMT(member->name));
    case MEANS_COMPARE:
    case MEANS_LIKE:
    case MEANS_REGEX:
    case MEANS_SUBMITTED:
        break;
    }
    return check_scalar(ctx, member->name, value);
}

/* Recursion is limited by the depth of the source. */
static Err check_members(struct ctx *ctx, const struct filter_value *object, uint32_t depth)
{
    if (depth > FILTER_FIELDS_DEPTH)
        return fail(ctx, ERR_INVALID_QUERY, "Max relational depth exceeded");
    for (const struct filter *member = object->first; member != NULL; member = member->next) {
        switch (member->kind) {
        case FILTER_AND:
        case FILTER_OR:
            TRY(check_group(ctx, member->value, depth));
            break;
        case FILTER_SOME:
        case FILTER_NONE:
            TRY(check_members(ctx, member->value, depth));
            break;
        case FILTER_OPERATOR:
            TRY(check_operator(ctx, member, depth));
            break;
        case FILTER_FIELD:
            TRY(check_members(ctx, member->value, depth + 1));
            if (filter_is_scalar(member->value))
                TRY(check_scalar(ctx, STR("_eq"), member->value));
            break;
        }
    }
    return OK;
}

Err filter_check(struct ctx *ctx, const struct filter_value *filter)
{
    assert(filter != NULL);
    if (filter_is_scalar(filter))
        return check_scalar(ctx, filter_operator(OPERATOR_EQ)->name, filter);
    return check_members(ctx, filter, 0);
}
