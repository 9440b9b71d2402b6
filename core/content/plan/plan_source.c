/*
 * Sources: tables in a statement, and constructors of the tree.
 */
#include "base/memory/list.h"
#include "content/plan/compile.h"

#include <assert.h>

struct pred *pred_new(struct compiler *c, enum pred_kind kind)
{
    struct pred *pred = arena_new(c->arena, struct pred);
    pred->kind = kind;
    return pred;
}

struct pred *pred_keys(struct compiler *c, struct operand operand)
{
    struct pred *keys = pred_new(c, PRED_KEYS);
    keys->operand = operand;
    keys->value = value_of_param(c, param_new(c, PARAM_KEYS));
    return keys;
}

struct pred *pred_key(struct compiler *c, struct operand operand)
{
    struct pred *key = pred_new(c, PRED_COMPARE);
    key->operand = operand;
    key->operation = "=";
    key->value = value_of_param(c, param_new(c, PARAM_KEY));
    return key;
}

static void append(struct pred *group, struct pred *member)
{
    assert(member->next == NULL);
    LIST_APPEND(group->first, group->last, member);
}

/* A condition that is already in a list is wrapped, so that lists never share members. */
static struct pred *join(struct compiler *c, enum pred_kind kind, struct pred *a, struct pred *b)
{
    assert(kind == PRED_AND || kind == PRED_OR);
    if (a->kind == kind && a->next == NULL) {
        append(a, b);
        return a;
    }
    struct pred *group = pred_new(c, kind);
    append(group, a);
    append(group, b);
    return group;
}

struct pred *pred_and(struct compiler *c, struct pred *a, struct pred *b)
{
    if (a == NULL)
        return b;
    return b == NULL ? a : join(c, PRED_AND, a, b);
}

struct pred *pred_or(struct compiler *c, struct pred *a, struct pred *b)
{
    assert(a != NULL && b != NULL);
    return join(c, PRED_OR, a, b);
}

struct operand operand_of(struct source *source, const struct field *field)
{
    return (struct operand){.source = source, .field = field};
}

struct param *param_new(struct compiler *c, enum param_kind kind)
{
    struct param *param = arena_new(c->arena, struct param);
    param->kind = kind;
    return param;
}

struct param *param_text(struct compiler *c, Str text)
{
    struct param *param = param_new(c, PARAM_TEXT);
    param->text = str_dup(c->arena, text);
    return param;
}

static struct source *source_new(struct compiler *c, const struct collection *collection)
{
    assert(collection != NULL);
    struct source *source = arena_new(c->arena, struct source);
    source->id = c->source_count++;
    source->collection = collection;
    return source;
}

struct source *source_root(struct compiler *c, const struct collection *collection)
{
    return source_new(c, collection);
}

/* Conditions for every row of a child, wherever it is used: its scope and its read grants. */
static Err bind_child(struct compiler *c, struct source *child, struct place place)
{
    struct access access;
    if (!access_find(c, child->collection, ACTION_READ, &access))
        return schema_forbidden_collection(c->ctx, child->collection->name, place.path);
    struct pred *granted;
    TRY(access_rows(c, child, &access, &granted));
    child->on = pred_and(c, scope_rows(c, child, false), granted);
    return OK;
}

struct pred *same_collection(struct compiler *c, struct source *many, const struct relation *via,
                             const struct collection *one)
{
    if (via->collection_field == NULL)
        return NULL;
    struct pred *pred = pred_new(c, PRED_COMPARE);
    pred->operand = operand_of(many, via->collection_field);
    pred->operation = "=";
    pred->value = value_of_param(c, param_text(c, one->name));
    return pred;
}

struct source *source_first(struct source *source)
{
    while (source != NULL && source->kind == SOURCE_JOIN)
        source = source->parent;
    return source != NULL && source->kind == SOURCE_FIRST ? source : NULL;
}

static Err count_join(struct compiler *c, struct place place)
{
    if (place.depth > QUERY_DEPTH_MAX)
        return fail(c->ctx, ERR_INVALID_QUERY, "Max relational depth exceeded");
    if (++c->join_count > PLAN_JOINS_MAX)
        return fail(c->ctx, ERR_INVALID_QUERY, "More than %d relations in one query",
                    PLAN_JOINS_MAX);
    return OK;
}

static struct source *find_join(const struct source *parent, const struct relation *via)
{
    assert(via != NULL);
    for (struct source *join = parent->first_join; join != NULL; join = join->next) {
        if (join->via == via && !join->is_private)
            return join;
    }
    return NULL;
}

Err source_join(struct compiler *c, struct source *parent, const struct field *field,
                struct place place, bool is_private, struct source **ret)
{
    const struct relation *via = field->relation;
    assert(via != NULL && via->target != NULL);
    bool is_many = via->kind == RELATION_TO_MANY;
    struct source *join = is_private ? NULL : find_join(parent, via);
    if (join == NULL) {
        TRY(count_join(c, place));
        join = source_new(c, via->target);
        join->kind = SOURCE_JOIN;
        join->parent = parent;
        join->via = via;
        join->is_private = is_private;
        TRY(bind_child(c, join, place));
        struct pred *tie = same_site(c, is_many ? parent : join, is_many ? join : parent);
        join->on = pred_and(c, tie, join->on);
        if (!is_many)
            join->on = pred_and(c, same_collection(c, parent, via, via->target), join->on);
        LIST_APPEND_SHORT(parent->first_join, join);
    }
    *ret = join;
    return OK;
}

Err source_scalar(struct compiler *c, struct source *parent, const struct field *field,
                  enum source_kind kind, struct place place, struct source **ret)
{
    const struct relation *via = field->relation;
    assert(via != NULL && via->target != NULL);
    TRY(count_join(c, place));
    struct source *source = source_new(c, via->target);
    source->kind = kind;
    source->parent = parent;
    source->via = via;
    if (kind == SOURCE_FIRST)
        TRY(bind_child(c, source, place));
    else
        source->on = scope_rows(c, source, false); /* rules ignore others' grants */
    bool is_many = via->kind == RELATION_TO_MANY;
    struct pred *tie = same_site(c, is_many ? parent : source, is_many ? source : parent);
    source->on = pred_and(c, tie, source->on);
    if (!is_many)
        source->on = pred_and(c, same_collection(c, parent, via, via->target), source->on);
    *ret = source;
    return OK;
}
