/*
 * Values in filters: checked against the type of the field, so that an invalid one is a 400 and not
 * a database error; dynamic variables stay dynamic, so that plans can be shared.
 */
#include "base/system/clock.h"
#include "content/plan/compile.h"
#include "content/plan/sql_print.h"
#include "content/schema/schema.h"

#include <assert.h>
#include <math.h>

static bool is_numeric(const struct operand *operand)
{
    if (operand->function != FUNCTION_NONE)
        return true;
    switch (operand->field->type) {
    case FIELD_INTEGER:
    case FIELD_BIG_INTEGER:
    case FIELD_FLOAT:
    case FIELD_DECIMAL:
        return true;
    default:
        return false;
    }
}

struct value *value_of_param(struct compiler *c, struct param *param)
{
    assert(param != NULL);
    struct value *value = arena_new(c->arena, struct value);
    value->param = param;
    return value;
}

/* What null is for numbers: JavaScript's Number(null), which Directus does not ask for a bigint. */
static bool is_null_zero(const struct operand *operand)
{
    return is_numeric(operand) &&
           (operand->function != FUNCTION_NONE || operand->field->type != FIELD_BIG_INTEGER);
}

/* The maximum of an integer column, else 0: no maximum. */
static double integer_max(uint32_t oid)
{
    switch (oid) {
    case OID_INT2:
        return INT16_MAX;
    case OID_INT4:
        return INT32_MAX;
    case OID_INT8:
        return 9223372036854774784.0; /* the largest double below 2^63 */
    default:
        return 0;
    }
}

/* A fraction compared with an integer column is compared as numeric. */
static Err check_number(struct compiler *c, const struct operand *operand, Str text,
                        const char **ret_cast)
{
    assert(operand->field != NULL);
    double number;
    text = str_trim(text);
    if (!str_to_double(text, &number) || !isfinite(number))
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid numeric value");
    bool is_plain = operand->function == FUNCTION_NONE;
    double max = is_plain ? integer_max(operand->field->type_oid) : 0;
    int64_t integer;
    if (max > 0 && (!str_to_i64(text, &integer) || fabs(number) > max + 1))
        *ret_cast = "numeric"; /* no row can match, which is a valid result */
    return OK;
}

/* Always with microseconds and a zone, so that the session's time zone has no effect. */
static Str iso_micros(struct arena *arena, int64_t wall_us)
{
    Str iso = clock_iso(arena, wall_us);
    int64_t rest = wall_us % 1000;
    if (rest < 0)
        rest += 1000;
    return str_printf(arena, "%.*s%03dZ", (int)iso.len - 1, iso.data, (int)rest);
}

static Err check_moment(struct compiler *c, const struct field *field, Str *text)
{
    int64_t wall_us;
    if (field->type == FIELD_TIME)
        return OK;
    if (!clock_parse_iso(str_trim(*text), &wall_us))
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid date value in field \"%.*s\"",
                    STR_FMT(field->name));
    *text = iso_micros(c->arena, wall_us);
    return OK;
}

static bool is_time_text(Str text)
{
    if (text.len < 5 || text.len > 15)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char ch = text.data[i];
        bool is_place_of_colon = i == 2 || i == 5;
        if (is_place_of_colon ? ch != ':' : (ch < '0' || ch > '9') && ch != '.')
            return false;
    }
    int hours = (text.data[0] - '0') * 10 + text.data[1] - '0';
    int minutes = (text.data[3] - '0') * 10 + text.data[4] - '0';
    bool is_midnight = str_eq(text, STR("24:00")) || str_eq(text, STR("24:00:00"));
    return is_midnight || (hours < 24 && minutes < 60 && (text.len < 7 || text.data[6] < '6'));
}

static Err check_uuid(struct compiler *c, Str text)
{
    Uuid uuid;
    if (uuid_parse(text, &uuid))
        return OK;
    return fail(c->ctx, ERR_INVALID_QUERY, "Invalid uuid value");
}

static Err check_text(struct compiler *c, const struct operand *operand, Str *text,
                      const char **ret_cast)
{
    assert(operand->field != NULL);
    if (is_numeric(operand)) {
        if (str_eq(*text, STR("true")) || str_eq(*text, STR("false")))
            *text = str_eq(*text, STR("true")) ? STR("1") : STR("0"); /* JavaScript's Number() */
        return check_number(c, operand, *text, ret_cast);
    }
    switch (operand->field->type) {
    case FIELD_UUID:
        return operand->field->type_oid == OID_UUID ? check_uuid(c, *text) : OK;
    case FIELD_DATE:
    case FIELD_DATE_TIME:
    case FIELD_TIMESTAMP:
        return check_moment(c, operand->field, text);
    case FIELD_TIME:
        if (is_time_text(*text))
            return OK;
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid time value in field \"%.*s\"",
                    STR_FMT(operand->field->name));
    case FIELD_BOOLEAN:
        if (str_eq(*text, STR("true")) || str_eq(*text, STR("false")) || str_eq(*text, STR("1")) ||
            str_eq(*text, STR("0")))
            return OK;
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid boolean value");
    default:
        return OK;
    }
}

/*
 * Dynamic variables: parameters of the execution, or subqueries over the current user's row.
 */

static struct value *of_kind(struct compiler *c, enum param_kind kind)
{
    return value_of_param(c, param_new(c, kind));
}

/* A path from the current user's or role's row is a subquery, which avoids a round trip. A path
 * without a target is null, which equals nothing. */
static struct value *own_field(struct compiler *c, Str collection_name, Str path,
                               enum param_kind key)
{
    assert(key == PARAM_USER || key == PARAM_ROLE);
    struct value *value = arena_new(c->arena, struct value);
    const struct collection *collection = schema_find(c->schema, collection_name);
    if (collection == NULL)
        return value_of_param(c, param_new(c, PARAM_TEXT));
    struct source *root = source_root(c, collection);
    struct source *source = root;
    Str head;
    while (path_next(&path, &head)) {
        const struct field *field = collection_field(source->collection, head);
        bool is_secret = field != NULL && (field->special & SPECIAL_SECRET) != 0;
        if (field == NULL || field->is_alias || is_secret)
            return value_of_param(c, param_new(c, PARAM_TEXT));
        if (path.len == 0) {
            struct pred *own = pred_new(c, PRED_COMPARE);
            own->operand = operand_of(root, collection->key);
            own->operation = "=";
            own->value = of_kind(c, key);
            root->on = own;
            value->user_root = root;
            value->user_field = operand_of(source, field);
            return value;
        }
        if (field->relation == NULL || field->relation->kind != RELATION_TO_ONE ||
            source_scalar(c, source, field, SOURCE_SCALAR, (struct place){0}, &source) != OK)
            break;
    }
    diag_clear(c->ctx);
    return value_of_param(c, param_new(c, PARAM_TEXT));
}

bool value_dynamic(struct compiler *c, Str text, struct value **ret)
{
    switch (dynamic_kind(text)) {
    case DYNAMIC_NONE:
        return false;
    case DYNAMIC_NOW:
        *ret = of_kind(c, PARAM_NOW);
        (*ret)->param->shift_ms = dynamic_shift_ms(text);
        return true;
    case DYNAMIC_USER:
        *ret = of_kind(c, PARAM_USER);
        return true;
    case DYNAMIC_ROLE:
        *ret = of_kind(c, PARAM_ROLE);
        return true;
    case DYNAMIC_ROLES:
        *ret = of_kind(c, PARAM_ROLES);
        return true;
    case DYNAMIC_POLICIES:
        *ret = of_kind(c, PARAM_POLICIES);
        return true;
    case DYNAMIC_USER_FIELD:
        *ret = own_field(c, STR("directus_users"), str_slice(text, 14, text.len), PARAM_USER);
        return true;
    case DYNAMIC_ROLE_FIELD:
        *ret = own_field(c, STR("directus_roles"), str_slice(text, 14, text.len), PARAM_ROLE);
        return true;
    }
    return false;
}

static Err text_of(struct compiler *c, const char *operation, const struct filter_value *given,
                   Str *ret)
{
    assert(operation != NULL);
    if (!filter_is_scalar(given))
        return fail(c->ctx, ERR_INVALID_QUERY,
                    "The filter value for \"%s\" has to be a string, number, or boolean",
                    operation);
    *ret = given->text;
    if (ret->len > 0)
        return OK;
    return fail(c->ctx, ERR_INVALID_QUERY,
                "You can't filter for an empty string in \"%s\". Use \"_empty\" or \"_nempty\" "
                "instead",
                operation);
}

/* A field of the current user is compared as its text, read as the type of the operand: a text that
 * is none is a 400, as for a value in the query. */
static const char *own_cast(const struct operand *operand, const struct operand *own)
{
    assert(own->field != NULL);
    if (operand->function != FUNCTION_NONE)
        return "numeric";
    if (operand->field->type_oid == own->field->type_oid)
        return NULL;
    switch (operand->field->type_oid) {
    case OID_BOOL:
        return "bool";
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_NUMERIC:
        return "numeric";
    case OID_DATE:
        return "date";
    case OID_TIME:
        return "time";
    case OID_TIMESTAMP:
        return "timestamp";
    case OID_TIMESTAMPTZ:
        return "timestamptz";
    default: {
        const char *type = sql_type_name(operand->field->type_oid);
        return type != NULL ? type : "text";
    }
    }
}

/* The time is a number of milliseconds beside numbers; who asks is none. */
static Err fit_dynamic(struct compiler *c, const struct operand *operand, struct value *value)
{
    if (value->param == NULL) {
        value->cast = own_cast(operand, &value->user_field);
        return OK;
    }
    if (!is_numeric(operand) || value->param->kind == PARAM_TEXT)
        return OK;
    if (value->param->kind != PARAM_NOW)
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid numeric value");
    value->param->kind = PARAM_NOW_MS;
    value->cast = "numeric";
    return OK;
}

Err value_parse(struct compiler *c, const struct operand *operand, const char *operation,
                const struct filter_value *given, struct value **ret)
{
    assert(given != NULL && operand->field != NULL);
    if (given->dynamic != DYNAMIC_NONE && value_dynamic(c, given->text, ret))
        return fit_dynamic(c, operand, *ret);
    Str text;
    TRY(text_of(c, operation, given, &text));
    const char *cast = operand->function != FUNCTION_NONE ? "numeric" : NULL;
    TRY(check_text(c, operand, &text, &cast));
    *ret = value_of_param(c, param_text(c, text));
    (*ret)->cast = cast;
    return OK;
}

struct value *value_of_null(struct compiler *c, const struct operand *operand)
{
    return value_of_param(c, param_text(c, is_null_zero(operand) ? STR("0") : STR_NONE));
}

bool value_again(struct ctx *ctx, const struct shared_value *shared, Str text, Str *ret)
{
    assert(shared->operand != NULL);
    struct compiler c = {.ctx = ctx, .arena = ctx->arena};
    const char *cast = shared->operand->function != FUNCTION_NONE ? "numeric" : NULL;
    *ret = text;
    if (check_text(&c, shared->operand, ret, &cast) == OK)
        return cast == shared->cast;
    diag_clear(ctx);
    return false;
}

static bool holds_arrays(const struct param *param)
{
    return param != NULL && (param->kind == PARAM_ROLES || param->kind == PARAM_POLICIES);
}

struct items {
    struct param *list;
    uint32_t room;
    const char *cast;
};

static Err push_item(struct compiler *c, const char *operation, struct param *item,
                     struct items *items)
{
    assert(item != NULL && items->list->item_count <= PLAN_LIST_MAX);
    struct param *list = items->list;
    if (list->item_count == PLAN_LIST_MAX)
        return fail(c->ctx, ERR_INVALID_QUERY, "\"%s\" has more than %d values", operation,
                    PLAN_LIST_MAX);
    if (list->item_count == items->room) {
        items->room = items->room == 0 ? 8 : items->room * 2;
        struct param **grown = arena_array(c->arena, struct param *, items->room);
        if (list->item_count > 0)
            memcpy(grown, list->items, list->item_count * sizeof grown[0]);
        list->items = grown;
    }
    list->items[list->item_count++] = item;
    return OK;
}

static Err add_item(struct compiler *c, const struct operand *operand, const char *operation,
                    const struct filter_value *given, struct items *items)
{
    assert(given != NULL);
    bool is_blank = given->kind == FILTER_TEXT && given->text.len == 0;
    struct value *value;
    if (filter_means_null(given))
        return push_item(c, operation, value_of_null(c, operand)->param, items);
    if (is_numeric(operand) && is_blank)
        return push_item(c, operation, param_text(c, STR("0")), items); /* Number("") */
    if (is_blank && field_group_of(operand->field->type) == GROUP_STRING)
        return push_item(c, operation, param_text(c, STR("")), items);
    TRY(value_parse(c, operand, operation, given, &value));
    if (value->param == NULL)
        return fail(c->ctx, ERR_INVALID_QUERY, "\"%s\" takes no fields of the current user",
                    operation);
    if (value->cast != NULL)
        items->cast = value->cast;
    return push_item(c, operation, value->param, items);
}

/* "a,b" → elements. They are strings: the type check converts them. */
static Err add_csv(struct compiler *c, const struct operand *operand, const char *operation,
                   Str text, struct items *items)
{
    Str part;
    while (str_next(&text, ',', &part)) {
        struct filter_value *element = arena_new(c->ctx->arena, struct filter_value);
        *element = filter_text(part);
        TRY(add_item(c, operand, operation, element, items));
    }
    return OK;
}

Err value_parse_list(struct compiler *c, const struct operand *operand, const char *operation,
                     const struct filter_value *given, struct value **ret)
{
    assert(given != NULL && operand->field != NULL);
    struct items items = {.list = param_new(c, PARAM_LIST)};
    struct filter_elements elements = filter_elements(given);
    const struct filter_value *element;
    while ((element = filter_next(&elements)) != NULL) /* also for {"0": …, "1": …} */
        TRY(add_item(c, operand, operation, element, &items));
    if (given->kind == FILTER_TEXT)
        TRY(add_csv(c, operand, operation, given->text, &items));
    else if (given->kind < FILTER_LIST) /* one value is a list of one */
        TRY(add_item(c, operand, operation, given, &items));
    if (given->kind >= FILTER_LIST && given->count == 0)
        return fail(c->ctx, ERR_INVALID_QUERY, "\"%s\" has to be an array of values", operation);
    bool is_array_variable = items.list->item_count == 1 && holds_arrays(items.list->items[0]);
    *ret = value_of_param(c, is_array_variable ? items.list->items[0] : items.list);
    if (items.cast != NULL)
        (*ret)->cast = "numeric[]";
    return OK;
}
