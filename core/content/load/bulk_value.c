/*
 * One JSON value as COPY's text, checked against the type of its column before PostgreSQL sees it,
 * so that an invalid value is a fault of one row and does not end the load.
 */
#include "base/system/clock.h"
#include "base/text/ascii.h"
#include "content/items/items.h"
#include "content/load/bulk_internal.h"
#include "content/schema/schema.h"
#include "content/schema/sealed.h"
#include "io/fiber/json_apart.h"

#include <assert.h>
#include <float.h>
#include <math.h>

/* Marked fiber_fn: the functions that yield on a long value. */
typedef bool WriteFn(struct ctx *ctx, const struct field *field, const struct json *value,
                     struct buf *out, const char **ret_expected);

/* A load may consist of one large value, so loops over its bytes yield between slices. */
enum { SLICE = 256 * 1024 };

static void slice_write(struct buf *out, Str text)
{
    assert(text.len <= SLICE);
    size_t start = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *escaped = NULL;
        switch (text.data[i]) {
        case '\t':
            escaped = "\\t";
            break;
        case '\n':
            escaped = "\\n";
            break;
        case '\r':
            escaped = "\\r";
            break;
        case '\\':
            escaped = "\\\\";
            break;
        default:
            continue;
        }
        buf_put(out, str_slice(text, start, i));
        buf_put_z(out, escaped);
        start = i + 1;
    }
    buf_put(out, str_slice(text, start, text.len));
}

fiber_fn void bulk_text_write(struct buf *out, Str text)
{
    for (size_t from = 0; from < text.len; from += SLICE) {
        fiber_pause();
        slice_write(out, str_slice(text, from, from + SLICE));
    }
}

static fiber_fn bool has_at_most(Str text, size_t max)
{
    assert(max > 0);
    enum { BYTES_OF_CODEPOINT = 4 };
    if (text.len <= max || text.len / BYTES_OF_CODEPOINT > max)
        return text.len <= max;
    size_t count = 0;
    for (size_t from = 0; from < text.len; from += SLICE) {
        fiber_pause();
        count += str_count_codepoints(str_slice(text, from, from + SLICE));
    }
    return count <= max;
}

static bool write_bool(struct ctx *ctx, const struct field *field, const struct json *value,
                       struct buf *out, const char **ret_expected)
{
    (void)ctx;
    (void)field;
    *ret_expected = "true or false";
    enum json_kind kind = json_kind(value);
    Str text = kind == JSON_STRING ? json_str(value) : STR_NONE;
    bool is_true =
        json_bool(value) || str_eq(text, STR("true")) || (kind == JSON_INT && json_int(value) == 1);
    bool is_false = (kind == JSON_BOOL && !is_true) || str_eq(text, STR("false")) ||
                    (kind == JSON_INT && json_int(value) == 0);
    buf_put_z(out, is_true ? "t" : "f");
    return is_true || is_false;
}

static bool integer_of(const struct json *value, int64_t *ret)
{
    enum { SAFE_DOUBLE = 1 << 30 };
    switch (json_kind(value)) {
    case JSON_INT:
        *ret = json_int(value);
        return true;
    case JSON_STRING:
        return str_to_i64(json_str(value), ret);
    case JSON_REAL: {
        double number = json_number(value);
        if (number != floor(number) || fabs(number) > SAFE_DOUBLE)
            return false;
        *ret = (int64_t)number;
        return true;
    }
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return false;
}

static bool write_integer(struct ctx *ctx, const struct field *field, const struct json *value,
                          struct buf *out, const char **ret_expected)
{
    (void)ctx;
    assert(field->type_oid == OID_INT2 || field->type_oid == OID_INT4 ||
           field->type_oid == OID_INT8);
    int64_t number = 0;
    *ret_expected = "an integer";
    if (!integer_of(value, &number))
        return false;
    int64_t max = INT64_MAX;
    if (field->type_oid == OID_INT4)
        max = INT32_MAX;
    else if (field->type_oid == OID_INT2)
        max = INT16_MAX;
    *ret_expected = "an integer in the range of its column";
    buf_put_i64(out, number);
    return number <= max && number >= -max - 1;
}

static bool write_number(struct ctx *ctx, const struct field *field, const struct json *value,
                         struct buf *out, const char **ret_expected)
{
    assert(field->type_oid == OID_FLOAT4 || field->type_oid == OID_FLOAT8 ||
           field->type_oid == OID_NUMERIC);
    *ret_expected = "a number";
    double number;
    bool is_string = json_kind(value) == JSON_STRING;
    if (is_string && !str_to_double(json_str(value), &number))
        return false;
    if (!is_string && json_kind(value) != JSON_INT && json_kind(value) != JSON_REAL)
        return false;
    if (!is_string)
        number = json_number(value);
    bool is_small = field->type_oid == OID_FLOAT4;
    buf_put(out, is_string ? json_str(value) : json_text(ctx->arena, value));
    *ret_expected = "a number in the range of its column";
    return isfinite(number) && (!is_small || fabs(number) <= (double)FLT_MAX);
}

static bool write_uuid(struct ctx *ctx, const struct field *field, const struct json *value,
                       struct buf *out, const char **ret_expected)
{
    (void)ctx;
    (void)field;
    Uuid uuid;
    *ret_expected = "a UUID";
    if (json_kind(value) != JSON_STRING || !uuid_parse(json_str(value), &uuid))
        return false;
    buf_put(out, json_str(value));
    return true;
}

static fiber_fn bool write_json(struct ctx *ctx, const struct field *field,
                                const struct json *value, struct buf *out,
                                const char **ret_expected)
{
    (void)field;
    *ret_expected = "JSON";
    bulk_text_write(out, json_text_apart(ctx, value));
    return true;
}

/* A moment, in UTC; a column without a time zone keeps the digits. */
static bool write_moment(struct ctx *ctx, const struct field *field, const struct json *value,
                         struct buf *out, const char **ret_expected)
{
    *ret_expected = "an ISO 8601 date and time";
    int64_t wall_us;
    if (json_kind(value) != JSON_STRING || !clock_parse_iso(json_str(value), &wall_us))
        return false;
    Str iso = clock_iso(ctx->arena, wall_us);
    assert(iso.len >= 10); /* YYYY-MM-DD */
    buf_put(out, field->type_oid == OID_DATE ? str_slice(iso, 0, 10) : iso);
    return true;
}

static bool is_digits(Str s, size_t from, uint32_t max)
{
    if (s.len < from + 2)
        return false;
    char tens = s.data[from];
    char ones = s.data[from + 1];
    return ascii_is_digit(tens) && ascii_is_digit(ones) &&
           (uint32_t)(tens - '0') * 10 + (uint32_t)(ones - '0') <= max;
}

/* 10:20, 10:20:30, 10:20:30.5 */
static bool write_time(struct ctx *ctx, const struct field *field, const struct json *value,
                       struct buf *out, const char **ret_expected)
{
    (void)ctx;
    (void)field;
    *ret_expected = "a time, HH:MM:SS";
    if (json_kind(value) != JSON_STRING)
        return false;
    Str text = json_str(value);
    bool is_good =
        is_digits(text, 0, 23) && text.len >= 5 && text.data[2] == ':' && is_digits(text, 3, 59);
    if (text.len > 5)
        is_good = is_good && text.data[5] == ':' && is_digits(text, 6, 59);
    if (text.len > 8)
        is_good = is_good && text.data[8] == '.' && text.len > 9 && text.len <= 15;
    for (size_t i = 9; i < text.len && is_good; i++)
        is_good = ascii_is_digit(text.data[i]);
    buf_put(out, text);
    return is_good;
}

static fiber_fn Str joined(struct ctx *ctx, const struct json *list)
{
    assert(json_kind(list) == JSON_ARRAY);
    struct buf *out = buf_in_arena(ctx->arena, SIZE_MAX);
    for (uint32_t i = 0; i < json_len(list); i++) {
        fiber_pause();
        const struct json *part = json_at(list, i);
        ArenaMark mark = arena_mark(ctx->arena);
        if (i > 0)
            buf_put_char(out, ',');
        buf_put(out, json_kind(part) == JSON_STRING ? json_str(part) : json_text_apart(ctx, part));
        arena_rewind(ctx->arena, mark);
    }
    return buf_str(out);
}

static fiber_fn bool write_text(struct ctx *ctx, const struct field *field,
                                const struct json *value, struct buf *out,
                                const char **ret_expected)
{
    enum json_kind kind = json_kind(value);
    Str text;
    *ret_expected = "a text";
    if (kind == JSON_STRING)
        text = json_str(value);
    else if (field->type == FIELD_CSV && kind == JSON_ARRAY)
        text = joined(ctx, value);
    else if (field->type == FIELD_JSON || (kind != JSON_ARRAY && kind != JSON_OBJECT))
        text = json_text_apart(ctx, value);
    else
        return false;
    *ret_expected = "a shorter text";
    if (field->max_length > 0 && !has_at_most(text, (size_t)field->max_length))
        return false;
    bulk_text_write(out, text);
    return true;
}

/* Hashing is too slow for a bulk load, so passwords must arrive hashed. */
static fiber_fn bool write_hash(struct ctx *ctx, const struct field *field,
                                const struct json *value, struct buf *out,
                                const char **ret_expected)
{
    assert(field->type == FIELD_HASH);
    *ret_expected = "an argon2 hash, not the text itself";
    if (json_kind(value) != JSON_STRING || !str_starts_with(json_str(value), STR("$argon2")))
        return false;
    return write_text(ctx, field, value, out, ret_expected);
}

/* The column gets sealed text in place of the value. */
static fiber_fn bool write_sealed(struct ctx *ctx, const struct field *field,
                                  const struct json *value, struct buf *out,
                                  const char **ret_expected)
{
    assert(field_is_sealed(field));
    *ret_expected = "a shorter text";
    bool is_json = field->type_oid == OID_JSON || field->type_oid == OID_JSONB;
    bool is_text = json_kind(value) == JSON_STRING && !is_json;
    Str text = is_text ? json_str(value) : json_text_apart(ctx, value);
    Str sealed = text;
    if (text.len > FIELD_SEAL_MAX)
        return false;
    if (text.len > 0 && field_seal(ctx, field, text, &sealed) != OK) {
        diag_clear(ctx);
        *ret_expected = "encrypted, and SECRET is not set";
        return false;
    }
    if (field->max_length > 0 && !has_at_most(sealed, (size_t)field->max_length))
        return false;
    if (is_json)
        sealed = str_printf(ctx->arena, "\"%.*s\"", STR_FMT(sealed));
    bulk_text_write(out, sealed);
    return true;
}

static WriteFn *writer_of(const struct field *field)
{
    if (field_is_sealed(field))
        return write_sealed;
    if (field->type == FIELD_HASH)
        return write_hash;
    switch (field->type_oid) {
    case OID_BOOL:
        return write_bool;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        return write_integer;
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_NUMERIC:
        return write_number;
    case OID_UUID:
        return write_uuid;
    case OID_JSON:
    case OID_JSONB:
        return write_json;
    case OID_DATE:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return write_moment;
    case OID_TIME:
    case OID_TIMETZ:
        return write_time;
    default:
        return write_text;
    }
}

bool bulk_is_unchecked(const struct field *field)
{
    switch (field->type_oid) {
    case OID_BOOL:
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_FLOAT4:
    case OID_UUID:
    case OID_JSON:
    case OID_JSONB:
    case OID_DATE:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
    case OID_TIME:
    case OID_TEXT:
    case OID_VARCHAR:
        return false;
    default:
        return true;
    }
}

/* Objects and arrays are checked as the text that is stored. */
static fiber_fn bool passes_check(struct ctx *ctx, const struct field *field,
                                  const struct json *value, Str *ret_fault)
{
    assert(!json_is_null(value));
    if (items_guard_find(field->collection->name, field->name) == NULL)
        return true;
    Str text = json_kind(value) == JSON_STRING ? json_str(value) : json_text_apart(ctx, value);
    if (items_guard_check(ctx, field, text) == OK)
        return true;
    *ret_fault = str_printf(ctx->arena, "Field \"%.*s\": %.*s", STR_FMT(field->name),
                            STR_FMT(ctx->diag.last->reason));
    diag_clear(ctx);
    return false;
}

fiber_fn bool bulk_value_write(struct ctx *ctx, const struct field *field, const struct json *value,
                               struct buf *out, Str *ret_fault)
{
    assert(!field->is_alias);
    if (json_is_null(value)) {
        buf_put_z(out, "\\N");
        if (field->is_nullable)
            return true;
        *ret_fault =
            str_printf(ctx->arena, "Value for field \"%.*s\" in collection \"%.*s\" can't be null",
                       STR_FMT(field->name), STR_FMT(field->collection->name));
        return false;
    }
    if (!passes_check(ctx, field, value, ret_fault))
        return false;
    const char *expected;
    if (writer_of(field)(ctx, field, value, out, &expected))
        return true;
    *ret_fault =
        str_printf(ctx->arena, "Field \"%.*s\" must be %s", STR_FMT(field->name), expected);
    return false;
}
