/*
 * Printing names, parameters and operands.
 */
#include "base/memory/array.h"
#include "content/plan/sql_print.h"
#include "content/schema/schema.h"

#include <assert.h>

void sql_text(struct sql *sql, const char *text)
{
    buf_put_z(sql->out, text);
}

void sql_name(struct sql *sql, Str identifier)
{
    assert(identifier.len > 0);
    buf_put_char(sql->out, '"');
    for (size_t i = 0; i < identifier.len; i++) {
        if (identifier.data[i] == '"')
            buf_put_char(sql->out, '"');
        buf_put_char(sql->out, identifier.data[i]);
    }
    buf_put_char(sql->out, '"');
}

static uint32_t number_of(struct sql *sql, struct param *param)
{
    assert(param != NULL);
    struct select *select = sql->select;
    for (uint32_t i = 0; i < select->param_count; i++) {
        if (select->params[i] == param)
            return i + 1;
    }
    if (select->param_count == select->param_room) {
        uint32_t room = select->param_room == 0 ? 8 : select->param_room * 2;
        struct param **grown = arena_array(sql->c->arena, struct param *, room);
        if (select->param_count > 0)
            memcpy(grown, select->params, select->param_count * sizeof grown[0]);
        select->params = grown;
        select->param_room = room;
    }
    select->params[select->param_count++] = param;
    return select->param_count;
}

void sql_param(struct sql *sql, struct param *param)
{
    buf_put_char(sql->out, '$');
    buf_put_i64(sql->out, number_of(sql, param));
}

const char *sql_type_name(uint32_t oid)
{
    switch (oid) {
    case OID_INT2:
        return "int2";
    case OID_INT4:
        return "int4";
    case OID_INT8:
        return "int8";
    case OID_UUID:
        return "uuid";
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_BPCHAR:
    case OID_NAME:
        return "text";
    default:
        return NULL;
    }
}

const char *sql_key_type(const struct field *key)
{
    assert(key != NULL);
    bool is_padded = key->type_oid == OID_BPCHAR || key->type_oid == OID_NAME;
    return is_padded ? NULL : sql_type_name(key->type_oid);
}

static void put_column(struct sql *sql, const struct source *source, Str name)
{
    assert(source != NULL);
    buf_put_char(sql->out, 't');
    buf_put_i64(sql->out, source->id);
    buf_put_char(sql->out, '.');
    sql_name(sql, name);
}

static void put_part(struct sql *sql, const char *part, const struct source *source,
                     const struct field *field)
{
    assert(part != NULL && field != NULL);
    buf_printf(sql->out, "extract(%s from ", part);
    put_column(sql, source, field->name);
    if (field->type_oid == OID_TIMESTAMPTZ)
        sql_text(sql, " at time zone 'UTC'");
    buf_put_char(sql->out, ')');
}

static void put_json_count(struct sql *sql, const struct operand *operand)
{
    assert(operand->field->type == FIELD_JSON);
    sql_text(sql, "case when jsonb_typeof(");
    put_column(sql, operand->source, operand->field->name);
    sql_text(sql, "::jsonb) = 'array' then jsonb_array_length(");
    put_column(sql, operand->source, operand->field->name);
    sql_text(sql, "::jsonb) end");
}

static void put_json_path(struct sql *sql, const struct operand *operand)
{
    assert(operand->function == FUNCTION_JSON);
    bool is_json = operand->field->type_oid == OID_JSON || operand->field->type_oid == OID_JSONB;
    buf_put_char(sql->out, '(');
    put_column(sql, operand->source, operand->field->name);
    sql_text(sql, is_json ? " #> " : "::json #> "); /* json keeps the order of its members */
    sql_param(sql, param_text(sql->c, operand->argument));
    sql_text(sql, "::text[])");
}

void sql_note_type(struct sql *sql, const struct field *field)
{
    enum { FACTOR = 31 };
    if (sql->select != NULL)
        sql->select->statement.types = sql->select->statement.types * FACTOR + field->type_oid;
}

/* A column of the operand's source, or a function of it. */
static void put_expression(struct sql *sql, const struct operand *operand)
{
    static const char *const PARTS[] = {
        [FUNCTION_YEAR] = "year",     [FUNCTION_MONTH] = "month",   [FUNCTION_WEEK] = "week",
        [FUNCTION_DAY] = "day",       [FUNCTION_WEEKDAY] = "dow",   [FUNCTION_HOUR] = "hour",
        [FUNCTION_MINUTE] = "minute", [FUNCTION_SECOND] = "second",
    };
    sql_note_type(sql, operand->field);
    switch (operand->function) {
    case FUNCTION_NONE:
        put_column(sql, operand->source, operand->field->name);
        break;
    case FUNCTION_COUNT:
        put_json_count(sql, operand);
        break;
    case FUNCTION_JSON:
        put_json_path(sql, operand);
        break;
    default:
        assert((size_t)operand->function < COUNT_OF(PARTS));
        put_part(sql, PARTS[operand->function], operand->source, operand->field);
    }
}

static void put_link_side(struct sql *sql, const struct operand *side, uint32_t other_oid)
{
    assert(side->field != NULL);
    sql_operand(sql, side);
    const char *type = sql_type_name(other_oid);
    bool is_textual = other_oid == OID_TEXT && side->field->type_oid == OID_VARCHAR;
    if (side->field->type_oid != other_oid && !is_textual && type != NULL)
        buf_printf(sql->out, "::%s", type);
}

/* from "table" tN where key = parent's key and on */
static void put_from_child(struct sql *sql, const struct source *source)
{
    assert(source->via != NULL && source->parent != NULL);
    const struct relation *via = source->via;
    bool is_many = via->kind == RELATION_TO_MANY;
    const struct field *own = via->target_field;
    struct operand parent =
        operand_of(source->parent, is_many ? source->parent->collection->key : via->field);
    bool is_any = via->collection_field != NULL;
    sql_text(sql, " from ");
    sql_name(sql, source->collection->name);
    buf_printf(sql->out, " t%u", source->id);
    struct sql_open inside = {sql->open, source};
    sql->open = &inside;
    sql_joins(sql, source);
    sql->open = inside.outer;
    sql_text(sql, " where ");
    put_column(sql, source, own->name);
    sql_text(sql, is_any ? "::text = " : " = ");
    put_link_side(sql, &parent, is_any ? OID_TEXT : own->type_oid);
    if (source->on == NULL)
        return;
    sql->open = &inside;
    sql_text(sql, " and ");
    sql_pred(sql, source->on);
    sql->open = inside.outer;
}

static bool is_open(const struct sql *sql, const struct source *source)
{
    for (const struct sql_open *open = sql->open; open != NULL; open = open->outer) {
        if (open->source == source)
            return true;
    }
    return false;
}

static void put_value(struct sql *sql, const struct operand *operand)
{
    if (operand->counted == NULL) {
        put_expression(sql, operand);
        return;
    }
    sql_text(sql, "(select count(*)");
    put_from_child(sql, operand->counted);
    buf_put_char(sql->out, ')');
}

/* (select … from the rows that `source` is the first or only one of) */
static void put_scalar(struct sql *sql, const struct operand *operand, const struct source *source)
{
    assert(source->via != NULL);
    struct sql_open inside = {sql->open, source};
    sql->open = &inside;
    sql_text(sql, "(select ");
    put_value(sql, operand);
    sql->open = inside.outer;
    put_from_child(sql, source);
    if (source->via->kind == RELATION_TO_MANY) {
        sql->open = &inside;
        sql_text(sql, " order by ");
        put_value(sql, operand);
        sql->open = inside.outer;
        sql_text(sql, source->is_last ? " desc limit 1" : " limit 1");
    }
    buf_put_char(sql->out, ')');
}

void sql_operand(struct sql *sql, const struct operand *operand)
{
    assert(operand->source != NULL && operand->field != NULL);
    const struct source *first = source_first(operand->source);
    const struct source *scalar = operand->source->kind == SOURCE_SCALAR ? operand->source : first;
    if (scalar != NULL && !is_open(sql, scalar))
        put_scalar(sql, operand, scalar);
    else
        put_value(sql, operand);
}
