#include "content/plan/sql_print.h"

#include "content/schema/schema.h"

#include <assert.h>

static void put_masked(struct sql *sql, const struct column *column)
{
    if (column->mask != NULL && column->kind != COLUMN_PRED) {
        sql_text(sql, "case when ");
        sql_pred(sql, column->mask);
        sql_text(sql, " then ");
    }
    sql_operand(sql, &column->operand);
    if (column->mask != NULL)
        sql_text(sql, " end");
}

static void put_aggregate(struct sql *sql, const struct column *column)
{
    assert(column->aggregate != NULL);
    sql_text(sql, column->aggregate);
    buf_put_char(sql->out, '(');
    if (column->operand.field == NULL) {
        buf_put_char(sql->out, '*');
    } else {
        if (column->is_distinct)
            sql_text(sql, "distinct ");
        put_masked(sql, column);
    }
    buf_put_char(sql->out, ')');
}

static void put_bare_column(struct sql *sql, const struct column *column)
{
    if (column->kind == COLUMN_PRED)
        sql_pred(sql, column->mask);
    else if (column->kind == COLUMN_AGGREGATE)
        put_aggregate(sql, column);
    else if (column->kind == COLUMN_EXPRESSION)
        sql_text(sql, column->expression);
    else
        put_masked(sql, column);
}

static void put_column(struct sql *sql, const struct column *column)
{
    if (!column->as_text) {
        put_bare_column(sql, column);
        return;
    }
    bool is_binary = column->operand.field != NULL && column->operand.function == FUNCTION_NONE &&
                     column->operand.field->type_oid == OID_BYTEA;
    sql_text(sql, is_binary ? "encode((" : "(");
    put_bare_column(sql, column);
    sql_text(sql, is_binary ? "), 'base64')" : ")::text");
}

static void put_columns(struct sql *sql, const struct select *select)
{
    if (select->column_count == 0)
        sql_text(sql, "1");
    for (uint32_t i = 0; i < select->column_count; i++) {
        if (i > 0)
            sql_text(sql, ", ");
        put_column(sql, &select->columns[i]);
    }
}

/* In a subquery, for the select around it; which adds the place of the parent itself. */
static void put_inner_columns(struct sql *sql, const struct select *select)
{
    const char *comma = "";
    for (uint32_t i = 0; i < select->column_count; i++) {
        if (select->columns[i].kind == COLUMN_PLACE)
            continue;
        sql_text(sql, comma);
        put_column(sql, &select->columns[i]);
        buf_printf(sql->out, " as c%u", i);
        comma = ", ";
    }
}

static void put_where(struct sql *sql, const struct select *select)
{
    if (select->where == NULL)
        return;
    sql_text(sql, " where ");
    sql_pred(sql, select->where);
}

static void put_order(struct sql *sql, const struct select *select)
{
    for (uint32_t i = 0; i < select->order_count; i++) {
        const struct order *order = &select->orders[i];
        sql_text(sql, i == 0 ? " order by " : ", ");
        put_bare_column(sql, order->column);
        if (order->descending)
            sql_text(sql, " desc");
    }
}

static void put_groups(struct sql *sql, const struct select *select)
{
    for (uint32_t i = 0; i < select->group_count; i++) {
        sql_text(sql, i == 0 ? " group by " : ", ");
        put_bare_column(sql, &select->columns[i]);
    }
}

static void put_number(struct sql *sql, int64_t value)
{
    Str text = str_printf(sql->c->arena, "%jd", (intmax_t)value);
    sql_param(sql, param_text(sql->c, text));
    sql_text(sql, "::int8");
}

static void put_limit(struct sql *sql, const struct select *select)
{
    assert(select->offset >= 0);
    /* Printed as text, not as a parameter: for an unknown limit PostgreSQL assumes a tenth of all
     * rows, overestimates the cost of the generic plan and replans every execution. */
    if (select->limit >= 0)
        buf_printf(sql->out, " limit %jd", (intmax_t)select->limit);
    if (select->offset > 0) {
        sql_text(sql, " offset ");
        put_number(sql, select->offset);
    }
}

static void put_outer_columns(struct sql *sql, const struct select *select)
{
    for (uint32_t i = 0; i < select->column_count; i++) {
        if (i > 0)
            sql_text(sql, ", ");
        if (select->columns[i].kind == COLUMN_PLACE)
            sql_text(sql, "parent.place");
        else
            buf_printf(sql->out, "c%u", i);
    }
}

/* The first rows of every parent, read from an index parent by parent. The order of the parents is
 * that of the scan, so nothing is sorted and the order of each parent's rows stays. */
static void put_per_parent(struct sql *sql, struct select *select)
{
    assert(select->keys->kind == PRED_OF_PARENT && select->limit >= 0);
    sql_text(sql, "select ");
    put_outer_columns(sql, select);
    sql_text(sql, " from unnest(");
    sql_keys(sql, select->keys, sql_key_type(select->keys->operand.field));
    sql_text(sql, ") with ordinality parent (key, place), lateral (select ");
    put_inner_columns(sql, select);
    sql_from(sql, select->root, select->root_name);
    put_where(sql, select);
    put_order(sql, select);
    put_limit(sql, select);
    buf_printf(sql->out, ") x order by parent.place limit %d", BRANCH_ROWS_MAX + 1);
}

/* The first rows of every parent: numbered per parent in a subquery, limited outside. */
static void put_partitioned(struct sql *sql, struct select *select)
{
    assert(select->partition >= select->columns &&
           select->partition < select->columns + select->column_count);
    sql_text(sql, "select ");
    put_outer_columns(sql, select);
    sql_text(sql, " from (select ");
    put_inner_columns(sql, select);
    sql_text(sql, ", row_number() over (partition by ");
    put_bare_column(sql, select->partition);
    if (select->partition_site != NULL) {
        sql_text(sql, ", ");
        put_bare_column(sql, select->partition_site);
    }
    put_order(sql, select);
    sql_text(sql, ") as place");
    sql_from(sql, select->root, select->root_name);
    put_where(sql, select);
    put_groups(sql, select);
    sql_text(sql, ") x where place > ");
    put_number(sql, select->offset);
    sql_text(sql, " and place <= ");
    put_number(sql, select->offset + select->limit);
    uint32_t key = (uint32_t)(select->partition - select->columns);
    buf_printf(sql->out, " order by c%u", key);
    if (select->partition_site != NULL)
        buf_printf(sql->out, ", c%u", (uint32_t)(select->partition_site - select->columns));
    buf_printf(sql->out, ", place limit %d", BRANCH_ROWS_MAX + 1);
}

void sql_select(struct sql *sql, struct select *select)
{
    assert(select->root != NULL);
    if (select->is_per_parent) {
        put_per_parent(sql, select);
        return;
    }
    if (select->partition != NULL) {
        put_partitioned(sql, select);
        return;
    }
    sql_text(sql, "select ");
    if (select->is_counted)
        sql_text(sql, "count(*)");
    else
        put_columns(sql, select);
    sql_from(sql, select->root, select->root_name);
    put_where(sql, select);
    put_groups(sql, select);
    put_order(sql, select);
    put_limit(sql, select);
}

static uint32_t expected_type(const struct column *column)
{
    const struct field *field = column->operand.field;
    bool is_value = column->kind == COLUMN_OPERAND || column->kind == COLUMN_AGGREGATE;
    bool is_plain = is_value && !column->as_text && field != NULL;
    return is_plain && column->operand.function == FUNCTION_NONE ? field->type_oid : 0;
}

Err select_print(struct compiler *c, struct select *select)
{
    assert(select->statement.sql == NULL);
    for (uint32_t i = 0; i < select->column_count; i++)
        select->columns[i].type_oid = expected_type(&select->columns[i]);
    struct buf *out = buf_in_arena(c->arena, PLAN_SQL_MAX);
    struct sql sql = {.c = c, .select = select, .out = out};
    if (select->prefix != NULL)
        select->prefix(&sql, select->prefix_arg);
    sql_select(&sql, select);
    buf_put_char(out, '\0');
    if (out->is_full)
        return fail(c->ctx, ERR_INVALID_QUERY, "The query is too large");
    select->statement.sql = out->data;
    select->statement.is_of_schema = true;
    for (struct branch *branch = select->first_branch; branch != NULL; branch = branch->next)
        TRY(select_print(c, branch->select));
    return OK;
}
