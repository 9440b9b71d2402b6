/*
 * Filters: {field: {_op: value}}, {relation: {field: …}}, {_and: […]}, {_or: […]}.
 *
 * Filters of a query are checked against the read grants and may join; those of policies (is_rule)
 * are not checked, and read to-one relations by subqueries, so that they can be used in an ON, an
 * UPDATE or a CASE.
 */
#include "base/memory/list.h"
#include "content/plan/compile.h"
#include "content/schema/schema.h"

#include <assert.h>

struct conjunction;

/* State of one level of the recursion. */
struct frame {
    struct source *source;
    bool is_rule;
    struct place place;
    struct access access;
    bool skips_operators; /* the object's operators and groups were compiled with the field above */
    bool is_required;     /* what is compiled here holds for every row that remains of `source` */
    struct conjunction *all;
};

/*
 * Conditions on one to-many relation that must hold together are met by the same row, as in
 * Directus, which joins the relation once: {_and: [{tags: {id: 1}}, {tags: {name: "x"}}]} is {tags:
 * {id: 1, name: "x"}}. They are collected until the end of the conjunction.
 */
struct condition {
    struct condition *next;
    const struct filter_value *nested;
    bool is_whole; /* its groups are about the related rows, too */
};

struct many {
    struct many *next;
    struct frame frame;
    const struct field *field;
    struct condition *first;
    struct condition *last;
    int nesting;
};

struct conjunction {
    struct many *first;
    struct many *last;
};

enum { NESTING_MAX = 24 };

static Err compile_object(struct compiler *c, const struct frame *frame,
                          const struct filter_value *object, int nesting, struct pred **ret);

static bool is_group(const struct filter *member)
{
    return member->kind == FILTER_AND || member->kind == FILTER_OR;
}

static bool is_operator(const struct filter *member, const struct collection *fields_of)
{
    bool is_name = member->kind == FILTER_OPERATOR || member->kind == FILTER_SOME ||
                   member->kind == FILTER_NONE;
    return is_name && (fields_of == NULL || collection_field(fields_of, member->name) == NULL);
}

static Err flush(struct compiler *c, const struct conjunction *all, struct pred **ret);

static Err count_node(struct compiler *c, int nesting)
{
    assert(nesting >= 0);
    if (nesting > NESTING_MAX)
        return fail(c->ctx, ERR_INVALID_QUERY, "Max relational depth exceeded");
    if (++c->node_count > PLAN_FILTER_NODES_MAX)
        return fail(c->ctx, ERR_INVALID_QUERY, "The filter has more than %d conditions",
                    PLAN_FILTER_NODES_MAX);
    return OK;
}

/* Compiles one element of _and/_or: a whole filter, or the filter of one field. */
typedef Err ElementFn(struct compiler *c, const struct frame *frame, const void *what,
                      const struct filter_value *element, int nesting, struct pred **ret);

static Err compile_group(struct compiler *c, const struct frame *frame, bool is_or,
                         const struct filter_value *list, ElementFn *fn, const void *what,
                         int nesting, struct pred **ret)
{
    assert(fn != NULL);
    *ret = NULL;
    if (list->kind != FILTER_LIST && list->kind != FILTER_MEMBERS)
        return fail(c->ctx, ERR_INVALID_QUERY, "\"%s\" has to be an array", is_or ? "_or" : "_and");
    struct filter_elements elements = filter_elements(list);
    bool matches_all = false;
    const struct filter_value *element;
    while ((element = filter_next(&elements)) != NULL) {
        struct pred *pred;
        if (!is_or) {
            TRY(fn(c, frame, what, element, nesting + 1, &pred));
            *ret = pred_and(c, *ret, pred);
            continue;
        }
        struct conjunction all = {0};
        struct frame own = *frame;
        own.all = &all;
        own.is_required = false;
        TRY(fn(c, &own, what, element, nesting + 1, &pred));
        TRY(flush(c, &all, &pred));
        matches_all |= pred == NULL;
        if (pred != NULL)
            *ret = *ret == NULL ? pred : pred_or(c, *ret, pred);
    }
    if (is_or && matches_all)
        *ret = NULL;
    return OK;
}

static Err element_object(struct compiler *c, const struct frame *frame, const void *what,
                          const struct filter_value *element, int nesting, struct pred **ret)
{
    (void)what;
    struct frame own = *frame;
    own.skips_operators = false;
    return compile_object(c, &own, element, nesting, ret);
}

/* The child refers to the parent. */
static struct pred *child_of(struct compiler *c, struct source *child, struct source *parent,
                             const struct relation *relation)
{
    assert(relation->target_field != NULL);
    struct pred *link = pred_new(c, PRED_CHILD_OF);
    link->operand = operand_of(child, relation->target_field);
    link->parent = operand_of(parent, parent->collection->key);
    return pred_and(c, link, same_collection(c, child, relation, parent->collection));
}

static Err enter(struct compiler *c, const struct frame *frame, const struct field *field,
                 struct frame *ret)
{
    assert(field->relation != NULL && field->relation->target != NULL);
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

/* Exactly {key: {_null: true}} selects rows without children. */
static bool asks_for_none(const struct collection *child, const struct filter_value *nested)
{
    const struct filter *key = filter_find(nested, child->key->name);
    if (key == NULL || nested->count != 1 || key->value->count != 1)
        return false;
    const struct filter *null = filter_find(key->value, filter_operator(OPERATOR_NULL)->name);
    if (null == NULL)
        return false;
    const struct filter_value *flag = null->value;
    return (flag->kind == FILTER_BOOL || flag->kind == FILTER_TEXT) &&
           !str_eq(flag->text, STR("false"));
}

/* exists (a row of the relation that the request may see …); `ret_where`: of which conditions. */
static Err exists_new(struct compiler *c, const struct frame *frame, const struct field *field,
                      struct frame *below, struct pred **ret)
{
    assert(field->relation->target_field != NULL);
    struct pred *exists = pred_new(c, PRED_EXISTS);
    below->source = exists->source = source_root(c, field->relation->target);
    struct pred *where = pred_and(c, child_of(c, below->source, frame->source, field->relation),
                                  scope_rows(c, below->source, false));
    where = pred_and(c, where, same_site(c, frame->source, below->source));
    if (!below->is_rule) {
        struct pred *granted;
        TRY(access_rows(c, below->source, &below->access, &granted));
        where = pred_and(c, where, granted);
    }
    exists->first = exists->last = where;
    *ret = exists;
    return OK;
}

static void exists_where(struct compiler *c, struct pred *exists, struct pred *condition)
{
    exists->first = exists->last = pred_and(c, exists->first, condition);
}

/* _some and _none */
static Err compile_quantified(struct compiler *c, const struct frame *frame,
                              const struct field *field, const struct filter_value *nested,
                              bool is_negated, int nesting, struct pred **ret)
{
    struct frame below;
    struct pred *condition;
    struct conjunction all = {0};
    TRY(enter(c, frame, field, &below));
    TRY(exists_new(c, frame, field, &below, ret));
    (*ret)->is_negated = is_negated;
    below.all = &all;
    TRY(compile_object(c, &below, nested, nesting + 1, &condition));
    TRY(flush(c, &all, &condition));
    exists_where(c, *ret, condition);
    return OK;
}

/* Conditions on the rows of the relation. A row without any matches if they hold for nulls. */
static Err compile_many(struct compiler *c, const struct many *many, struct pred **ret)
{
    struct frame below;
    struct conjunction all = {0};
    struct pred *condition = NULL;
    struct pred *none;
    TRY(enter(c, &many->frame, many->field, &below));
    bool is_alone = many->first == many->last;
    bool wants_none = is_alone && asks_for_none(many->field->relation->target, many->first->nested);
    TRY(exists_new(c, &many->frame, many->field, &below, ret));
    (*ret)->is_negated = wants_none;
    below.all = &all;
    for (const struct condition *part = many->first; part != NULL && !wants_none;
         part = part->next) {
        struct pred *pred;
        below.skips_operators = !part->is_whole;
        TRY(compile_object(c, &below, part->nested, many->nesting + 1, &pred));
        condition = pred_and(c, condition, pred);
    }
    TRY(flush(c, &all, &condition));
    exists_where(c, *ret, condition);
    if (wants_none || !pred_holds_on_nothing(condition))
        return OK;
    TRY(exists_new(c, &many->frame, many->field, &below, &none));
    none->is_negated = true;
    *ret = pred_or(c, *ret, none);
    return OK;
}

static Err add_mask(struct compiler *c, const struct frame *frame, const struct field *field,
                    struct pred **pred);

static Err flush(struct compiler *c, const struct conjunction *all, struct pred **ret)
{
    for (const struct many *many = all->first; many != NULL; many = many->next) {
        struct pred *pred;
        TRY(compile_many(c, many, &pred));
        TRY(add_mask(c, &many->frame, many->field, &pred));
        *ret = pred_and(c, *ret, pred);
    }
    return OK;
}

static void collect(struct compiler *c, const struct frame *frame, const struct field *field,
                    const struct filter_value *nested, bool is_whole, int nesting)
{
    assert(frame->all != NULL);
    struct many *many = frame->all->first;
    while (many != NULL && (many->frame.source != frame->source || many->field != field))
        many = many->next;
    if (many == NULL) {
        many = arena_new(c->ctx->arena, struct many);
        many->frame = *frame;
        many->field = field;
        many->nesting = nesting;
        LIST_APPEND(frame->all->first, frame->all->last, many);
    }
    struct condition *part = arena_new(c->ctx->arena, struct condition);
    part->nested = nested;
    part->is_whole = is_whole;
    LIST_APPEND(many->first, many->last, part);
}

static Err compile_to_one(struct compiler *c, const struct frame *frame, const struct field *field,
                          const struct filter_value *nested, int nesting, struct pred **ret)
{
    assert(field->relation->kind == RELATION_TO_ONE);
    struct frame below;
    TRY(enter(c, frame, field, &below));
    bool may_join = !frame->is_rule && frame->source->kind <= SOURCE_JOIN;
    if (may_join)
        TRY(source_join(c, frame->source, field, below.place, false, &below.source));
    else
        TRY(source_scalar(c, frame->source, field, SOURCE_SCALAR, below.place, &below.source));
    if (!may_join && !frame->is_rule) {
        struct pred *granted; /* rules ignore the grants of other collections, queries do not */
        TRY(access_rows(c, below.source, &below.access, &granted));
        below.source->on = pred_and(c, below.source->on, granted);
    }
    below.skips_operators = true;
    below.all = frame->all;
    return compile_object(c, &below, nested, nesting + 1, ret);
}

static Err compile_nested(struct compiler *c, const struct frame *frame, const struct field *field,
                          const struct filter_value *nested, int nesting, struct pred **ret)
{
    assert(field->relation != NULL);
    if (field->relation->kind == RELATION_TO_ONE)
        return compile_to_one(c, frame, field, nested, nesting, ret);
    *ret = NULL;
    if (field->relation->kind == RELATION_TO_ANY)
        return any_refuse(c, frame->source->collection, nested->first->name, frame->place);
    collect(c, frame, field, nested, false, nesting);
    return OK;
}

static Err compile_some(struct compiler *c, const struct frame *frame,
                        const struct operand *operand, const struct filter *member, int nesting,
                        struct pred **ret)
{
    const struct relation *relation = operand->field->relation;
    if (relation == NULL || relation->kind != RELATION_TO_MANY)
        return fail(c->ctx, ERR_INVALID_QUERY,
                    "\"%.*s\" can only be used with top level relational alias field",
                    STR_FMT(member->name));
    *ret = NULL;
    if (member->value->kind == FILTER_MEMBERS && member->value->count == 0)
        return OK; /* no condition, as in Directus */
    return compile_quantified(c, frame, operand->field, member->value, member->kind == FILTER_NONE,
                              nesting, ret);
}

/* An operator on a to-many alias compares the children's keys. */
static Err compile_alias_operator(struct compiler *c, const struct frame *frame,
                                  const struct field *field, const struct filter *member,
                                  int nesting)
{
    struct arena *arena = c->ctx->arena;
    if (field->relation == NULL || field->relation->kind != RELATION_TO_MANY)
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid filter key \"%.*s\" on \"%.*s\"",
                    STR_FMT(field->name), STR_FMT(frame->source->collection->name));
    const struct collection *child = field->relation->target;
    struct filter *alone = arena_new(arena, struct filter);
    *alone = *member;
    alone->next = NULL;
    const struct filter *key = filter_member(arena, child->key->name, filter_object(arena, alone));
    collect(c, frame, field, filter_object(arena, key), false, nesting);
    return OK;
}

static Err compile_operator(struct compiler *c, const struct frame *frame,
                            const struct operand *operand, const struct filter *member, int nesting,
                            struct pred **ret)
{
    assert(operand->field != NULL);
    if (member->kind != FILTER_OPERATOR)
        return compile_some(c, frame, operand, member, nesting, ret);
    *ret = NULL;
    if (operand->field->is_alias && operand->function == FUNCTION_NONE)
        return compile_alias_operator(c, frame, operand->field, member, nesting);
    return operator_compile(c, *operand, member->name, member->op, member->value, ret);
}

/* A plain value below a field's name means equality. */
static Err compile_equal(struct compiler *c, const struct frame *frame,
                         const struct operand *operand, const struct filter_value *value,
                         int nesting, struct pred **ret)
{
    const struct filter *equal =
        filter_member(c->ctx->arena, filter_operator(OPERATOR_EQ)->name, value);
    return compile_operator(c, frame, operand, equal, nesting, ret);
}

static bool holds_groups(const struct filter_value *value)
{
    for (const struct filter *member = value->first; member != NULL; member = member->next)
        if (is_group(member))
            return true;
    return false;
}

/* Whether an operator, on its own or in a group, compares the relation itself. Recursion is limited
 * by the depth of the filter. */
static bool holds_operators(const struct filter_value *value, const struct collection *target)
{
    for (const struct filter *member = value->first; member != NULL; member = member->next) {
        if (is_operator(member, target))
            return true;
        struct filter_elements elements = filter_elements(member->value);
        const struct filter_value *element;
        while (is_group(member) && (element = filter_next(&elements)) != NULL)
            if (holds_operators(element, target))
                return true;
    }
    return false;
}

/* {tags: {_or: […]}}, where the members of the group are fields of the related rows. */
static bool is_about_rows(const struct operand *operand, const struct filter_value *value)
{
    const struct relation *relation = operand->field->relation;
    return relation != NULL && relation->kind == RELATION_TO_MANY &&
           operand->function == FUNCTION_NONE && holds_groups(value) &&
           !holds_operators(value, relation->target);
}

/* The filter of one field: a value, operators, logical groups of operators, or nested fields. */
static Err compile_field(struct compiler *c, const struct frame *frame, const void *what,
                         const struct filter_value *value, int nesting, struct pred **ret)
{
    const struct operand *operand = what;
    const struct relation *relation = operand->field->relation;
    TRY(count_node(c, nesting));
    *ret = NULL;
    if (value->kind == FILTER_NULL)
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid filter object");
    if (value->kind == FILTER_LIST)
        return value->count == 0
                   ? OK
                   : forbid_field(c, frame->source->collection, STR("0"), frame->place);
    if (value->kind != FILTER_MEMBERS)
        return compile_equal(c, frame, operand, value, nesting, ret);
    if (is_about_rows(operand, value)) {
        collect(c, frame, operand->field, value, true, nesting);
        return OK;
    }
    Str nested_name = STR_NONE;
    for (const struct filter *member = value->first; member != NULL; member = member->next) {
        struct pred *pred = NULL;
        if (is_group(member))
            TRY(compile_group(c, frame, member->kind == FILTER_OR, member->value, compile_field,
                              operand, nesting, &pred));
        else if (is_operator(member, relation == NULL ? NULL : relation->target))
            TRY(compile_operator(c, frame, operand, member, nesting, &pred));
        else
            nested_name = member->name;
        *ret = pred_and(c, *ret, pred);
    }
    if (nested_name.data == NULL)
        return OK;
    if (relation == NULL || operand->function != FUNCTION_NONE)
        return forbid_field(c, frame->source->collection, nested_name, frame->place);
    struct pred *pred;
    TRY(compile_nested(c, frame, operand->field, value, nesting, &pred));
    *ret = pred_and(c, *ret, pred);
    return OK;
}

static Err resolve(struct compiler *c, const struct frame *frame, const struct filter *member,
                   struct operand *ret)
{
    assert(frame->source != NULL);
    Str key = member->name;
    Str name = member->field;
    enum function function = member->function;
    const struct collection *collection = frame->source->collection;
    Str target;
    *ret = (struct operand){.source = frame->source};
    if (named_is_follow(key))
        return named_follow(c, collection, key, frame->is_rule, frame->place, &ret->field);
    bool is_scoped = named_is_scope(key, &name, &target);
    const struct field *field = collection_field(frame->source->collection, name);
    if (field == NULL && is_operator(member, NULL) && member->value->kind >= FILTER_LIST)
        return fail(c->ctx, ERR_INVALID_QUERY,
                    "The filter value for \"%.*s\" has to be a string, number, or boolean",
                    STR_FMT(key));
    if (field == NULL && is_operator(member, NULL))
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid filter key \"%.*s\" on \"%.*s\"",
                    STR_FMT(key), STR_FMT(frame->source->collection->name));
    bool is_known = field != NULL && (frame->is_rule || access_field(&frame->access, field));
    if (!is_known)
        return never_ok(forbid_field(c, frame->source->collection, name, frame->place));
    if (is_scoped)
        return named_scope(c, collection, field, key, frame->place, &ret->field);
    if (function != FUNCTION_NONE && !function_fits(function, field))
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid filter key \"%.*s\" on \"%.*s\"",
                    STR_FMT(key), STR_FMT(collection->name));
    bool is_secret = (field->special & SPECIAL_SECRET) != 0;
    if (function != FUNCTION_NONE && is_secret)
        return never_ok(forbid_field(c, frame->source->collection, name, frame->place));
    if (function == FUNCTION_JSON)
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid function specified \"json\"");
    *ret = (struct operand){.source = frame->source, .field = field, .function = function};
    return function_bind(c, ret, frame->place);
}

/* A field that is readable on some rows only can be filtered on those rows only. */
static Err add_mask(struct compiler *c, const struct frame *frame, const struct field *field,
                    struct pred **pred)
{
    struct pred *mask = NULL;
    if (frame->is_rule || *pred == NULL || named_is_follow(field->name))
        return OK;
    TRY(access_mask(c, frame->source, &frame->access, field, &mask));
    *pred = pred_and(c, *pred, mask);
    if (mask != NULL && frame->is_required)
        access_prove(frame->source, &frame->access, field);
    return OK;
}

static Err compile_object(struct compiler *c, const struct frame *frame,
                          const struct filter_value *object, int nesting, struct pred **ret)
{
    *ret = NULL;
    TRY(count_node(c, nesting));
    if (object->kind == FILTER_LIST && object->count > 0)
        return forbid_field(c, frame->source->collection, STR("0"), frame->place);
    if (filter_is_scalar(object))
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid filter key \"_eq\" on \"%.*s\"",
                    STR_FMT(frame->source->collection->name));
    if (object->kind != FILTER_LIST && object->kind != FILTER_MEMBERS)
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid filter object");
    for (const struct filter *member = object->first; member != NULL; member = member->next) {
        struct pred *pred;
        bool is_done = is_group(member) || is_operator(member, frame->source->collection);
        if (frame->skips_operators && is_done)
            continue;
        if (is_group(member)) {
            TRY(compile_group(c, frame, member->kind == FILTER_OR, member->value, element_object,
                              NULL, nesting, &pred));
        } else {
            struct operand operand;
            TRY(resolve(c, frame, member, &operand));
            TRY(compile_field(c, frame, &operand, member->value, nesting + 1, &pred));
            TRY(add_mask(c, frame, operand.field, &pred));
        }
        *ret = pred_and(c, *ret, pred);
    }
    return OK;
}

Err filter_compile(struct compiler *c, struct source *source, const struct filter_value *filter,
                   bool is_rule, struct place place, struct pred **ret)
{
    assert(source != NULL);
    *ret = NULL;
    if (filter == NULL)
        return OK;
    struct frame frame = {
        .source = source, .is_rule = is_rule, .place = place, .is_required = !is_rule};
    frame.access.is_full = is_rule;
    if (!is_rule && !access_find(c, source->collection, ACTION_READ, &frame.access))
        return schema_forbidden_collection(c->ctx, source->collection->name, place.path);
    struct conjunction all = {0};
    frame.all = &all;
    bool is_sharing = c->is_sharing;
    c->is_sharing = is_sharing && !is_rule;
    Err err = compile_object(c, &frame, filter, 0, ret);
    if (err == OK)
        err = flush(c, &all, ret);
    c->is_sharing = is_sharing;
    return err;
}
