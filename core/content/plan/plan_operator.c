/*
 * Operators: which of them a field's type knows, and what they mean.
 */
#include "base/memory/array.h"
#include "content/plan/compile.h"

#include <assert.h>

enum field_group {
    GROUP_STRING = 1,
    GROUP_HASH = 2,
    GROUP_UUID = 4,
    GROUP_JSON = 8,
    GROUP_BOOLEAN = 16,
    GROUP_NUMBER = 32,
    GROUP_MOMENT = 64,
    GROUP_OTHER = 128,
};
#define ORDERED (GROUP_NUMBER | GROUP_MOMENT | GROUP_OTHER)
#define EQUALS (GROUP_STRING | GROUP_UUID | GROUP_BOOLEAN | ORDERED)
#define LISTS (GROUP_STRING | GROUP_UUID | ORDERED)
#define ALL 255

enum meaning { MEANS_COMPARE, MEANS_LIKE, MEANS_ANY, MEANS_BETWEEN, MEANS_NULL, MEANS_EMPTY };

struct operator
{
    Str name;
    int groups;
    enum meaning meaning;
    bool is_negated;
    bool is_folded;
    const char *operation; /* MEANS_COMPARE: SQL; MEANS_LIKE: where % stands */
};

static const struct operator OPERATORS[] = {
    {STR_INIT("_eq"), EQUALS, MEANS_COMPARE, false, false, "="},
    {STR_INIT("_neq"), EQUALS, MEANS_COMPARE, true, false, "<>"},
    {STR_INIT("_lt"), ORDERED, MEANS_COMPARE, false, false, "<"},
    {STR_INIT("_lte"), ORDERED, MEANS_COMPARE, false, false, "<="},
    {STR_INIT("_gt"), ORDERED, MEANS_COMPARE, false, false, ">"},
    {STR_INIT("_gte"), ORDERED, MEANS_COMPARE, false, false, ">="},
    {STR_INIT("_in"), LISTS, MEANS_ANY, false, false, NULL},
    {STR_INIT("_nin"), LISTS, MEANS_ANY, true, false, NULL},
    {STR_INIT("_between"), ORDERED, MEANS_BETWEEN, false, false, NULL},
    {STR_INIT("_nbetween"), ORDERED, MEANS_BETWEEN, true, false, NULL},
    {STR_INIT("_null"), ALL, MEANS_NULL, false, false, NULL},
    {STR_INIT("_nnull"), ALL, MEANS_NULL, true, false, NULL},
    {STR_INIT("_empty"), GROUP_STRING | GROUP_HASH | GROUP_OTHER, MEANS_EMPTY, false, false, NULL},
    {STR_INIT("_nempty"), GROUP_STRING | GROUP_HASH | GROUP_OTHER, MEANS_EMPTY, true, false, NULL},
    {STR_INIT("_contains"), GROUP_STRING | GROUP_OTHER, MEANS_LIKE, false, false, "%*%"},
    {STR_INIT("_ncontains"), GROUP_STRING | GROUP_OTHER, MEANS_LIKE, true, false, "%*%"},
    {STR_INIT("_icontains"), GROUP_STRING, MEANS_LIKE, false, true, "%*%"},
    {STR_INIT("_starts_with"), GROUP_STRING, MEANS_LIKE, false, false, "*%"},
    {STR_INIT("_nstarts_with"), GROUP_STRING, MEANS_LIKE, true, false, "*%"},
    {STR_INIT("_istarts_with"), GROUP_STRING, MEANS_LIKE, false, true, "*%"},
    {STR_INIT("_nistarts_with"), GROUP_STRING, MEANS_LIKE, true, true, "*%"},
    {STR_INIT("_ends_with"), GROUP_STRING, MEANS_LIKE, false, false, "%*"},
    {STR_INIT("_nends_with"), GROUP_STRING, MEANS_LIKE, true, false, "%*"},
    {STR_INIT("_iends_with"), GROUP_STRING, MEANS_LIKE, false, true, "%*"},
    {STR_INIT("_niends_with"), GROUP_STRING, MEANS_LIKE, true, true, "%*"},
};

static int group_of(const struct operand *operand)
{
    if (operand->function != FUNCTION_NONE)
        return GROUP_NUMBER;
    if ((operand->field->special & SPECIAL_CONCEAL) != 0)
        return GROUP_HASH;
    switch (operand->field->type) {
    case FIELD_STRING:
    case FIELD_TEXT:
    case FIELD_CSV:
    case FIELD_BINARY:
        return GROUP_STRING;
    case FIELD_HASH:
        return GROUP_HASH;
    case FIELD_UUID:
        return GROUP_UUID;
    case FIELD_JSON:
        return GROUP_JSON;
    case FIELD_BOOLEAN:
        return GROUP_BOOLEAN;
    case FIELD_INTEGER:
    case FIELD_BIG_INTEGER:
    case FIELD_DECIMAL:
    case FIELD_FLOAT:
        return GROUP_NUMBER;
    case FIELD_DATE:
    case FIELD_DATE_TIME:
    case FIELD_TIME:
        return GROUP_MOMENT;
    default:
        return GROUP_OTHER;
    }
}

static const struct operator* find(Str name)
{
    for (size_t i = 0; i < COUNT_OF(OPERATORS); i++) {
        if (str_eq(name, OPERATORS[i].name))
            return &OPERATORS[i];
    }
    return NULL;
}

bool operator_is_name(Str name)
{
    return name.len > 1 && name.data[0] == '_';
}

/* A row of the library has a site, but on the wire it has none. */
static struct pred *null_pred(struct compiler *c, struct operand operand, bool is_negated)
{
    struct pred *null = pred_new(c, PRED_NULL);
    null->operand = operand;
    const struct collection *collection = operand.source->collection;
    if (operand.field == collection->site && operand.field != collection->key) {
        struct pred *library = pred_new(c, PRED_LIBRARY);
        library->operand = operand;
        null = pred_or(c, null, library);
    }
    if (!is_negated)
        return null;
    if (null->kind == PRED_NULL) {
        null->is_negated = true;
        return null;
    }
    struct pred *negated = pred_new(c, PRED_NOT);
    negated->first = negated->last = null;
    return negated;
}

/* true, "true", "" and null say yes; false says the opposite. */
static Err flag_of(struct compiler *c, Str name, const struct json *json, bool *ret)
{
    *ret = true;
    if (json_kind(json) == JSON_BOOL) {
        *ret = json_bool(json);
        return OK;
    }
    if (json_is_null(json))
        return OK;
    Str text = json_kind(json) == JSON_STRING ? json_str(json) : STR("?");
    if (str_eq(text, STR("false"))) {
        *ret = false;
        return OK;
    }
    if (text.len == 0 || str_eq(text, STR("true")) || json_means_null(json))
        return OK;
    return fail(c->ctx, ERR_INVALID_QUERY, "\"%.*s\" has to be a boolean", STR_FMT(name));
}

/* Backslashes in the value are meant literally; % and _ keep their power, as in Directus. */
static struct param *pattern(struct compiler *c, const char *shape, Str text)
{
    struct buf *out = buf_in_arena(c->arena, text.len * 2 + 8);
    if (shape[0] == '%')
        buf_put_char(out, '%');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\\')
            buf_put_char(out, '\\');
        buf_put_char(out, text.data[i]);
    }
    if (shape[strlen(shape) - 1] == '%')
        buf_put_char(out, '%');
    return param_text(c, buf_str(out));
}

static Err compile_like(struct compiler *c, const struct operator* op, struct operand operand,
                        const char *name, const struct json *json, struct pred **ret)
{
    struct operand as_text = operand;
    struct value *value;
    TRY(value_parse(c, &as_text, name, json, &value));
    bool is_text = value->param != NULL && value->param->kind == PARAM_TEXT;
    if (is_text && value->param->text.data != NULL) /* else a variable that leads nowhere */
        value->param = pattern(c, op->operation, value->param->text);
    value->cast = "text";
    struct pred *pred = pred_new(c, PRED_LIKE);
    pred->operand = operand;
    pred->value = value;
    pred->is_negated = op->is_negated;
    pred->is_folded = op->is_folded;
    *ret = pred;
    return OK;
}

static Err compile_compare(struct compiler *c, const struct operator* op, struct operand operand,
                           const char *name, const struct json *json, struct pred **ret)
{
    if (json_means_null(json)) {
        bool is_equality = op->operation[0] == '=' || op->is_negated;
        *ret = is_equality ? null_pred(c, operand, op->is_negated) : pred_new(c, PRED_FALSE);
        return OK;
    }
    struct pred *pred = pred_new(c, PRED_COMPARE);
    pred->operand = operand;
    pred->operation = op->operation;
    TRY(value_parse(c, &operand, name, json, &pred->value));
    value_share(c, &operand, json, pred->value);
    *ret = pred;
    return OK;
}

/* Lists of another length than two are ignored, as in Directus. */
static Err compile_between(struct compiler *c, const struct operator* op, struct operand operand,
                           const char *name, const struct json *json, struct pred **ret)
{
    struct value *both;
    TRY(value_parse_list(c, &operand, name, json, &both));
    *ret = NULL;
    if (both->param->kind != PARAM_LIST || both->param->item_count != 2)
        return OK;
    struct pred *pred = pred_new(c, PRED_BETWEEN);
    pred->operand = operand;
    pred->value = value_of_param(c, both->param->items[0]);
    pred->value_to = value_of_param(c, both->param->items[1]);
    pred->value->cast = pred->value_to->cast = both->cast == NULL ? NULL : "numeric";
    pred->is_negated = op->is_negated;
    *ret = pred;
    return OK;
}

Err operator_compile(struct compiler *c, struct operand operand, Str name, const struct json *value,
                     struct pred **ret)
{
    const struct operator* op = find(name);
    if (op == NULL || (op->groups & group_of(&operand)) == 0)
        return fail(c->ctx, ERR_INVALID_QUERY,
                    "\"%s\" field type does not contain the \"%.*s\" filter operator",
                    operand.function != FUNCTION_NONE ? "integer"
                                                      : field_type_name(operand.field->type),
                    STR_FMT(name));
    const char *name_z = op->name.data;
    bool flag;
    switch (op->meaning) {
    case MEANS_COMPARE:
        return compile_compare(c, op, operand, name_z, value, ret);
    case MEANS_LIKE:
        return compile_like(c, op, operand, name_z, value, ret);
    case MEANS_BETWEEN:
        return compile_between(c, op, operand, name_z, value, ret);
    case MEANS_ANY:
        *ret = pred_new(c, PRED_ANY);
        (*ret)->operand = operand;
        (*ret)->is_negated = op->is_negated;
        return value_parse_list(c, &operand, name_z, value, &(*ret)->value);
    case MEANS_NULL:
        TRY(flag_of(c, name, value, &flag));
        *ret = null_pred(c, operand, op->is_negated == flag);
        return OK;
    case MEANS_EMPTY:
        TRY(flag_of(c, name, value, &flag));
        *ret = pred_new(c, PRED_EMPTY);
        (*ret)->operand = operand;
        (*ret)->is_negated = op->is_negated == flag;
        return OK;
    }
    return OK;
}
