/*
 * The statement of a write:
 *
 *   with w as (insert … returning *), act as (insert into directus_activity … from w …),
 *        rev as (insert into directus_revisions … from act …)
 *   select … from w t0 left join …
 *
 * One round trip, one commit; the answer is read in the same statement.
 */
#include "content/items/nested.h"
#include "content/items/write_print.h"
#include "content/plan/sql_print.h"

#include <assert.h>

static struct param *argument_param(struct compiler *c, uint32_t index)
{
    struct param *param = param_new(c, PARAM_ARGUMENT);
    param->index = index;
    return param;
}

static void put_names(struct sql *sql, const struct write_print *p)
{
    for (uint32_t i = 0; i < p->field_count; i++) {
        sql_text(sql, i == 0 ? "" : ", ");
        sql_name(sql, p->fields[i]->name);
        sql_note_type(sql, p->fields[i]);
    }
}

/* Where the value of the n-th column comes from. */
static struct written_value value_of(const struct write_print *p, uint32_t n)
{
    assert(n < p->field_count);
    if (p->is_many && p->action == ACTION_CREATE)
        return (struct written_value){NULL, STR("x"), p->fields[n]};
    return (struct written_value){p->cells[n], STR_NONE, p->fields[n]};
}

/* The site of the row after the write: supplied, unchanged, or unknown. */
static struct written_value site_of_row(struct sql *sql, const struct write_print *p)
{
    const struct field *site = p->collection->site;
    for (uint32_t i = 0; i < p->field_count; i++) {
        if (p->fields[i] == site)
            return value_of(p, i);
    }
    if (p->action == ACTION_CREATE)
        return (struct written_value){0};
    return (struct written_value){NULL, str_printf(sql->c->arena, "t%u", p->root->id), site};
}

static void put_value(struct sql *sql, const struct write_print *p, uint32_t n)
{
    struct written_value value = value_of(p, n);
    if (p->guards[n] != NULL) {
        struct written_value site = site_of_row(sql, p);
        reference_guard_print(sql, p->guards[n], &value, &site);
    } else if (value.param != NULL) {
        sql_param(sql, value.param);
    } else {
        sql_text(sql, "x.");
        sql_name(sql, value.field->name);
    }
}

static void put_values(struct sql *sql, const struct write_print *p)
{
    for (uint32_t i = 0; i < p->field_count; i++) {
        sql_text(sql, i == 0 ? "" : ", ");
        put_value(sql, p, i);
    }
}

static void put_insert(struct sql *sql, const struct write_print *p)
{
    assert(p->action == ACTION_CREATE);
    sql_text(sql, "insert into ");
    sql_name(sql, p->collection->name);
    if (p->field_count == 0) {
        sql_text(sql, " default values returning *");
        return;
    }
    sql_text(sql, " (");
    put_names(sql, p);
    if (p->is_many) {
        sql_text(sql, ") select ");
        put_values(sql, p);
        sql_text(sql, " from json_populate_recordset(null::");
        sql_name(sql, p->collection->name);
        sql_text(sql, ", ");
        write_put_cast(sql, p->arguments[ARG_DATA], "json");
        sql_text(sql, ") x");
    } else {
        sql_text(sql, ") values (");
        put_values(sql, p);
        buf_put_char(sql->out, ')');
    }
    sql_text(sql, " returning *");
}

/* Nothing to change: the rows are only found, for activity and grants. */
static void put_find(struct sql *sql, const struct write_print *p)
{
    assert(p->action == ACTION_UPDATE && p->field_count == 0 && p->where != NULL);
    buf_printf(sql->out, "select t%u.* from ", p->root->id);
    sql_name(sql, p->collection->name);
    buf_printf(sql->out, " t%u where ", p->root->id);
    sql_pred(sql, p->where);
    sql_text(sql, " for update");
}

static void put_update(struct sql *sql, const struct write_print *p)
{
    assert(p->action == ACTION_UPDATE && p->where != NULL);
    if (p->field_count == 0) {
        put_find(sql, p);
        return;
    }
    sql_text(sql, "update ");
    sql_name(sql, p->collection->name);
    buf_printf(sql->out, " t%u set ", p->root->id);
    for (uint32_t i = 0; i < p->field_count; i++) {
        sql_text(sql, i == 0 ? "" : ", ");
        sql_name(sql, p->fields[i]->name);
        sql_note_type(sql, p->fields[i]);
        sql_text(sql, " = ");
        put_value(sql, p, i);
    }
    sql_text(sql, " where ");
    sql_pred(sql, p->where);
    buf_printf(sql->out, " returning t%u.*", p->root->id);
}

static void put_delete(struct sql *sql, const struct write_print *p)
{
    assert(p->action == ACTION_DELETE && p->where != NULL);
    sql_text(sql, "delete from ");
    sql_name(sql, p->collection->name);
    buf_printf(sql->out, " t%u where ", p->root->id);
    sql_pred(sql, p->where);
    buf_printf(sql->out, " returning t%u.*", p->root->id);
}

static void print_write(struct sql *sql, const void *arg)
{
    const struct write_print *p = arg;
    static const enum items_action ACTIONS[] = {[ACTION_CREATE] = ITEMS_CREATE,
                                                [ACTION_UPDATE] = ITEMS_UPDATE,
                                                [ACTION_DELETE] = ITEMS_DELETE};
    items_put_announced(sql->out, ACTIONS[p->action], p->collection->name);
    sql_text(sql, "with w as (");
    if (p->action == ACTION_CREATE)
        put_insert(sql, p);
    else if (p->action == ACTION_UPDATE)
        put_update(sql, p);
    else
        put_delete(sql, p);
    buf_put_char(sql->out, ')');
    if (!p->waits)
        write_put_history(sql, p);
    buf_put_char(sql->out, ' ');
}

/* The rows that a change may touch: selected by key, within the scope, granted for every changed
 * field. */
static Err target_rows(struct compiler *c, struct source *root, const struct write_shape *shape,
                       struct pred **ret)
{
    assert(shape->action != ACTION_CREATE);
    struct operand key = operand_of(root, root->collection->key);
    struct pred *keys = shape->is_many ? pred_keys(c, key) : pred_key(c, key);
    struct pred *granted;
    TRY(access_rows_for(c, root, &shape->access, shape->supplied, shape->supplied_count, &granted));
    struct pred *rows = pred_and(c, scope_rows(c, root, true), keys);
    *ret = pred_and(c, pred_and(c, rows, key_of_one_site(c, root)), granted);
    assert(*ret != NULL);
    return OK;
}

/* A key of one's own choice moves the sequence, so that the next made key is free. Not for sites:
 * they share the sequence, and one could use it up for all. */
static void follow_key(struct compiler *c, struct select *select, const struct write_shape *shape)
{
    enum { EXPRESSION_MAX = 512 };
    const struct collection *collection = select->root->collection;
    const struct field *key = collection->key;
    bool is_counted = key->has_default && (key->type_oid == OID_INT2 || key->type_oid == OID_INT4 ||
                                           key->type_oid == OID_INT8);
    if (shape->action != ACTION_CREATE || c->scope == SCOPE_SITE || !is_counted)
        return;
    for (uint32_t i = 0; i < shape->field_count; i++) {
        if (shape->fields[i] != key)
            continue;
        struct buf *text = buf_in_arena(c->arena, EXPRESSION_MAX);
        struct sql sql = {.c = c, .out = text};
        sql_text(&sql, "(select spark.follow_key(");
        write_put_literal(&sql, collection->name);
        sql_text(&sql, ", ");
        write_put_literal(&sql, key->name);
        sql_text(&sql, ", max(w.");
        sql_name(&sql, key->name);
        sql_text(&sql, ")) from w)");
        buf_put_char(text, '\0');
        assert(!text->is_full); /* names have at most 63 bytes */
        column_add(c, select, (struct column){.kind = COLUMN_EXPRESSION, .expression = text->data});
    }
}

static Err make_print(struct compiler *c, struct plan *plan, const struct write_shape *shape)
{
    assert(shape->action != ACTION_READ);
    struct select *select = plan->root;
    const struct collection *collection = select->root->collection;
    struct write_print *p = arena_new(c->arena, struct write_print);
    *p = (struct write_print){
        .collection = collection,
        .root = select->root,
        .action = shape->action,
        .field_count = shape->field_count,
        .is_many = shape->is_many,
        .supplied = shape->supplied,
        .supplied_count = shape->supplied_count,
        .has_lineage = shape->has_lineage,
        .waits = write_history_waits(shape),
        .name = param_text(c, collection->name),
        .is_tracked = write_is_tracked(c->actor, collection),
        .has_site = write_tracks_sites(c->schema, collection),
    };
    p->has_revisions = p->is_tracked && collection->accountability == TRACK_ALL &&
                       shape->action != ACTION_DELETE &&
                       (shape->action == ACTION_CREATE || shape->field_count > 0);
    const struct field **fields = arena_array(c->arena, const struct field *, p->field_count + 1);
    p->cells = arena_array(c->arena, struct param *, p->field_count + 1);
    p->guards = arena_array(c->arena, const struct reference_guard *, p->field_count + 1);
    for (uint32_t i = 0; i < p->field_count; i++) {
        fields[i] = shape->fields[i];
        p->cells[i] = argument_param(c, ARG_CELLS + i);
        p->guards[i] = reference_guard_make(c, fields[i], shape->action);
    }
    p->fields = fields;
    for (uint32_t i = 0; i < ARG_CELLS; i++)
        p->arguments[i] = argument_param(c, i);
    if (shape->action != ACTION_CREATE)
        TRY(target_rows(c, select->root, shape, &p->where));
    plan->revision_column = NO_COLUMN;
    if (p->has_revisions && p->has_lineage)
        plan->revision_column =
            column_add(c, select,
                       (struct column){.kind = COLUMN_EXPRESSION,
                                       .expression = write_revision_of_row(c->arena, p)});
    follow_key(c, select, shape);
    select->prefix = print_write;
    select->prefix_arg = p;
    select->root_name = "w";
    select->statement.lane = DB_WRITE;
    return OK;
}

/* The selected fields. Fields that may not be read do not fail the write: the answer is empty. */
static Err answer_shape(struct compiler *c, struct plan *plan, const struct write_shape *shape)
{
    struct select *select = plan->root;
    struct access access;
    if (shape->query == NULL || !access_find(c, plan->collection, ACTION_READ, &access) ||
        !access_field(&access, plan->collection->key))
        return ERR_FORBIDDEN;
    Err err = shape_compile(c, select, select->root, &access, shape->query, (struct place){0},
                            &select->shape);
    if (err != OK)
        return err;
    struct pred *granted;
    TRY(access_rows(c, select->root, &access, &granted));
    granted = pred_and(c, granted, select->shape->seen);
    if (granted != NULL) {
        uint32_t *readable = arena_new(c->arena, uint32_t);
        *readable = column_add(c, select, (struct column){.kind = COLUMN_PRED, .mask = granted});
        plan->readable = readable;
        plan->readable_count = 1;
    }
    if (shape->is_many)
        TRY(order_compile(c, select, &access, &(struct query){0}, NULL, (struct place){0}));
    return OK;
}

static void keys_only(struct compiler *c, struct plan *plan)
{
    assert(plan->collection != NULL);
    plan->is_unreadable = true;
    plan->root = select_new(c, source_root(c, plan->collection));
    plan->root->shape = arena_new(c->arena, struct shape);
    plan->root->shape->is_key_only = true;
}

static Err raw_column(struct compiler *c, struct select *select, const struct field *field,
                      uint32_t *ret)
{
    return column_add_field(c, select, NULL, operand_of(select->root, field), ret);
}

static Err extend_plan(struct compiler *c, struct plan *plan, const void *arg)
{
    const struct write_shape *shape = arg;
    Err err = answer_shape(c, plan, shape);
    if (err != OK && err != ERR_FORBIDDEN)
        return err;
    if (err != OK) {
        diag_clear(c->ctx);
        keys_only(c, plan);
    }
    struct select *select = plan->root;
    TRY(raw_column(c, select, plan->collection->key, &plan->key_column));
    plan->site_column = NO_COLUMN;
    if (plan->collection->site != NULL)
        TRY(raw_column(c, select, plan->collection->site, &plan->site_column));
    if (plan->is_unreadable)
        select->shape->key = plan->key_column;
    return make_print(c, plan, shape);
}

/* The columns by ordinal, supplied ones marked, and whether there is one row or many. */
static Str shape_detail(struct arena *arena, const struct write_shape *shape)
{
    size_t len = 2 + (size_t)shape->field_count * 2;
    char *detail = arena_alloc_raw(arena, len);
    uint32_t next_supplied = 0;
    detail[0] = shape->is_many ? 'm' : 'o';
    detail[1] = (char)((shape->query == NULL ? 'k' : 'r') + (shape->has_lineage ? 1 : 0));
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct field *field = shape->fields[i];
        bool is_supplied =
            next_supplied < shape->supplied_count && shape->supplied[next_supplied] == field;
        next_supplied += is_supplied;
        detail[2 + i * 2] = (char)((field->ordinal >> 8) | (is_supplied ? 0x40 : 0));
        detail[3 + i * 2] = (char)(field->ordinal & 0xFF);
    }
    return str_of(detail, len);
}

Err write_plan(struct writer *w, const struct collection *collection,
               const struct write_shape *shape, const struct plan **ret)
{
    assert(shape->action != ACTION_READ);
    static const enum plan_op OPS[] = {[ACTION_CREATE] = PLAN_CREATE,
                                       [ACTION_READ] = PLAN_LIST,
                                       [ACTION_UPDATE] = PLAN_UPDATE,
                                       [ACTION_DELETE] = PLAN_DELETE};
    static const struct query NOTHING = {0};
    struct plan_request request = {
        .op = OPS[shape->action],
        .collection = collection,
        .query = shape->query == NULL ? &NOTHING : shape->query,
        .detail = shape_detail(w->ctx->arena, shape),
        .extend = extend_plan,
        .extend_arg = shape,
    };
    return plan_get(w->ctx, w->schema, &request, ret);
}
