/*
 * Dynamic variables in SQL: parameters of the execution, or subqueries over the current user's row.
 */
#include "content/plan/compile.h"

#include <assert.h>

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
        bool is_secret = field != NULL && (field->special & (SPECIAL_CONCEAL | SPECIAL_HASH)) != 0;
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
