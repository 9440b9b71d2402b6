/*
 * Printing conditions.
 */
#include "content/plan/sql_print.h"
#include "content/schema/schema.h"

#include <assert.h>

#define LIBRARY "'" UUID_LIBRARY_SITE_TEXT "'::uuid"

void sql_value(struct sql *sql, const struct value *value)
{
    assert(value->user_root != NULL || value->param != NULL);
    if (value->user_root != NULL) {
        const struct source *root = value->user_root;
        sql_text(sql, "(select ");
        sql_operand(sql, &value->user_field);
        sql_text(sql, " from ");
        sql_name(sql, root->collection->name);
        buf_printf(sql->out, " t%u where ", root->id);
        sql_pred(sql, root->on);
        buf_put_char(sql->out, ')');
        if (value->cast != NULL)
            buf_printf(sql->out, "::text::%s", value->cast);
        return;
    }
    sql_param(sql, value->param);
    if (value->cast != NULL)
        buf_printf(sql->out, "::%s", value->cast);
}

static bool is_textual(const struct operand *operand)
{
    assert(operand->field != NULL);
    switch (operand->field->type_oid) {
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_BPCHAR:
    case OID_NAME:
        return operand->function == FUNCTION_NONE;
    default:
        return false;
    }
}

static void put_as_text(struct sql *sql, const struct operand *operand)
{
    sql_operand(sql, operand);
    if (!is_textual(operand))
        sql_text(sql, "::text");
}

static void put_list(struct sql *sql, const struct pred *group, const char *between)
{
    assert(group->first != NULL);
    buf_put_char(sql->out, '(');
    for (const struct pred *member = group->first; member != NULL; member = member->next) {
        if (member != group->first)
            sql_text(sql, between);
        sql_pred(sql, member);
    }
    buf_put_char(sql->out, ')');
}

static void put_like(struct sql *sql, const struct pred *pred)
{
    assert(pred->value != NULL);
    const char *open = pred->is_folded ? "lower(" : "";
    const char *close = pred->is_folded ? ")" : "";
    sql_text(sql, open);
    put_as_text(sql, &pred->operand);
    sql_text(sql, close);
    sql_text(sql, pred->is_negated ? " not like " : " like ");
    sql_text(sql, open);
    sql_value(sql, pred->value);
    sql_text(sql, close);
}

static void put_between(struct sql *sql, const struct pred *pred)
{
    assert(pred->value != NULL && pred->value_to != NULL);
    sql_operand(sql, &pred->operand);
    sql_text(sql, pred->is_negated ? " not between " : " between ");
    sql_value(sql, pred->value);
    sql_text(sql, " and ");
    sql_value(sql, pred->value_to);
}

static void put_empty(struct sql *sql, const struct pred *pred)
{
    buf_put_char(sql->out, '(');
    sql_operand(sql, &pred->operand);
    sql_text(sql, pred->is_negated ? " is not null and " : " is null or ");
    put_as_text(sql, &pred->operand);
    sql_text(sql, pred->is_negated ? " <> '')" : " = '')");
}

void sql_joins(struct sql *sql, const struct source *source)
{
    for (const struct source *join = source->first_join; join != NULL; join = join->next) {
        const struct field *own = join->via->target_field;
        bool is_many = join->via->kind == RELATION_TO_MANY;
        struct operand parent =
            operand_of(join->parent, is_many ? join->parent->collection->key : join->via->field);
        struct operand key = operand_of((struct source *)join, own);
        sql_text(sql, " left join ");
        sql_name(sql, join->collection->name);
        buf_printf(sql->out, " t%u on ", join->id);
        bool is_any = join->via->collection_field != NULL;
        sql_operand(sql, &key);
        sql_text(sql,
                 is_any ? "::text = " : " = "); /* a to-any reference may be no key of this type */
        sql_operand(sql, &parent);
        const char *type = is_any ? NULL : sql_type_name(own->type_oid);
        if (parent.field->type_oid != own->type_oid && type != NULL)
            buf_printf(sql->out, "::%s", type);
        if (join->on != NULL) {
            sql_text(sql, " and ");
            sql_pred(sql, join->on);
        }
        sql_joins(sql, join);
    }
}

void sql_from(struct sql *sql, const struct source *root, const char *root_name)
{
    assert(root != NULL);
    sql_text(sql, " from ");
    if (root_name != NULL)
        sql_text(sql, root_name);
    else
        sql_name(sql, root->collection->name);
    buf_printf(sql->out, " t%u", root->id);
    sql_joins(sql, root);
}

static void put_exists(struct sql *sql, const struct pred *pred)
{
    assert(pred->source != NULL);
    sql_text(sql, pred->is_negated ? "not exists (select 1" : "exists (select 1");
    sql_from(sql, pred->source, NULL);
    sql_text(sql, " where ");
    sql_pred(sql, pred->first);
    buf_put_char(sql->out, ')');
}

static void put_child_of(struct sql *sql, const struct pred *pred)
{
    assert(pred->operand.field != NULL && pred->parent.field != NULL);
    sql_operand(sql, &pred->operand);
    sql_text(sql, " = ");
    sql_operand(sql, &pred->parent);
    uint32_t oid = pred->operand.field->type_oid;
    const char *type = sql_type_name(oid);
    if (pred->parent.field->type_oid != oid && type != NULL)
        buf_printf(sql->out, "::%s", type);
}

/* A site may refer to its own rows, and to the library's if they are shared. */
static void put_same_site(struct sql *sql, const struct pred *pred)
{
    assert(pred->operand.field != NULL && pred->parent.field != NULL);
    sql_operand(sql, &pred->operand);
    sql_text(sql, " in (");
    sql_operand(sql, &pred->parent);
    sql_text(sql, pred->operand.source->collection->is_shared_read ? ", " LIBRARY ")" : ")");
}

/* In a relation such a row is left out; in a write it is an error before any change. */
static void put_one_site(struct sql *sql, const struct pred *pred)
{
    const struct collection *collection = pred->operand.source->collection;
    struct operand key = operand_of(pred->operand.source, collection->key);
    sql_text(sql, "not exists (select 1 from ");
    sql_name(sql, collection->name);
    sql_text(sql, " other where other.");
    sql_name(sql, collection->key->name);
    sql_text(sql, " = ");
    sql_operand(sql, &key);
    sql_text(sql, " and other.");
    sql_name(sql, collection->site->name);
    sql_text(sql, " <> ");
    sql_operand(sql, &pred->operand);
    sql_text(sql, pred->is_refused ? " and spark.refuse_ambiguous_key())" : ")");
}

void sql_keys(struct sql *sql, const struct pred *keys, const char *type)
{
    assert(keys->kind == PRED_KEYS || keys->kind == PRED_OF_PARENT);
    /* A subselect hides how many there are: PostgreSQL finds a plan for one key cheaper than one
     * for any number, and would plan every execution again. */
    sql_text(sql, "(select ");
    sql_value(sql, keys->value);
    buf_printf(sql->out, "::%s[])", type);
}

static void put_is_one_of_keys(struct sql *sql, const struct pred *pred)
{
    const char *type = sql_key_type(pred->operand.field);
    sql_text(sql, " = any(");
    if (type == NULL) {
        sql_value(sql, pred->value);
    } else {
        sql_keys(sql, pred, type);
        buf_printf(sql->out, "::%s[]", type); /* or it would be a set of arrays */
    }
    buf_put_char(sql->out, ')');
}

static void put_simple(struct sql *sql, const struct pred *pred)
{
    assert(pred->operand.field != NULL);
    sql_operand(sql, &pred->operand);
    switch (pred->kind) {
    case PRED_COMPARE:
        buf_printf(sql->out, " %s ", pred->operation);
        sql_value(sql, pred->value);
        break;
    case PRED_ANY:
        sql_text(sql, pred->is_negated ? " <> all(" : " = any(");
        sql_value(sql, pred->value);
        buf_put_char(sql->out, ')');
        break;
    case PRED_KEYS:
        put_is_one_of_keys(sql, pred);
        break;
    case PRED_OF_PARENT:
        sql_text(sql, " = parent.key");
        break;
    case PRED_NULL:
        sql_text(sql, pred->is_negated ? " is not null" : " is null");
        break;
    case PRED_LIBRARY:
        sql_text(sql, pred->is_negated ? " <> " LIBRARY : " = " LIBRARY);
        break;
    case PRED_SITE:
        sql_text(sql, " = ");
        sql_value(sql, pred->value);
        break;
    default:
        assert(pred->kind == PRED_SITE_OR_LIBRARY);
        sql_text(sql, " = any(array[");
        sql_value(sql, pred->value);
        sql_text(sql, ", " LIBRARY "])");
    }
}

void sql_pred(struct sql *sql, const struct pred *pred)
{
    if (pred == NULL) {
        sql_text(sql, "true");
        return;
    }
    switch (pred->kind) {
    case PRED_AND:
        put_list(sql, pred, " and ");
        break;
    case PRED_OR:
        put_list(sql, pred, " or ");
        break;
    case PRED_SHARED:
        sql_pred(sql, pred->first);
        break;
    case PRED_NOT:
        sql_text(sql, "not ");
        put_list(sql, pred, " and ");
        break;
    case PRED_TRUE:
        sql_text(sql, "true");
        break;
    case PRED_FALSE:
        sql_text(sql, "false");
        break;
    case PRED_LIKE:
        put_like(sql, pred);
        break;
    case PRED_BETWEEN:
        put_between(sql, pred);
        break;
    case PRED_EMPTY:
        put_empty(sql, pred);
        break;
    case PRED_EXISTS:
        put_exists(sql, pred);
        break;
    case PRED_CHILD_OF:
        put_child_of(sql, pred);
        break;
    case PRED_SAME_SITE:
        put_same_site(sql, pred);
        break;
    case PRED_ONE_SITE:
        put_one_site(sql, pred);
        break;
    case PRED_COMPARE:
    case PRED_ANY:
    case PRED_KEYS:
    case PRED_OF_PARENT:
    case PRED_NULL:
    case PRED_LIBRARY:
    case PRED_SITE:
    case PRED_SITE_OR_LIBRARY:
        put_simple(sql, pred);
        break;
    }
}
