#include "content/filter/filter_eval.h"

#include "base/memory/array.h"
#include "base/system/ctx.h"
#include "base/text/regex.h"
#include "content/filter/filter_compare.h"

#include <assert.h>

enum { NESTING_MAX = 24 };

struct eval {
    struct ctx *ctx;
    const struct filter_subject *subject;
    enum filter_semantics semantics;
    bool is_silent; /* inside an _or: failures are not reported */
};

/* The field that the current conditions apply to. */
struct tested_field {
    Str name;
    enum function function;
    struct filter_datum datum;
};

static bool is_rule(const struct eval *e)
{
    return e->semantics == FILTER_OF_RULES;
}

/* The operand of the filter, with its variable resolved; STR_NONE: a variable without a value. */
static fiber_fn Err operand_text(const struct eval *e, const struct filter_value *value, Str *ret)
{
    assert(value != NULL);
    if (value->dynamic == DYNAMIC_ROLES || value->dynamic == DYNAMIC_POLICIES) {
        if (!is_rule(e))
            return fail(e->ctx, ERR_INVALID_QUERY, "\"%.*s\" is a list", STR_FMT(value->text));
    } else if (value->dynamic != DYNAMIC_NONE) {
        return e->subject->variable(e->subject, value->text, ret);
    }
    bool has_text = value->kind != FILTER_LIST && value->kind != FILTER_MEMBERS;
    *ret = has_text ? value->text : filter_json(e->ctx->arena, value);
    return OK;
}

/* The text that the column would hold. */
static Str column_text(const struct eval *e, const struct filter_datum *datum)
{
    struct arena *arena = e->ctx->arena;
    const struct json *value = datum->value;
    if (json_kind(value) == JSON_STRING)
        return json_str(value);
    if (datum->type != FIELD_CSV || json_kind(value) != JSON_ARRAY)
        return json_text(arena, value);
    struct buf *out = buf_in_arena(arena, SIZE_MAX);
    for (uint32_t i = 0; i < json_len(value); i++) {
        const struct json *item = json_at(value, i);
        buf_put(out, i == 0 ? STR("") : STR(","));
        buf_put(out, json_kind(item) == JSON_STRING ? json_str(item) : json_text(arena, item));
    }
    return buf_str(out);
}

static bool is_null(const struct tested_field *field)
{
    const struct json *value = field->datum.value;
    return json_is_null(value) ||
           (field->function == FUNCTION_COUNT && json_kind(value) != JSON_ARRAY);
}

/* STR_NONE: null. */
static Str text_of(const struct eval *e, const struct tested_field *field)
{
    if (is_null(field))
        return STR_NONE;
    if (field->function == FUNCTION_COUNT)
        return str_printf(e->ctx->arena, "%u", json_len(field->datum.value));
    Str text = column_text(e, &field->datum);
    if (field->function == FUNCTION_NONE || field->function >= FUNCTION_COUNT)
        return text;
    return filter_part(e->ctx->arena, field->function, field->datum.type, text);
}

static enum field_type type_of(const struct tested_field *field)
{
    return field->function == FUNCTION_NONE ? field->datum.type : FIELD_DECIMAL;
}

/* What a query compares with in place of null: JavaScript's Number(null) beside a number, as in
 * Directus; else nothing is known to be equal, less or more. */
static Str null_operand(const struct tested_field *field)
{
    switch (type_of(field)) {
    case FIELD_INTEGER:
    case FIELD_FLOAT:
    case FIELD_DECIMAL:
        return STR("0");
    default:
        return STR_NONE;
    }
}

static fiber_fn Err compare(const struct eval *e, const struct tested_field *field,
                            const struct filter_operator *op, const struct filter_value *value,
                            bool *ret)
{
    assert(op->meaning == MEANS_COMPARE);
    Str wanted;
    Str text = text_of(e, field);
    TRY(operand_text(e, value, &wanted));
    bool wants_null = filter_means_null(value) || (is_rule(e) && wanted.data == NULL);
    bool is_equality = op->detail[0] == '=' || op->is_negated;
    if (filter_means_null(value) && !is_equality) {
        wants_null = false;
        wanted = null_operand(field);
    }
    if (wants_null)
        *ret = is_equality && is_null(field) != op->is_negated;
    else if (text.data == NULL || wanted.data == NULL)
        *ret = false;
    else if (is_equality)
        *ret = filter_equal(type_of(field), text, wanted) != op->is_negated;
    else {
        int order = filter_order(type_of(field), text, wanted);
        bool takes_equal = op->detail[1] == '=';
        *ret = (order == 0 && takes_equal) || (op->detail[0] == '<' ? order < 0 : order > 0);
    }
    return OK;
}

/* The elements of a list, or the parts of a comma-separated text. */
struct items {
    const struct tested_field *field;
    bool has_nulls; /* else they are passed over */
    struct filter_elements elements;
    Str csv;
};

static struct items items_of(const struct eval *e, const struct tested_field *field,
                             const struct filter_operator *op, const struct filter_value *list)
{
    struct items items = {.field = field,
                          .has_nulls = !is_rule(e) || (op->differs & RULE_LISTED) == 0,
                          .elements = filter_elements(list)};
    if (filter_is_scalar(list))
        items.csv = list->text;
    return items;
}

static fiber_fn Err item_text(const struct eval *e, const struct items *items,
                              const struct filter_value *value, Str *ret)
{
    if (!filter_means_null(value) || !items->has_nulls)
        return operand_text(e, value, ret);
    *ret = null_operand(items->field);
    return OK;
}

static fiber_fn Err next_item(const struct eval *e, struct items *items, bool *ret_has, Str *ret)
{
    Str part;
    while (str_next(&items->csv, ',', &part)) {
        struct filter_value value = filter_text(part);
        if (part.len == 0)
            continue;
        *ret_has = true;
        return item_text(e, items, &value, ret);
    }
    const struct filter_value *value = filter_next(&items->elements);
    while (value != NULL && filter_means_null(value) && !items->has_nulls)
        value = filter_next(&items->elements);
    *ret_has = value != NULL;
    return value == NULL ? OK : item_text(e, items, value, ret);
}

static fiber_fn Err any_equal(const struct eval *e, const struct tested_field *field,
                              const struct filter_operator *op, const struct filter_value *list,
                              bool *ret)
{
    assert(op->meaning == MEANS_ANY);
    Str text = text_of(e, field);
    struct items items = items_of(e, field, op, list);
    bool has_item;
    bool is_empty = true;
    bool is_found = false;
    bool is_unknown = false; /* whether another value of a query's list would be equal */
    for (;;) {
        Str item;
        TRY(fiber_breathe(e->ctx));
        TRY(next_item(e, &items, &has_item, &item));
        if (!has_item)
            break;
        is_empty &=
            item.data == NULL && !items.has_nulls; /* nor do variables without a value count */
        is_unknown |= item.data == NULL && items.has_nulls;
        if (text.data != NULL && item.data != NULL)
            is_found |= filter_equal(type_of(field), text, item);
    }
    *ret = is_found != op->is_negated && (text.data != NULL || is_empty) &&
           !(op->is_negated && is_unknown);
    return OK;
}

/* Lists of another length than two are ignored, as in Directus. */
static fiber_fn Err between(const struct eval *e, const struct tested_field *field,
                            const struct filter_operator *op, const struct filter_value *list,
                            bool *ret)
{
    assert(op->meaning == MEANS_BETWEEN);
    Str text = text_of(e, field);
    struct items items = items_of(e, field, op, list);
    Str bounds[3] = {STR_NONE, STR_NONE, STR_NONE};
    uint32_t count = 0;
    bool has_item = true;
    while (has_item && count < COUNT_OF(bounds)) {
        TRY(next_item(e, &items, &has_item, &bounds[count]));
        count += has_item;
    }
    *ret = true;
    if (count != 2)
        return OK;
    bool has_all = text.data != NULL && bounds[0].data != NULL && bounds[1].data != NULL;
    if (text.data == NULL || (is_rule(e) && !has_all)) {
        *ret = false;
        return OK;
    }
    /* A bound that is not known leaves one side of the other in question. */
    bool is_below = bounds[0].data != NULL && filter_order(type_of(field), text, bounds[0]) < 0;
    bool is_above = bounds[1].data != NULL && filter_order(type_of(field), text, bounds[1]) > 0;
    bool is_outside = is_below || is_above;
    *ret = op->is_negated ? is_outside : has_all && !is_outside;
    return OK;
}

/* Case folding a long text may happen a thousand times per rule, so its memory is released here. */
static fiber_fn Err like(const struct eval *e, const struct tested_field *field,
                         const struct filter_operator *op, const struct filter_value *value,
                         bool *ret)
{
    assert(op->meaning == MEANS_LIKE);
    Str part;
    struct arena *arena = e->ctx->arena;
    Str text = text_of(e, field);
    bool is_plain = is_rule(e) && (op->differs & RULE_PLAIN) != 0;
    /* SQL parses the operand as a moment, and PostgreSQL prints a moment without a T. */
    bool never_matches = !is_plain && type_of(field) == FIELD_TIMESTAMP;
    TRY(operand_text(e, value, &part));
    *ret = false;
    if (text.data == NULL || (part.data == NULL && !is_rule(e)))
        return OK;
    ArenaMark mark = arena_mark(arena);
    if (op->is_folded) {
        text = str_lower(arena, text);
        part = str_lower(arena, part);
    }
    bool is_part = !never_matches && filter_like(arena, op->detail, is_plain, text, part);
    *ret = is_part != op->is_negated;
    arena_rewind(arena, mark);
    return OK;
}

static fiber_fn Err matches(const struct eval *e, const struct tested_field *field,
                            const struct filter_value *value, bool *ret)
{
    Str text = text_of(e, field);
    Str rule;
    unsigned flags;
    const struct regex *regex;
    TRY(operand_text(e, value, &rule));
    Str pattern = rule_pattern(rule, &flags);
    TRY(regex_find(e->ctx, pattern, flags, &regex));
    *ret = text.data != NULL && regex_match(regex, text, NULL);
    return OK;
}

static bool is_empty(const struct filter_datum *datum)
{
    const struct json *value = datum->value;
    return json_is_null(value) || (json_kind(value) == JSON_STRING && json_str(value).len == 0) ||
           (json_kind(value) == JSON_ARRAY && json_len(value) == 0);
}

/* Rules: an operator that compares texts or numbers has none to compare. */
static bool is_missing(const struct eval *e, const struct tested_field *field,
                       const struct filter_operator *op)
{
    double number;
    if (!is_rule(e) || (op->differs & RULE_VALUE) == 0)
        return false;
    if (is_null(field))
        return true;
    bool is_plain = field->function == FUNCTION_NONE;
    if (op->meaning == MEANS_LIKE || op->meaning == MEANS_REGEX)
        return is_plain && json_kind(field->datum.value) != JSON_STRING;
    if (!is_plain || field->datum.group != GROUP_NUMBER)
        return false;
    return json_kind(field->datum.value) == JSON_BOOL || !str_to_double(text_of(e, field), &number);
}

static fiber_fn Err holds(const struct eval *e, const struct tested_field *field,
                          const struct filter_operator *op, const struct filter_value *value,
                          bool *ret)
{
    assert(op != NULL);
    bool flag;
    if (is_null(field) && is_rule(e) && (op->differs & RULE_NULL) != 0) {
        *ret = true;
        return OK;
    }
    /* Bounds that are ignored admit what is missing, too. */
    if (op->meaning != MEANS_BETWEEN && is_missing(e, field, op)) {
        *ret = false;
        return OK;
    }
    switch (op->meaning) {
    case MEANS_COMPARE:
        return compare(e, field, op, value, ret);
    case MEANS_LIKE:
        return like(e, field, op, value, ret);
    case MEANS_ANY:
        return any_equal(e, field, op, value, ret);
    case MEANS_BETWEEN:
        return between(e, field, op, value, ret);
    case MEANS_REGEX:
        return matches(e, field, value, ret);
    case MEANS_NULL:
        (void)filter_flag(value, &flag);
        *ret = is_null(field) == (flag != op->is_negated);
        return OK;
    case MEANS_EMPTY:
        (void)filter_flag(value, &flag);
        *ret = is_empty(&field->datum) == (flag != op->is_negated);
        return OK;
    case MEANS_SUBMITTED:
        (void)filter_flag(value, &flag);
        *ret = field->datum.is_present == flag;
        return OK;
    }
    return OK;
}

/* Of a value outside of two bounds, the one that it violates. */
static fiber_fn Err violated_bound(const struct eval *e, const struct tested_field *field,
                                   const struct filter_operator **op,
                                   const struct filter_value **value)
{
    struct filter_elements elements = filter_elements(*value);
    const struct filter_value *least = filter_next(&elements);
    const struct filter_value *most = filter_next(&elements);
    Str bound;
    if (filter_is_scalar(*value) || least == NULL || most == NULL)
        return OK;
    TRY(operand_text(e, least, &bound));
    bool is_less = filter_order(type_of(field), text_of(e, field), bound) < 0;
    *op = filter_operator(is_less ? OPERATOR_GTE : OPERATOR_LTE);
    *value = is_less ? least : most;
    return OK;
}

/* Reports the rule's value with its variable resolved; for a pattern, the value that was tested. */
static fiber_fn Err report(const struct eval *e, const struct tested_field *field,
                           const struct filter_operator *op, const struct filter_value *value)
{
    assert(e->subject->refused != NULL && !e->is_silent);
    struct filter_value shown;
    Str text;
    if (is_missing(e, field, op))
        op = filter_operator(OPERATOR_SUBMITTED);
    else if (op->meaning == MEANS_BETWEEN && !op->is_negated)
        TRY(violated_bound(e, field, &op, &value));
    if (op->meaning == MEANS_REGEX) {
        TRY(filter_read(e->ctx, e->ctx->arena, field->datum.value, &value));
    } else if (value->dynamic != DYNAMIC_NONE) {
        TRY(operand_text(e, value, &text));
        shown = filter_text(text);
        value = &shown;
    }
    e->subject->refused(e->subject, field->name, op, value);
    return OK;
}

static fiber_fn Err eval_operator(const struct eval *e, const struct tested_field *field, Str name,
                                  const struct filter_operator *op,
                                  const struct filter_value *value, bool *ret)
{
    assert(field != NULL);
    *ret = true;
    TRY(fiber_breathe(e->ctx));
    if (!field->datum.is_present && (op == NULL || op->meaning != MEANS_SUBMITTED))
        return OK;
    if (!is_rule(e))
        TRY(filter_operator_check(e->ctx, op, name, field->datum.type, field->datum.group,
                                  field->function));
    if (op == NULL)
        return fail(e->ctx, ERR_INVALID_QUERY, "Unknown validation operator \"%.*s\"",
                    STR_FMT(name));
    TRY(holds(e, field, op, value, ret));
    if (!*ret && !e->is_silent && e->subject->refused != NULL)
        return report(e, field, op, value);
    return OK;
}

/* `field` NULL: `value` is an object of fields; else the condition on that field. */
static fiber_fn Err eval_value(const struct eval *e, const struct tested_field *field,
                               const struct filter_value *value, int nesting, bool *ret);

/* One branch that holds is enough. If none holds, the faults of all are reported. */
static fiber_fn Err eval_or(const struct eval *e, const struct tested_field *field,
                            const struct filter_value *list, int nesting, bool *ret)
{
    struct eval quiet = *e;
    struct filter_elements elements = filter_elements(list);
    const struct filter_value *branch;
    quiet.is_silent = true;
    *ret = true;
    while ((branch = filter_next(&elements)) != NULL) {
        TRY(eval_value(&quiet, field, branch, nesting + 1, ret));
        if (*ret)
            return OK;
    }
    elements = filter_elements(list);
    while (!e->is_silent && (branch = filter_next(&elements)) != NULL)
        TRY(eval_value(e, field, branch, nesting + 1, ret));
    return OK;
}

static fiber_fn Err eval_and(const struct eval *e, const struct tested_field *field,
                             const struct filter_value *list, int nesting, bool *ret)
{
    struct filter_elements elements = filter_elements(list);
    const struct filter_value *member;
    bool all = true;
    while ((member = filter_next(&elements)) != NULL) {
        TRY(eval_value(e, field, member, nesting + 1, ret));
        all &= *ret;
    }
    *ret = all;
    return OK;
}

/* A field of the row, or a condition below a relation, whose rows a payload does not contain. */
static fiber_fn Err eval_field(const struct eval *e, const struct tested_field *above,
                               const struct filter *member, int nesting, bool *ret)
{
    struct tested_field field = {.name = member->field, .function = member->function};
    *ret = true;
    if (above == NULL && e->subject->find(e->subject, member->field, &field.datum))
        return eval_value(e, &field, member->value, nesting + 1, ret);
    if (is_rule(e))
        return OK;
    return fail(e->ctx, ERR_INVALID_QUERY, "\"%.*s\" is not a field of this row",
                STR_FMT(member->name));
}

static fiber_fn Err eval_member(const struct eval *e, const struct tested_field *field,
                                const struct filter *member, int nesting, bool *ret)
{
    switch (member->kind) {
    case FILTER_AND:
        return eval_and(e, field, member->value, nesting, ret);
    case FILTER_OR:
        return eval_or(e, field, member->value, nesting, ret);
    case FILTER_OPERATOR:
        if (field != NULL)
            return eval_operator(e, field, member->name, member->op, member->value, ret);
        return eval_field(e, NULL, member, nesting, ret);
    default:
        return eval_field(e, field, member, nesting, ret);
    }
}

static fiber_fn Err eval_value(const struct eval *e, const struct tested_field *field,
                               const struct filter_value *value, int nesting, bool *ret)
{
    assert(nesting >= 0 && value != NULL);
    if (nesting > NESTING_MAX)
        return fail(e->ctx, ERR_INVALID_QUERY, "A validation rule is nested too deeply");
    if (value->kind != FILTER_MEMBERS && field != NULL) {
        const struct filter_operator *equals = filter_operator(OPERATOR_EQ);
        return eval_operator(e, field, equals->name, equals, value, ret);
    }
    bool all = true;
    const struct filter *first = value->kind == FILTER_MEMBERS ? value->first : NULL;
    for (const struct filter *member = first; member != NULL; member = member->next) {
        TRY(eval_member(e, field, member, nesting, ret));
        all &= *ret;
    }
    *ret = all;
    return OK;
}

Err filter_eval(struct ctx *ctx, const struct filter_value *filter, enum filter_semantics semantics,
                const struct filter_subject *subject, bool *ret)
{
    assert(filter != NULL && subject != NULL && subject->find != NULL);
    assert(subject->variable != NULL && ret != NULL);
    struct eval e = {.ctx = ctx, .subject = subject, .semantics = semantics};
    return eval_value(&e, NULL, filter, 0, ret);
}
