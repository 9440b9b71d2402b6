/*
 * Readers of one value, by column type: from PostgreSQL's binary format to a struct row_value. A
 * type without a cheap binary form is cast to text in the statement (ret_as_text).
 */
#include "base/json/json.h"
#include "base/system/clock.h"
#include "base/system/ctx.h"
#include "base/text/ascii.h"
#include "content/plan/compile.h"
#include "content/schema/schema.h"
#include "content/schema/sealed.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void read_text(const struct rows *rows, uint32_t row, uint32_t column, struct row_value *ret)
{
    ret->text = row_text(rows, row, column);
    ret->kind = ret->text.data == NULL ? ROW_NULL : ROW_TEXT;
}

/* A number that the statement has cast to text. */
static void read_number(const struct rows *rows, uint32_t row, uint32_t column,
                        struct row_value *ret)
{
    Str text = row_text(rows, row, column);
    bool is_number = text.len > 0 && (text.data[0] == '-' || ascii_is_digit(text.data[0]));
    ret->text = text;
    ret->kind = is_number ? ROW_NUMBER : ROW_NULL; /* NaN, Infinity */
}

static void read_integer(const struct rows *rows, uint32_t row, uint32_t column,
                         struct row_value *ret)
{
    ret->kind = row_is_null(rows, row, column) ? ROW_NULL : ROW_INT;
    ret->integer = row_int(rows, row, column);
}

static void read_big_integer(const struct rows *rows, uint32_t row, uint32_t column,
                             struct row_value *ret)
{
    ret->kind = row_is_null(rows, row, column) ? ROW_NULL : ROW_BIG_INT;
    ret->integer = row_int(rows, row, column);
}

static void read_boolean(const struct rows *rows, uint32_t row, uint32_t column,
                         struct row_value *ret)
{
    ret->kind = row_is_null(rows, row, column) ? ROW_NULL : ROW_BOOL;
    ret->boolean = row_bool(rows, row, column);
}

static void read_integer_boolean(const struct rows *rows, uint32_t row, uint32_t column,
                                 struct row_value *ret)
{
    ret->kind = row_is_null(rows, row, column) ? ROW_NULL : ROW_BOOL;
    ret->boolean = row_int(rows, row, column) != 0;
}

static void read_uuid(const struct rows *rows, uint32_t row, uint32_t column, struct row_value *ret)
{
    ret->kind = row_is_null(rows, row, column) ? ROW_NULL : ROW_UUID;
    ret->uuid = row_uuid(rows, row, column);
}

/* The site of a library row is null on the wire. */
static void read_site(const struct rows *rows, uint32_t row, uint32_t column, struct row_value *ret)
{
    read_uuid(rows, row, column, ret);
    if (ret->kind == ROW_UUID && uuid_eq(ret->uuid, UUID_LIBRARY_SITE))
        ret->kind = ROW_NULL;
}

/* Years 1 to 9999. Infinity and years that JavaScript dates cannot represent become null. */
static bool is_writable_time(int64_t wall_us)
{
    return wall_us >= INT64_C(-62135596800) * SECOND_US &&
           wall_us < INT64_C(253402300800) * SECOND_US;
}

static void read_wall_time(const struct rows *rows, uint32_t row, uint32_t column,
                           enum row_value_kind kind, struct row_value *ret)
{
    assert(kind == ROW_DATE || kind == ROW_DATE_TIME || kind == ROW_TIMESTAMP);
    bool is_null = row_is_null(rows, row, column);
    ret->time_us = row_time(rows, row, column);
    ret->kind = !is_null && is_writable_time(ret->time_us) ? kind : ROW_NULL;
}

static void read_timestamp(const struct rows *rows, uint32_t row, uint32_t column,
                           struct row_value *ret)
{
    read_wall_time(rows, row, column, ROW_TIMESTAMP, ret);
}

static void read_date_time(const struct rows *rows, uint32_t row, uint32_t column,
                           struct row_value *ret)
{
    read_wall_time(rows, row, column, ROW_DATE_TIME, ret);
}

static void read_date(const struct rows *rows, uint32_t row, uint32_t column, struct row_value *ret)
{
    read_wall_time(rows, row, column, ROW_DATE, ret);
}

/* time is sent as the microseconds of the day. */
static void read_time(const struct rows *rows, uint32_t row, uint32_t column, struct row_value *ret)
{
    ret->kind = row_is_null(rows, row, column) ? ROW_NULL : ROW_TIME;
    ret->time_us = row_int(rows, row, column);
}

static void read_double(const struct rows *rows, uint32_t row, uint32_t column,
                        struct row_value *ret)
{
    ret->kind = row_is_null(rows, row, column) ? ROW_NULL : ROW_REAL;
    ret->real = row_real(rows, row, column);
    if (!__builtin_isfinite(ret->real))
        ret->kind = ROW_NULL;
}

/* The shortest digits that read back as the same float4: 1.1, not 1.10000002. */
static void read_float(const struct rows *rows, uint32_t row, uint32_t column,
                       struct row_value *ret)
{
    read_double(rows, row, column, ret);
    if (ret->kind == ROW_NULL)
        return;
    assert(ret->kind == ROW_REAL);
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, ret->real);
        if (strtof(text, NULL) == (float)ret->real)
            break;
    }
    ret->real = strtod(text, NULL);
}

static void read_json(const struct rows *rows, uint32_t row, uint32_t column, struct row_value *ret)
{
    ret->text = row_json(rows, row, column);
    ret->kind = ret->text.data == NULL ? ROW_NULL : ROW_JSON;
}

/* JSON in a text column: parsed if it is valid JSON, else returned as text. */
static void read_json_text(const struct rows *rows, uint32_t row, uint32_t column,
                           struct row_value *ret)
{
    read_text(rows, row, column, ret);
    if (ret->kind == ROW_NULL)
        return;
    struct ctx scratch = {.arena = arena_create()};
    const struct json *parsed;
    if (json_parse(&scratch, ret->text, JSON_LIMITS_DEFAULT, &parsed) == OK)
        ret->kind = ROW_JSON;
    arena_destroy(scratch.arena);
}

static void read_csv(const struct rows *rows, uint32_t row, uint32_t column, struct row_value *ret)
{
    ret->text = row_text(rows, row, column);
    ret->kind = ret->text.data == NULL ? ROW_NULL : ROW_CSV;
}

static void read_concealed(const struct rows *rows, uint32_t row, uint32_t column,
                           struct row_value *ret)
{
    uint32_t len;
    (void)row_bytes(rows, row, column, &len);
    ret->kind = len == 0 ? ROW_NULL : ROW_TEXT;
    ret->text = STR(FIELD_MASK);
}

/* As in Directus, an empty text is shown as one. */
static void read_sealed(const struct rows *rows, uint32_t row, uint32_t column,
                        struct row_value *ret)
{
    uint32_t len;
    (void)row_bytes(rows, row, column, &len);
    ret->kind = row_is_null(rows, row, column) ? ROW_NULL : ROW_TEXT;
    ret->text = len == 0 ? STR("") : STR(FIELD_MASK);
}

static RowReader *reader_of_type(const struct field *field, bool *as_text)
{
    assert(!*as_text && field->collection != NULL);
    switch (field->type_oid) {
    case OID_BOOL:
        return read_boolean;
    case OID_INT2:
    case OID_INT4:
        return (field->special & SPECIAL_CAST_BOOLEAN) != 0 ? read_integer_boolean : read_integer;
    case OID_INT8:
        return read_big_integer;
    case OID_FLOAT4:
        return read_float;
    case OID_FLOAT8:
        return read_double;
    case OID_DATE:
        return read_date;
    case OID_TIME:
        return read_time;
    case OID_TIMESTAMP:
        return field->type == FIELD_TIMESTAMP ? read_timestamp : read_date_time;
    case OID_TIMESTAMPTZ:
        return read_timestamp;
    case OID_JSON:
    case OID_JSONB:
        return read_json;
    case OID_UUID:
        return field->collection->site == field && !field->is_key ? read_site : read_uuid;
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_BPCHAR:
    case OID_NAME:
        return field->type == FIELD_JSON ? read_json_text : read_text;
    default:
        *as_text = true;
        return read_text;
    }
}

RowReader *reader_of(const struct operand *operand, bool *ret_as_text)
{
    *ret_as_text = false;
    const struct field *field = operand->field;
    assert(field != NULL);
    if (operand->function == FUNCTION_JSON) {
        return read_json;
    } else if (operand->function == FUNCTION_COUNT && operand->counted == NULL) {
        return read_integer;
    } else if (operand->function != FUNCTION_NONE) {
        *ret_as_text = true; /* "2023", "16.000000": strings, as Directus has them */
        return read_text;
    }
    if ((field->special & SPECIAL_CONCEAL) != 0) {
        *ret_as_text = true;
        return read_concealed;
    }
    if ((field->special & SPECIAL_ENCRYPT) != 0) {
        *ret_as_text = true;
        return read_sealed;
    }
    if (field->type == FIELD_CSV) {
        *ret_as_text = field->type_oid != OID_TEXT && field->type_oid != OID_VARCHAR;
        return read_csv;
    }
    return reader_of_type(field, ret_as_text);
}

/* Aggregates: counts are strings, sums and averages too unless they are floats. */
RowReader *reader_of_aggregate(const struct column *column, bool *ret_as_text)
{
    assert(column->kind == COLUMN_AGGREGATE && column->aggregate != NULL);
    *ret_as_text = true;
    if (column->operand.field == NULL)
        return read_text;
    if (strcmp(column->aggregate, "count") == 0) /* Directus parses what it reads of a JSON field */
        return column->operand.field->type == FIELD_JSON ? read_number : read_text;
    if (strcmp(column->aggregate, "min") == 0 || strcmp(column->aggregate, "max") == 0)
        return reader_of(&column->operand, ret_as_text);
    return column->operand.field->type == FIELD_FLOAT ? read_number : read_text;
}
