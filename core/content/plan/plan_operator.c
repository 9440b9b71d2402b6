/*
 * Operators in SQL: compiles the meanings of operators.def.
 */
#include "content/plan/compile.h"
#include "content/schema/schema.h"

#include <assert.h>

/* A row of the library has a site in the table, but null on the wire. */
static struct pred *null_pred(struct compiler *c, struct operand operand, bool is_negated)
{
    assert(operand.field != NULL && operand.source != NULL);
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

static Err flag_of(struct compiler *c, Str name, const struct filter_value *given, bool *ret)
{
    if (filter_flag(given, ret))
        return OK;
    return fail(c->ctx, ERR_INVALID_QUERY, "\"%.*s\" has to be a boolean", STR_FMT(name));
}

/* Backslashes in the value are literal; % and _ remain wildcards, as in Directus. */
static struct param *pattern(struct compiler *c, const char *shape, Str text)
{
    assert(shape[0] != '\0');
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

static Err compile_like(struct compiler *c, const struct filter_operator *op,
                        struct operand operand, const char *name, const struct filter_value *given,
                        struct pred **ret)
{
    assert(op->meaning == MEANS_LIKE);
    struct filter_value word = filter_literal(STR("null"));
    struct value *value;
    TRY(value_parse(c, &operand, name, given->kind == FILTER_NULL ? &word : given, &value));
    bool is_text = value->param != NULL && value->param->kind == PARAM_TEXT;
    if (is_text && value->param->text.data != NULL) /* else a variable without a value */
        value->param = pattern(c, op->detail, value->param->text);
    value->cast = "text";
    struct pred *pred = pred_new(c, PRED_LIKE);
    pred->operand = operand;
    pred->value = value;
    pred->is_negated = op->is_negated;
    pred->is_folded = op->is_folded;
    *ret = pred;
    return OK;
}

static Err compile_compare(struct compiler *c, const struct filter_operator *op,
                           struct operand operand, const char *name,
                           const struct filter_value *given, struct pred **ret)
{
    assert(op->meaning == MEANS_COMPARE);
    bool is_equality = op->detail[0] == '=' || op->is_negated;
    if (filter_means_null(given) && is_equality) {
        *ret = null_pred(c, operand, op->is_negated);
        return OK;
    }
    struct pred *pred = *ret = pred_new(c, PRED_COMPARE);
    pred->operand = operand;
    pred->operation = op->detail;
    if (filter_means_null(given)) {
        pred->value = value_of_null(c, &operand);
        return OK;
    }
    TRY(value_parse(c, &operand, name, given, &pred->value));
    value_share(c, &operand, given, pred->value);
    return OK;
}

/* Lists of another length than two are ignored, as in Directus. */
static Err compile_between(struct compiler *c, const struct filter_operator *op,
                           struct operand operand, const char *name,
                           const struct filter_value *given, struct pred **ret)
{
    assert(op->meaning == MEANS_BETWEEN);
    struct value *both;
    *ret = NULL;
    if (given->kind != FILTER_TEXT && given->kind < FILTER_LIST)
        return OK; /* one value is not two */
    TRY(value_parse_list(c, &operand, name, given, &both));
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

static Err compile_meaning(struct compiler *c, struct operand operand, Str name,
                           const struct filter_operator *op, const struct filter_value *value,
                           struct pred **ret)
{
    assert(operand.field != NULL && op != NULL);
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
    case MEANS_REGEX:
    case MEANS_SUBMITTED:
        break;
    }
    assert(op->groups == 0); /* only in rules: refused before */
    return OK;
}

/* Nothing is known to equal, contain or precede what is encrypted, so that nobody learns it by
 * asking often enough, also where a value was stored before the field became encrypted. */
static void forget_value(struct compiler *c, const struct filter_operator *op, struct pred **pred)
{
    if (*pred == NULL || (*pred)->value == NULL)
        return;
    struct operand operand = (*pred)->operand;
    *pred = op->is_negated ? null_pred(c, operand, true) : pred_new(c, PRED_FALSE);
}

Err operator_compile(struct compiler *c, struct operand operand, Str name,
                     const struct filter_operator *op, const struct filter_value *value,
                     struct pred **ret)
{
    assert(operand.field != NULL);
    TRY(filter_operator_check(c->ctx, op, name, operand.field->type,
                              field_group_of(operand.field->type), operand.function));
    assert(op != NULL);
    bool is_concealed = (operand.field->special & SPECIAL_CONCEAL) != 0;
    if (is_concealed && (op->groups & GROUP_HASH) == 0)
        return fail(c->ctx, ERR_INVALID_QUERY,
                    "Field with \"conceal\" special does not allow the \"%.*s\" filter operator",
                    STR_FMT(name));
    TRY(compile_meaning(c, operand, name, op, value, ret));
    if ((operand.field->special & SPECIAL_ENCRYPT) != 0)
        forget_value(c, op, ret);
    return OK;
}

/*
 * A condition on a missing row, as in a left join: every value is null.
 */
enum truth { IS_FALSE, IS_UNKNOWN, IS_TRUE };

static enum truth of_nothing(const struct pred *pred);

static enum truth of_group(const struct pred *group)
{
    bool is_or = group->kind == PRED_OR;
    enum truth result = is_or ? IS_FALSE : IS_TRUE;
    for (const struct pred *member = group->first; member != NULL; member = member->next) {
        enum truth truth = of_nothing(member);
        bool decides = is_or ? truth > result : truth < result;
        if (decides)
            result = truth;
    }
    return result;
}

/* Recursion is limited by the nesting of the filter. */
static enum truth of_nothing(const struct pred *pred)
{
    assert(pred != NULL);
    switch (pred->kind) {
    case PRED_AND:
    case PRED_OR:
        return of_group(pred);
    case PRED_SHARED:
        return of_nothing(pred->first);
    case PRED_NOT: {
        enum truth inner = pred->first == NULL ? IS_TRUE : of_nothing(pred->first);
        return (enum truth)(IS_TRUE - inner);
    }
    case PRED_TRUE:
        return IS_TRUE;
    case PRED_FALSE:
        return IS_FALSE;
    case PRED_NULL:
    case PRED_EMPTY:
        return pred->is_negated ? IS_FALSE : IS_TRUE;
    case PRED_EXISTS: /* nothing refers to a missing row */
        return pred->is_negated ? IS_TRUE : IS_FALSE;
    case PRED_COMPARE:
    case PRED_LIKE:
    case PRED_ANY:
    case PRED_KEYS:
    case PRED_BETWEEN:
    case PRED_LIBRARY:
    case PRED_SITE:
    case PRED_SITE_OR_LIBRARY:
    case PRED_CHILD_OF:
    case PRED_SAME_SITE:
    case PRED_ONE_SITE:
    case PRED_OF_PARENT:
        break;
    }
    return IS_UNKNOWN;
}

bool pred_holds_on_nothing(const struct pred *pred)
{
    return pred == NULL || of_nothing(pred) == IS_TRUE;
}
