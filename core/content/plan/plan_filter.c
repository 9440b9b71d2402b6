/*
 * Filters: {field: {_op: value}}, {relation: {field: …}}, {_and: […]}, {_or: […]}.
 *
 * Filters of a query are checked against the read grants and may join; those of policies (is_rule)
 * are not checked, and reach to-one relations by subqueries, so that they can stand in an ON, an
 * UPDATE or a CASE.
 */
#include "content/plan/compile.h"

#include <assert.h>

/* One frame of the descent: what every step needs to know. */
struct frame {
    struct source *source;
    bool is_rule;
    struct place place;
    struct access access;
    bool skips_operators; /* the object's operators and groups were handled with the field above */
};

enum { NESTING_MAX = 24 };

static Err compile_object(struct compiler *c, const struct frame *frame, const struct json *object,
                          int nesting, struct pred **ret);

static bool is_group(Str key)
{
    return str_eq(key, STR("_and")) || str_eq(key, STR("_or"));
}

static Err count_node(struct compiler *c, int nesting)
{
    if (nesting > NESTING_MAX)
        return fail(c->ctx, ERR_INVALID_QUERY, "Max relational depth exceeded");
    if (++c->node_count > PLAN_FILTER_NODES_MAX)
        return fail(c->ctx, ERR_INVALID_QUERY, "The filter has more than %d conditions",
                    PLAN_FILTER_NODES_MAX);
    return OK;
}

/* The elements of a list, which may also come as an object (filter[_and][0]…, beyond index 500). */
struct elements {
    const struct json *list;
    struct json_iter it;
    uint32_t next;
};
static const struct json *next_element(struct elements *elements)
{
    if (json_kind(elements->list) == JSON_ARRAY)
        return elements->next < json_len(elements->list) ? json_at(elements->list, elements->next++)
                                                         : NULL;
    return json_next(&elements->it) ? elements->it.value : NULL;
}

/* Applies one element of _and/_or: the whole filter, or a filter of one field (field lifted). */
typedef Err ElementFn(struct compiler *c, const struct frame *frame, const void *what,
                      const struct json *element, int nesting, struct pred **ret);

static Err compile_group(struct compiler *c, const struct frame *frame, bool is_or,
                         const struct json *list, ElementFn *fn, const void *what, int nesting,
                         struct pred **ret)
{
    *ret = NULL;
    if (json_kind(list) != JSON_ARRAY && json_kind(list) != JSON_OBJECT)
        return fail(c->ctx, ERR_INVALID_QUERY, "\"%s\" has to be an array", is_or ? "_or" : "_and");
    struct elements elements = {.list = list, .it = json_iter(list)};
    bool matches_all = false;
    const struct json *element;
    while ((element = next_element(&elements)) != NULL) {
        struct pred *pred;
        TRY(fn(c, frame, what, element, nesting + 1, &pred));
        if (!is_or) {
            *ret = pred_and(c, *ret, pred);
            continue;
        }
        matches_all |= pred == NULL;
        if (pred != NULL)
            *ret = *ret == NULL ? pred : pred_or(c, *ret, pred);
    }
    if (is_or && matches_all)
        *ret = NULL;
    return OK;
}

static Err element_object(struct compiler *c, const struct frame *frame, const void *what,
                          const struct json *element, int nesting, struct pred **ret)
{
    (void)what;
    struct frame own = *frame;
    own.skips_operators = false;
    return compile_object(c, &own, element, nesting, ret);
}

static struct pred *child_of(struct compiler *c, struct source *child, struct source *parent,
                             const struct relation *relation)
{
    struct pred *link = pred_new(c, PRED_CHILD_OF);
    link->operand = operand_of(child, relation->target_field);
    link->parent = operand_of(parent, parent->collection->key);
    return link;
}

static Err enter(struct compiler *c, const struct frame *frame, const struct field *field,
                 struct frame *ret)
{
    *ret = (struct frame){.is_rule = frame->is_rule,
                          .place = place_below(c, frame->place, field->name)};
    const struct collection *target = field->relation->target;
    bool is_readable = access_find(c, target, ACTION_READ, &ret->access);
    if (frame->is_rule)
        ret->access = (struct access){.is_full = true};
    else if (!is_readable)
        return schema_forbidden_collection(c->ctx, target->name, ret->place.path);
    if (ret->place.depth > QUERY_DEPTH_MAX)
        return fail(c->ctx, ERR_INVALID_QUERY, "Max relational depth exceeded");
    return OK;
}

/* Exactly {key: {_null: true}} asks for rows without children. */
static bool asks_for_none(const struct collection *child, const struct json *nested)
{
    if (json_len(nested) != 1)
        return false;
    const struct json *key = json_get(nested, child->key->name);
    const struct json *null = json_get(key, STR("_null"));
    if (json_len(key) != 1 || null == NULL)
        return false;
    return json_bool(null) ||
           (json_kind(null) == JSON_STRING && !str_eq(json_str(null), STR("false")));
}

static Err compile_exists(struct compiler *c, const struct frame *frame, const struct field *field,
                          const struct json *nested, bool is_quantified, bool is_negated,
                          int nesting, struct pred **ret)
{
    struct frame below;
    TRY(enter(c, frame, field, &below));
    const struct collection *target = field->relation->target;
    bool wants_none = asks_for_none(target, nested);
    struct pred *exists = pred_new(c, PRED_EXISTS);
    exists->is_negated = is_negated != wants_none;
    below.source = exists->source = source_root(c, target);
    struct pred *where = pred_and(c, child_of(c, below.source, frame->source, field->relation),
                                  scope_rows(c, below.source, false));
    where = pred_and(c, where, same_site(c, frame->source, below.source));
    if (!below.is_rule) {
        struct pred *granted;
        TRY(access_rows(c, below.source, &below.access, &granted));
        where = pred_and(c, where, granted);
    }
    struct pred *condition = NULL;
    below.skips_operators = !is_quantified;
    if (!wants_none)
        TRY(compile_object(c, &below, nested, nesting + 1, &condition));
    exists->first = exists->last = pred_and(c, where, condition);
    *ret = exists;
    return OK;
}

static Err compile_to_one(struct compiler *c, const struct frame *frame, const struct field *field,
                          const struct json *nested, int nesting, struct pred **ret)
{
    struct frame below;
    TRY(enter(c, frame, field, &below));
    bool may_join = !frame->is_rule && frame->source->kind <= SOURCE_JOIN;
    if (may_join)
        TRY(source_join(c, frame->source, field, below.place, false, &below.source));
    else
        TRY(source_scalar(c, frame->source, field, SOURCE_SCALAR, below.place, &below.source));
    if (!may_join && !frame->is_rule) {
        struct pred *granted; /* a rule sees past the grants of others, a query does not */
        TRY(access_rows(c, below.source, &below.access, &granted));
        below.source->on = pred_and(c, below.source->on, granted);
    }
    below.skips_operators = true;
    return compile_object(c, &below, nested, nesting + 1, ret);
}

static Err compile_nested(struct compiler *c, const struct frame *frame, const struct field *field,
                          const struct json *nested, int nesting, struct pred **ret)
{
    if (field->relation->kind == RELATION_TO_ONE)
        return compile_to_one(c, frame, field, nested, nesting, ret);
    if (field->relation->kind == RELATION_TO_MANY)
        return compile_exists(c, frame, field, nested, false, false, nesting, ret);
    return fail(c->ctx, ERR_INVALID_QUERY,
                "\"%.*s\" has to be filtered with the collection it points to",
                STR_FMT(field->name));
}

static Err compile_some(struct compiler *c, const struct frame *frame,
                        const struct operand *operand, Str name, const struct json *value,
                        int nesting, struct pred **ret)
{
    const struct relation *relation = operand->field->relation;
    if (relation == NULL || relation->kind != RELATION_TO_MANY)
        return fail(c->ctx, ERR_INVALID_QUERY,
                    "\"%.*s\" can only be used with top level relational alias field",
                    STR_FMT(name));
    return compile_exists(c, frame, operand->field, value, true, str_eq(name, STR("_none")),
                          nesting, ret);
}

/* An operator directly on a to-many alias compares the children's keys. */
static Err compile_alias_operator(struct compiler *c, const struct frame *frame,
                                  const struct field *field, Str name, const struct json *value,
                                  int nesting, struct pred **ret)
{
    assert(field->relation != NULL && field->relation->target != NULL);
    const struct collection *child = field->relation->target;
    struct buf *text = buf_in_arena(c->ctx->arena, 1024 * 1024);
    Str value_text = json_text(c->ctx->arena, value);
    buf_printf(text, "{\"%.*s\":{\"%.*s\":", STR_FMT(child->key->name), STR_FMT(name));
    buf_put(text, value_text);
    buf_put_z(text, "}}");
    const struct json *nested;
    struct json_limits limits = {QUERY_FILTER_DEPTH + 2, QUERY_LIST_MAX};
    if (json_parse(c->ctx, buf_str(text), limits, &nested) != OK)
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid filter object");
    return compile_exists(c, frame, field, nested, true, false, nesting, ret);
}

static Err compile_operator(struct compiler *c, const struct frame *frame,
                            const struct operand *operand, Str name, const struct json *value,
                            int nesting, struct pred **ret)
{
    if (str_eq(name, STR("_some")) || str_eq(name, STR("_none")))
        return compile_some(c, frame, operand, name, value, nesting, ret);
    if (operand->field->is_alias && operand->function == FUNCTION_NONE)
        return compile_alias_operator(c, frame, operand->field, name, value, nesting, ret);
    return operator_compile(c, *operand, name, value, ret);
}

/* What stands beside a field's name: a value, operators, logical groups of them, nested fields. */
static Err compile_field(struct compiler *c, const struct frame *frame, const void *what,
                         const struct json *json, int nesting, struct pred **ret)
{
    const struct operand *operand = what;
    TRY(count_node(c, nesting));
    *ret = NULL;
    if (json_kind(json) == JSON_NULL || json_kind(json) == JSON_ARRAY)
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid filter object");
    if (json_kind(json) != JSON_OBJECT)
        return compile_operator(c, frame, operand, STR("_eq"), json, nesting, ret);
    Str nested_name = STR_NONE;
    for (struct json_iter it = json_iter(json); json_next(&it);) {
        struct pred *pred = NULL;
        if (is_group(it.key))
            TRY(compile_group(c, frame, str_eq(it.key, STR("_or")), it.value, compile_field,
                              operand, nesting, &pred));
        else if (operator_is_name(it.key) &&
                 (operand->field->relation == NULL || operand->field->relation->target == NULL ||
                  collection_field(operand->field->relation->target, it.key) == NULL))
            TRY(compile_operator(c, frame, operand, it.key, it.value, nesting, &pred));
        else
            nested_name = it.key;
        *ret = pred_and(c, *ret, pred);
    }
    if (nested_name.data == NULL)
        return OK;
    if (operand->field->relation == NULL || operand->function != FUNCTION_NONE)
        return forbid_field(c, frame->source->collection, nested_name, frame->place);
    struct pred *pred;
    TRY(compile_nested(c, frame, operand->field, json, nesting, &pred));
    *ret = pred_and(c, *ret, pred);
    return OK;
}

static Err resolve(struct compiler *c, const struct frame *frame, Str key, struct operand *ret)
{
    Str name = key;
    enum function function = function_split(key, &name);
    const struct field *field = collection_field(frame->source->collection, name);
    if (field == NULL && operator_is_name(key))
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid filter key \"%.*s\" on \"%.*s\"",
                    STR_FMT(key), STR_FMT(frame->source->collection->name));
    bool is_known = field != NULL && (frame->is_rule || access_field(&frame->access, field));
    if (!is_known)
        return never_ok(forbid_field(c, frame->source->collection, name, frame->place));
    if (function != FUNCTION_NONE)
        TRY(function_check(c, str_slice(key, 0, (size_t)str_find_char(key, '(')), function, field));
    bool is_secret = (field->special & (SPECIAL_CONCEAL | SPECIAL_HASH)) != 0;
    if (function != FUNCTION_NONE && is_secret)
        return never_ok(forbid_field(c, frame->source->collection, name, frame->place));
    if (function == FUNCTION_JSON)
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid function specified \"json\"");
    *ret = (struct operand){.source = frame->source, .field = field, .function = function};
    return function_bind(c, ret, frame->place);
}

/* A field that may be seen on some rows only can be asked for on those only. */
static Err add_mask(struct compiler *c, const struct frame *frame, const struct field *field,
                    struct pred **pred)
{
    struct pred *mask = NULL;
    if (frame->is_rule || *pred == NULL)
        return OK;
    TRY(access_mask(c, frame->source, &frame->access, field, &mask));
    *pred = pred_and(c, *pred, mask);
    return OK;
}

static Err compile_object(struct compiler *c, const struct frame *frame, const struct json *object,
                          int nesting, struct pred **ret)
{
    *ret = NULL;
    TRY(count_node(c, nesting));
    if (json_kind(object) == JSON_ARRAY && json_len(object) > 0)
        return forbid_field(c, frame->source->collection, STR("0"), frame->place);
    if (json_kind(object) != JSON_OBJECT && json_len(object) == 0 &&
        json_kind(object) != JSON_ARRAY)
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid filter object");
    for (struct json_iter it = json_iter(object); json_next(&it);) {
        struct pred *pred;
        bool is_operator =
            operator_is_name(it.key) && collection_field(frame->source->collection, it.key) == NULL;
        if (frame->skips_operators && is_operator)
            continue;
        if (is_group(it.key)) {
            TRY(compile_group(c, frame, str_eq(it.key, STR("_or")), it.value, element_object, NULL,
                              nesting, &pred));
        } else {
            struct operand operand;
            TRY(resolve(c, frame, it.key, &operand));
            TRY(compile_field(c, frame, &operand, it.value, nesting + 1, &pred));
            TRY(add_mask(c, frame, operand.field, &pred));
        }
        *ret = pred_and(c, *ret, pred);
    }
    return OK;
}

Err filter_compile(struct compiler *c, struct source *source, const struct json *filter,
                   bool is_rule, struct place place, struct pred **ret)
{
    *ret = NULL;
    if (filter == NULL)
        return OK;
    struct frame frame = {.source = source, .is_rule = is_rule, .place = place};
    frame.access.is_full = is_rule;
    if (!is_rule && !access_find(c, source->collection, ACTION_READ, &frame.access))
        return schema_forbidden_collection(c->ctx, source->collection->name, place.path);
    bool is_sharing = c->is_sharing;
    c->is_sharing = is_sharing && !is_rule;
    Err err = compile_object(c, &frame, filter, 0, ret);
    c->is_sharing = is_sharing;
    return err;
}
