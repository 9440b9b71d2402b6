/*
 * Writers of one value, by column type: from PostgreSQL's binary format to JSON. What has no cheap
 * binary form is cast to text in the statement (ret_as_text).
 */
#include "base/json/json.h"
#include "base/json/json_writer.h"
#include "base/system/clock.h"
#include "base/system/ctx.h"
#include "base/text/ascii.h"
#include "content/plan/compile.h"
#include "content/schema/schema.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void put_null(struct buf *out)
{
    buf_put(out, STR("null"));
}

static void put_quoted(struct buf *out, Str text)
{
    buf_put_char(out, '"');
    json_escape(out, text);
    buf_put_char(out, '"');
}

static void write_text(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    if (row_is_null(rows, row, column))
        put_null(out);
    else
        put_quoted(out, row_text(rows, row, column));
}

/* A number that the statement has cast to text. */
static void write_bare_text(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    Str text = row_text(rows, row, column);
    bool is_number = text.len > 0 && (text.data[0] == '-' || ascii_is_digit(text.data[0]));
    if (!is_number)
        put_null(out); /* NaN, Infinity */
    else
        buf_put(out, text);
}

static void write_integer(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    if (row_is_null(rows, row, column))
        put_null(out);
    else
        buf_put_i64(out, row_int(rows, row, column));
}

/* bigint: a string, since JSON numbers of most readers end at 2^53. */
static void write_integer_text(struct buf *out, const struct rows *rows, uint32_t row,
                               uint32_t column)
{
    if (row_is_null(rows, row, column)) {
        put_null(out);
        return;
    }
    buf_put_char(out, '"');
    buf_put_i64(out, row_int(rows, row, column));
    buf_put_char(out, '"');
}

static void write_boolean(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    if (row_is_null(rows, row, column))
        put_null(out);
    else
        buf_put(out, row_bool(rows, row, column) ? STR("true") : STR("false"));
}

static void write_integer_boolean(struct buf *out, const struct rows *rows, uint32_t row,
                                  uint32_t column)
{
    if (row_is_null(rows, row, column))
        put_null(out);
    else
        buf_put(out, row_int(rows, row, column) != 0 ? STR("true") : STR("false"));
}

static void write_uuid(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    if (row_is_null(rows, row, column)) {
        put_null(out);
        return;
    }
    char *to = buf_reserve(out, UUID_TEXT_LEN + 2);
    if (to == NULL)
        return;
    to[0] = '"';
    uuid_write(row_uuid(rows, row, column), to + 1);
    to[UUID_TEXT_LEN + 1] = '"';
    buf_advance(out, UUID_TEXT_LEN + 2);
}

/* The library belongs to nobody: null on the wire. */
static void write_site(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    if (uuid_eq(row_uuid(rows, row, column), UUID_LIBRARY_SITE))
        put_null(out);
    else
        write_uuid(out, rows, row, column);
}

/* Years 1 to 9999; infinity and what JavaScript's dates cannot say either is null. */
static bool is_writable_time(int64_t wall_us)
{
    return wall_us >= INT64_C(-62135596800) * SECOND_US &&
           wall_us < INT64_C(253402300800) * SECOND_US;
}

static void write_time_slice(struct buf *out, const struct rows *rows, uint32_t row,
                             uint32_t column, size_t len)
{
    int64_t wall_us = row_is_null(rows, row, column) ? INT64_MAX : row_time(rows, row, column);
    if (!is_writable_time(wall_us)) {
        put_null(out);
        return;
    }
    char *to = buf_reserve(out, CLOCK_ISO_LEN + 2);
    if (to == NULL)
        return;
    to[0] = '"';
    clock_write_iso(wall_us, to + 1);
    to[len + 1] = '"';
    buf_advance(out, len + 2);
}

static void write_timestamp(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    write_time_slice(out, rows, row, column, CLOCK_ISO_LEN);
}

/* Without zone and milliseconds. */
static void write_date_time(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    write_time_slice(out, rows, row, column, sizeof "2024-02-29T10:20:30" - 1);
}

static int64_t big_endian(const char *bytes, uint32_t len)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < len; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return len == 4 ? (int64_t)(int32_t)(uint32_t)value : (int64_t)value;
}

static void write_date(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    uint32_t len;
    const char *bytes = row_is_null(rows, row, column) ? NULL : row_bytes(rows, row, column, &len);
    int64_t days = bytes == NULL ? INT32_MAX : big_endian(bytes, len);
    int64_t wall_us = days == INT32_MAX || days == INT32_MIN
                          ? INT64_MAX
                          : (days + 10957) * 86400 * SECOND_US; /* days from 1970 to 2000 */
    if (!is_writable_time(wall_us)) {
        put_null(out);
        return;
    }
    char iso[CLOCK_ISO_LEN];
    clock_write_iso(wall_us, iso);
    put_quoted(out, str_of(iso, 10));
}

static void write_time(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    if (row_is_null(rows, row, column)) {
        put_null(out);
        return;
    }
    uint32_t len;
    const char *bytes = row_bytes(rows, row, column, &len);
    int64_t seconds = big_endian(bytes, len) / SECOND_US;
    buf_printf(out, "\"%02d:%02d:%02d\"", (int)(seconds / 3600), (int)(seconds / 60 % 60),
               (int)(seconds % 60));
}

static void write_double(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    struct json_writer w = json_writer(out);
    if (row_is_null(rows, row, column))
        put_null(out);
    else
        json_put_real(&w, row_real(rows, row, column));
}

/* The shortest digits that read back as the same float4: 1.1, not 1.10000002. */
static void write_float(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    double value = row_is_null(rows, row, column) ? 0 : row_real(rows, row, column);
    if (row_is_null(rows, row, column) || !__builtin_isfinite(value)) {
        put_null(out);
        return;
    }
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtof(text, NULL) == (float)value)
            break;
    }
    struct json_writer w = json_writer(out);
    json_put_real(&w, strtod(text, NULL));
}

/* json keeps the blanks of its author; the wire does not need them. */
static void put_compact(struct buf *out, Str json)
{
    size_t start = 0;
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        char ch = json.data[i];
        if (in_string && ch == '\\') {
            i++;
        } else if (ch == '"') {
            in_string = !in_string;
        } else if (!in_string && (ch == ' ' || ch == '\n' || ch == '\t' || ch == '\r')) {
            buf_put(out, str_slice(json, start, i));
            start = i + 1;
        }
    }
    buf_put(out, str_slice(json, start, json.len));
}

static void write_json(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    if (row_is_null(rows, row, column))
        put_null(out);
    else
        put_compact(out, row_json(rows, row, column));
}

/* JSON kept in a text column: written as it is if it is JSON, else as the text it is. */
static void write_json_text(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    if (row_is_null(rows, row, column)) {
        put_null(out);
        return;
    }
    Str text = row_text(rows, row, column);
    struct ctx scratch = {.arena = arena_create()};
    const struct json *parsed;
    Err err = json_parse(&scratch, text, JSON_LIMITS_DEFAULT, &parsed);
    if (err == OK)
        put_compact(out, text);
    else
        put_quoted(out, text);
    arena_destroy(scratch.arena);
}

static void write_csv(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    if (row_is_null(rows, row, column)) {
        put_null(out);
        return;
    }
    Str rest = row_text(rows, row, column);
    buf_put_char(out, '[');
    Str part;
    for (bool is_first = true; str_next(&rest, ',', &part); is_first = false) {
        if (!is_first)
            buf_put_char(out, ',');
        put_quoted(out, part);
    }
    buf_put_char(out, ']');
}

static void write_concealed(struct buf *out, const struct rows *rows, uint32_t row, uint32_t column)
{
    uint32_t len = 0;
    if (!row_is_null(rows, row, column))
        (void)row_bytes(rows, row, column, &len);
    buf_put(out, len == 0 ? STR("null") : STR("\"**********\""));
}

static RowWriter *writer_of_type(const struct field *field, bool *as_text)
{
    switch (field->type_oid) {
    case OID_BOOL:
        return write_boolean;
    case OID_INT2:
    case OID_INT4:
        return (field->special & SPECIAL_CAST_BOOLEAN) != 0 ? write_integer_boolean : write_integer;
    case OID_INT8:
        return write_integer_text;
    case OID_FLOAT4:
        return write_float;
    case OID_FLOAT8:
        return write_double;
    case OID_DATE:
        return write_date;
    case OID_TIME:
        return write_time;
    case OID_TIMESTAMP:
        return field->type == FIELD_TIMESTAMP ? write_timestamp : write_date_time;
    case OID_TIMESTAMPTZ:
        return write_timestamp;
    case OID_JSON:
    case OID_JSONB:
        return write_json;
    case OID_UUID:
        return field->collection->site == field && !field->is_key ? write_site : write_uuid;
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_BPCHAR:
    case OID_NAME:
        return field->type == FIELD_JSON ? write_json_text : write_text;
    default:
        *as_text = true;
        return write_text;
    }
}

RowWriter *writer_of(const struct operand *operand, bool *ret_as_text)
{
    *ret_as_text = false;
    const struct field *field = operand->field;
    assert(field != NULL);
    if (operand->function == FUNCTION_JSON) {
        return write_json;
    } else if (operand->function == FUNCTION_COUNT && operand->counted == NULL) {
        return write_integer;
    } else if (operand->function != FUNCTION_NONE) {
        *ret_as_text = true; /* "2023", "16.000000": strings, as Directus has them */
        return write_text;
    }
    if ((field->special & SPECIAL_CONCEAL) != 0) {
        *ret_as_text = true;
        return write_concealed;
    }
    if (field->type == FIELD_CSV) {
        *ret_as_text = field->type_oid != OID_TEXT && field->type_oid != OID_VARCHAR;
        return write_csv;
    }
    return writer_of_type(field, ret_as_text);
}

/* Aggregates: counts are strings, sums and averages too unless they are floats. */
RowWriter *writer_of_aggregate(const struct column *column, bool *ret_as_text)
{
    *ret_as_text = true;
    if (column->operand.field == NULL || strcmp(column->aggregate, "count") == 0)
        return write_text;
    if (strcmp(column->aggregate, "min") == 0 || strcmp(column->aggregate, "max") == 0)
        return writer_of(&column->operand, ret_as_text);
    return column->operand.field->type == FIELD_FLOAT ? write_bare_text : write_text;
}
