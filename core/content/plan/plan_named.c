/*
 * Relations that a query names itself: `item:headings`, one collection of a to-any relation, and
 * `$FOLLOW(articles_tags, tags_id)`, a reference followed backwards without an alias.
 */
#include "content/plan/compile.h"

#include <assert.h>

/* A field that stands for the relation; never on the wire. */
struct named {
    struct named *next;
    Str name;
    const struct collection *collection;
    struct field field;
    struct relation relation;
};

static struct named *find(const struct compiler *c, const struct collection *collection, Str name)
{
    for (struct named *named = c->named; named != NULL; named = named->next)
        if (named->collection == collection && str_eq(named->name, name))
            return named;
    return NULL;
}

static struct named *add(struct compiler *c, const struct collection *collection, Str name,
                         struct relation relation)
{
    assert(relation.target != NULL && find(c, collection, name) == NULL);
    struct named *named = arena_new(c->arena, struct named);
    named->next = c->named;
    named->name = str_dup(c->arena, name);
    named->collection = collection;
    named->relation = relation;
    named->field = (struct field){
        .name = named->name,
        .type = FIELD_ALIAS,
        .is_alias = true,
        .is_nullable = true,
        .relation = &named->relation,
        .collection = collection,
    };
    c->named = named;
    return named;
}

bool named_is_scope(Str name, Str *ret_field, Str *ret_collection)
{
    ptrdiff_t colon = str_find_char(name, ':');
    if (colon < 1)
        return false;
    *ret_field = str_slice(name, 0, (size_t)colon);
    *ret_collection = str_slice(name, (size_t)colon + 1, name.len);
    return true;
}

Err named_scope(struct compiler *c, const struct collection *collection, const struct field *any,
                Str name, struct place place, const struct field **ret)
{
    Str field_name;
    Str target_name;
    if (!named_is_scope(name, &field_name, &target_name) || any->relation == NULL ||
        any->relation->kind != RELATION_TO_ANY)
        return forbid_field(c, collection, name, place);
    struct named *named = find(c, collection, name);
    const struct collection *target = schema_find(c->schema, target_name);
    struct access access;
    if (target == NULL || !access_find(c, target, ACTION_READ, &access))
        return schema_forbidden_collection(c->ctx, target_name, place_below(c, place, name).path);
    assert(target->key != NULL);
    if (named == NULL)
        named = add(c, collection, name,
                    (struct relation){.kind = RELATION_TO_ONE,
                                      .field = any,
                                      .target = target,
                                      .target_field = target->key,
                                      .collection_field = any->relation->collection_field});
    *ret = &named->field;
    return OK;
}

/* "articles_blocks, item, collection" → its parts; the third is optional. */
static bool split_follow(Str name, Str *ret_collection, Str *ret_field, Str *ret_third)
{
    const Str open = STR("$FOLLOW(");
    if (!str_starts_with(name, open) || !str_ends_with(name, STR(")")))
        return false;
    Str rest = str_slice(name, open.len, name.len - 1);
    *ret_field = *ret_third = STR_NONE;
    if (!str_next(&rest, ',', ret_collection) || !str_next(&rest, ',', ret_field))
        return false;
    if (str_next(&rest, ',', ret_third))
        *ret_third = str_trim(*ret_third);
    *ret_collection = str_trim(*ret_collection);
    *ret_field = str_trim(*ret_field);
    return true;
}

bool named_is_follow(Str name)
{
    return str_starts_with(name, STR("$FOLLOW("));
}

/* The field of `many` refers to `one`: by a to-one relation, or by a to-any one whose collection is
 * in `third`. */
static bool refers(const struct field *field, const struct collection *one, Str third)
{
    const struct relation *relation = field == NULL ? NULL : field->relation;
    if (relation == NULL)
        return false;
    if (relation->kind == RELATION_TO_ONE)
        return relation->target == one && third.data == NULL;
    assert(relation->kind != RELATION_TO_ANY || relation->collection_field != NULL);
    if (relation->kind != RELATION_TO_ANY || !str_eq(third, relation->collection_field->name))
        return false;
    for (uint32_t i = 0; i < relation->allowed_count; i++)
        if (relation->allowed[i] == one)
            return true;
    return false;
}

Err named_follow(struct compiler *c, const struct collection *one, Str name, bool is_rule,
                 struct place place, const struct field **ret)
{
    Str collection_name;
    Str field_name;
    Str third;
    struct access access;
    if (!split_follow(name, &collection_name, &field_name, &third))
        return forbid_field(c, one, name, place);
    const struct collection *many = schema_find(c->schema, collection_name);
    bool is_readable = many != NULL && access_find(c, many, ACTION_READ, &access);
    if (many == NULL || (!is_rule && !is_readable))
        return schema_forbidden_collection(c->ctx, collection_name,
                                           place_below(c, place, name).path);
    const struct field *field = collection_field(many, field_name);
    if (!refers(field, one, third))
        return forbid_field(c, one, str_slice(name, sizeof "$FOLLOW(" - 1, name.len - 1), place);
    assert(field != NULL && field->relation != NULL);
    if (!is_rule && !access_field(&access, field))
        return forbid_field(c, many, field_name, place_below(c, place, name));
    struct named *named = find(c, one, name);
    bool is_any = field->relation->kind == RELATION_TO_ANY;
    if (named == NULL)
        named = add(c, one, name,
                    (struct relation){.kind = RELATION_TO_MANY,
                                      .target = many,
                                      .target_field = field,
                                      .collection_field =
                                          is_any ? field->relation->collection_field : NULL});
    named->relation.field = &named->field;
    *ret = &named->field;
    return OK;
}
