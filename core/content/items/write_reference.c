#include "content/items/write_reference.h"

#include <assert.h>

struct reference_guard {
    const struct field *field;
    struct source *target;
    struct pred *rows; /* rows of the scope; NULL in PLATFORM: the row's site is compared */
};

/* Fields that fill_special overwrites even if the body supplies them. */
static bool is_written_by_server(const struct field *field, enum action action)
{
    assert(action == ACTION_CREATE || action == ACTION_UPDATE);
    uint32_t created = SPECIAL_USER_CREATED | SPECIAL_ROLE_CREATED;
    uint32_t updated = SPECIAL_USER_UPDATED | SPECIAL_ROLE_UPDATED;
    return (field->special & (action == ACTION_CREATE ? created : updated)) != 0;
}

/* In PLATFORM scope, rows without a site may refer to any row, and any row may refer to rows
 * without a site: both need an administrator. */
bool reference_is_open(enum scope_kind scope, const struct field *field)
{
    assert(field->collection != NULL);
    const struct relation *relation = field->relation;
    if (relation == NULL || relation->kind != RELATION_TO_ONE || relation->keeps_site)
        return false;
    const struct collection *own = field->collection;
    const struct collection *target = relation->target;
    if (target->site == NULL || field == own->site)
        return false;
    if (scope != SCOPE_PLATFORM)
        return true;
    bool is_tied = own->site != NULL && !own->site->is_key && !own->is_site_optional;
    return is_tied && !target->site->is_key && !target->is_site_optional;
}

const struct reference_guard *reference_guard_make(struct compiler *c, const struct field *field,
                                                   enum action action)
{
    if (!reference_is_open(c->scope, field) || is_written_by_server(field, action))
        return NULL;
    struct reference_guard *guard = arena_new(c->arena, struct reference_guard);
    guard->field = field;
    guard->target = source_root(c, field->relation->target);
    if (c->scope != SCOPE_PLATFORM)
        guard->rows = scope_rows(c, guard->target, false);
    return guard;
}

bool reference_is_to_own(const struct ctx *ctx, const struct field *field)
{
    return reference_is_open(ctx->scope.kind, field) &&
           field->relation->target == field->collection;
}

static void put_value(struct sql *sql, const struct written_value *value)
{
    if (value->param != NULL) {
        sql_param(sql, value->param);
    } else if (value->field != NULL) {
        buf_put(sql->out, value->alias);
        buf_put_char(sql->out, '.');
        sql_name(sql, value->field->name);
    } else {
        sql_text(sql, "spark.library_site()");
    }
}

static void put_column(struct sql *sql, const struct source *source, const struct field *field)
{
    buf_printf(sql->out, "t%u.", source->id);
    sql_name(sql, field->name);
}

static void put_site_rows(struct sql *sql, const struct source *target,
                          const struct written_value *site)
{
    put_column(sql, target, target->collection->site);
    sql_text(sql, target->collection->is_shared_read ? " in (spark.library_site(), " : " in (");
    put_value(sql, site);
    buf_put_char(sql->out, ')');
}

/* The key is compared first, which determines the type of an untyped parameter. */
void reference_guard_print(struct sql *sql, const struct reference_guard *guard,
                           const struct written_value *key, const struct written_value *site)
{
    const struct source *target = guard->target;
    const struct field *target_key = guard->field->relation->target_field;
    assert(target_key != NULL);
    sql_text(sql, "coalesce((select ");
    put_column(sql, target, target_key);
    sql_text(sql, " from ");
    sql_name(sql, target->collection->name);
    buf_printf(sql->out, " t%u where ", target->id);
    put_column(sql, target, target_key);
    sql_text(sql, " = ");
    put_value(sql, key);
    sql_text(sql, " and ");
    if (guard->rows != NULL)
        sql_pred(sql, guard->rows);
    else
        put_site_rows(sql, target, site);
    sql_text(sql, "), spark.refuse_reference(");
    put_value(sql, key);
    sql_text(sql, ", ");
    sql_param(sql, param_text(sql->c, guard->field->collection->name));
    sql_text(sql, "::text, ");
    sql_param(sql, param_text(sql->c, guard->field->name));
    sql_text(sql, "::text))");
}
