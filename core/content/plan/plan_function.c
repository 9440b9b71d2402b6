/*
 * Functions of the query language (year … second, count, json) and dotted paths.
 */
#include "content/plan/compile.h"

#include <assert.h>

bool function_fits(enum function function, const struct field *field)
{
    switch (function) {
    case FUNCTION_COUNT:
        return field->type == FIELD_JSON ||
               (field->relation != NULL && field->relation->kind == RELATION_TO_MANY);
    case FUNCTION_JSON:
        return field->type_oid != 0 && field->type == FIELD_JSON;
    case FUNCTION_HOUR:
    case FUNCTION_MINUTE:
    case FUNCTION_SECOND:
        return field->type == FIELD_DATE_TIME || field->type == FIELD_TIMESTAMP ||
               field->type == FIELD_TIME;
    case FUNCTION_NONE:
        return true;
    case FUNCTION_UNKNOWN:
        return false;
    default:
        return field->type == FIELD_DATE_TIME || field->type == FIELD_TIMESTAMP ||
               field->type == FIELD_DATE;
    }
}

Err function_check(struct compiler *c, Str name, enum function function, const struct field *field)
{
    if (function == FUNCTION_UNKNOWN || !function_fits(function, field))
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid function specified \"%.*s\"",
                    STR_FMT(name));
    return OK;
}

Err function_bind(struct compiler *c, struct operand *operand, struct place place)
{
    assert(operand->field != NULL);
    const struct relation *relation = operand->field->relation;
    if (operand->function != FUNCTION_COUNT || relation == NULL ||
        relation->kind != RELATION_TO_MANY)
        return OK;
    return source_scalar(c, operand->source, operand->field, SOURCE_FIRST,
                         place_below(c, place, operand->field->name), &operand->counted);
}

bool path_next(Str *rest, Str *ret_head)
{
    if (rest->data == NULL || rest->len == 0)
        return false;
    int open = 0;
    for (size_t i = 0; i < rest->len; i++) {
        char ch = rest->data[i];
        open += (ch == '(') - (ch == ')');
        if (ch == '.' && open <= 0) {
            *ret_head = str_slice(*rest, 0, i);
            *rest = str_slice(*rest, i + 1, rest->len);
            return true;
        }
    }
    *ret_head = *rest;
    *rest = STR_NONE;
    return true;
}

/* "year(a.b)" is "a.year(b)". */
static Str pull_function_in(struct compiler *c, Str path)
{
    Str argument;
    if (function_split(path, &argument) == FUNCTION_NONE)
        return path;
    ptrdiff_t dot = -1;
    for (size_t i = 0; i < argument.len; i++) {
        if (argument.data[i] == '.')
            dot = (ptrdiff_t)i;
    }
    if (dot < 0)
        return path;
    Str name = str_slice(path, 0, (size_t)str_find_char(path, '('));
    Str before = str_slice(argument, 0, (size_t)dot);
    Str after = str_slice(argument, (size_t)dot + 1, argument.len);
    return str_printf(c->arena, "%.*s.%.*s(%.*s)", STR_FMT(before), STR_FMT(name), STR_FMT(after));
}

Err any_refuse(struct compiler *c, const struct collection *collection, Str below,
               struct place place)
{
    Str name;
    if (path_next(&below, &name) && collection_field(collection, name) == NULL)
        return forbid_field(c, collection, name, place);
    return fail(c->ctx, ERR_INVALID_QUERY,
                "You have to provide a collection scope when sorting or filtering on a many-to-any "
                "item");
}

static Err leaf(struct compiler *c, struct source *source, const struct access *access, Str head,
                struct place place, struct operand *ret)
{
    assert(source != NULL);
    Str argument = head;
    enum function function = function_split(head, &argument);
    const struct field *field = collection_field(source->collection, argument);
    if (field == NULL || !access_field(access, field))
        return forbid_field(c, source->collection, argument, place);
    if ((field->special & SPECIAL_SECRET) != 0)
        return forbid_field(c, source->collection, argument, place);
    if (function != FUNCTION_NONE)
        TRY(function_check(c, str_slice(head, 0, (size_t)str_find_char(head, '(')), function,
                           field));
    if (function == FUNCTION_JSON)
        return fail(c->ctx, ERR_INVALID_QUERY, "Invalid function specified \"json\"");
    *ret = (struct operand){.source = source, .field = field, .function = function};
    TRY(function_bind(c, ret, place));
    if (function == FUNCTION_NONE && field->is_alias)
        return forbid_field(c, source->collection, argument, place);
    return OK;
}

/* The relation that `head` names, on the way to `rest`. */
static Err step_field(struct compiler *c, const struct collection *collection,
                      const struct access *access, Str head, Str rest, struct place place,
                      const struct field **ret)
{
    Str name = head;
    Str target;
    bool is_scoped = named_is_scope(head, &name, &target);
    const struct field *field = collection_field(collection, name);
    if (field == NULL || field->relation == NULL || !access_field(access, field))
        return forbid_field(c, collection, head, place);
    *ret = field;
    if (field->relation->kind != RELATION_TO_ANY)
        return OK;
    return is_scoped ? named_scope(c, collection, field, head, place, ret)
                     : any_refuse(c, collection, rest, place);
}

Err path_operand(struct compiler *c, struct source *source, Str path, bool may_be_many,
                 struct place place, struct operand *ret)
{
    assert(source != NULL);
    Str rest = pull_function_in(c, path);
    Str head;
    while (path_next(&rest, &head)) {
        struct access access;
        if (!access_find(c, source->collection, ACTION_READ, &access))
            return schema_forbidden_collection(c->ctx, source->collection->name, place.path);
        if (rest.len == 0)
            return leaf(c, source, &access, head, place, ret);
        const struct field *field;
        TRY(step_field(c, source->collection, &access, head, rest, place, &field));
        struct place below = place_below(c, place, head);
        enum relation_kind kind = field->relation->kind;
        bool is_below_many = source_first(source) != NULL;
        if (is_below_many || (kind == RELATION_TO_ONE && source->kind <= SOURCE_JOIN))
            TRY(source_join(c, source, field, below, false, &source));
        else if (kind == RELATION_TO_ONE || (kind == RELATION_TO_MANY && may_be_many))
            TRY(source_scalar(c, source, field, SOURCE_FIRST, below, &source));
        else
            return forbid_field(c, source->collection, head, place);
        place = below;
    }
    return forbid_field(c, source->collection, path, place);
}
