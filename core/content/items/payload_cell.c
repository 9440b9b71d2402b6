/*
 * From JSON to the text form of a column. Values that the database would refuse are refused here
 * with a 400 that names the field; every invalid field of a body is reported.
 */
#include "access/limits/hash_gate.h"
#include "base/crypto/crypto.h"
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/system/range.h"
#include "content/items/payload.h"
#include "content/schema/schema.h"
#include "content/schema/sealed.h"

#include <assert.h>
#include <math.h>

enum { VALUE_SHOWN_MAX = 200 }; /* bytes of a too long value in the error, as in Directus */

static Err bad_format(struct ctx *ctx, const char *what, const struct field *field)
{
    return fail_also(ctx, ERR_INVALID_PAYLOAD, "Invalid %s format in field \"%.*s\"", what,
                     STR_FMT(field->name));
}

static Err out_of_range(struct ctx *ctx, const struct field *field, const struct json *json,
                        Str value)
{
    Err err = fail_also(ctx, ERR_VALUE_OUT_OF_RANGE,
                        "Numeric value \"%.*s\" for field \"%.*s\" in collection \"%.*s\" is out "
                        "of range.",
                        STR_FMT(value), STR_FMT(field->name), STR_FMT(field->collection->name));
    fail_note(ctx, "collection", field->collection->name);
    fail_note(ctx, "field", field->name);
    if (json_kind(json) == JSON_STRING)
        fail_note(ctx, "value", value);
    else
        fail_note_json(ctx, "value", value);
    return err;
}

/* Numbers and booleans become text, objects and arrays become JSON, as in Directus. */
static Str plain_text(struct ctx *ctx, const struct json *json)
{
    return json_kind(json) == JSON_STRING ? json_str(json) : json_text(ctx->arena, json);
}

static Err too_long(struct ctx *ctx, const struct field *field, Str shown)
{
    Err err = fail_also(ctx, ERR_VALUE_TOO_LONG,
                        "Value \"%.*s\" for field \"%.*s\" in collection \"%.*s\" is too long.",
                        STR_FMT(shown), STR_FMT(field->name), STR_FMT(field->collection->name));
    fail_note(ctx, "collection", field->collection->name);
    fail_note(ctx, "field", field->name);
    fail_note(ctx, "value", shown);
    return err;
}

static bool has_room(const struct field *field, Str text)
{
    return field->max_length <= 0 || str_has_codepoints(text, 0, (size_t)field->max_length);
}

static Err string_text(struct ctx *ctx, const struct field *field, Str text, Str *ret)
{
    if (!has_room(field, text))
        return too_long(ctx, field,
                        payload_hides(field) ? STR(FIELD_MASK)
                                             : str_slice(text, 0, VALUE_SHOWN_MAX));
    *ret = text;
    return OK;
}

/* What the column gets in place of its value: a column of JSON the sealed text as a string. */
static Err sealed_text(struct ctx *ctx, const struct field *field, Str text, Str *ret)
{
    if (text.len > FIELD_SEAL_MAX)
        return too_long(ctx, field, STR(FIELD_MASK));
    Str sealed;
    TRY(field_seal(ctx, field, text, &sealed));
    if (!has_room(field, sealed))
        return too_long(ctx, field, STR(FIELD_MASK));
    bool is_json = field->type_oid == OID_JSON || field->type_oid == OID_JSONB;
    *ret = is_json ? str_printf(ctx->arena, "\"%.*s\"", STR_FMT(sealed)) : sealed;
    return OK;
}

static Err integer_text(struct ctx *ctx, const struct field *field, const struct json *json,
                        Str *ret)
{
    assert(!json_is_null(json));
    Str text = str_trim(plain_text(ctx, json));
    double number;
    if (str_is_number(text) && !str_to_double(text, &number))
        return out_of_range(ctx, field, json, text);
    if (json_kind(json) == JSON_BOOL || !str_to_double(text, &number))
        return bad_format(ctx, "integer", field);
    int64_t integer;
    if (!str_to_i64(text, &integer)) {
        if (number != floor(number))
            return bad_format(ctx, "integer", field);
        if (fabs(number) >= 9223372036854775807.0)
            return out_of_range(ctx, field, json, text);
        integer = (int64_t)number; /* 1e3, 5.0 */
    }
    int64_t max = field->type_oid == OID_INT2   ? INT16_MAX
                  : field->type_oid == OID_INT4 ? INT32_MAX
                                                : INT64_MAX;
    if (integer > max || integer < -max - 1)
        return out_of_range(ctx, field, json, text);
    *ret = str_printf(ctx->arena, "%jd", (intmax_t)integer);
    return OK;
}

static Err number_text(struct ctx *ctx, const struct field *field, const struct json *json,
                       Str *ret)
{
    assert(!json_is_null(json));
    Str text = str_trim(plain_text(ctx, json));
    double number;
    if (str_is_number(text) && !str_to_double(text, &number))
        return out_of_range(ctx, field, json, text);
    if (json_kind(json) == JSON_BOOL || !str_to_double(text, &number))
        return bad_format(ctx, "number", field);
    if (field->type_oid == OID_FLOAT4 && fabs(number) > 3.4028235e38)
        return out_of_range(ctx, field, json, text);
    *ret = text;
    return OK;
}

/* The words that PostgreSQL takes. */
static bool is_word_of(Str text, const char *const words[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq_nocase(text, str_from_z(words[i])))
            return true;
    }
    return false;
}

static Err boolean_text(struct ctx *ctx, const struct field *field, const struct json *json,
                        Str *ret)
{
    assert(!json_is_null(json));
    static const char *const YES[] = {"true", "t", "yes", "y", "on", "1"};
    static const char *const NO[] = {"false", "f", "no", "n", "off", "0"};
    Str text = plain_text(ctx, json);
    bool yes = is_word_of(text, YES, COUNT_OF(YES));
    bool no = is_word_of(text, NO, COUNT_OF(NO));
    if (!yes && !no)
        return bad_format(ctx, "boolean", field);
    if (field->type_oid == OID_BOOL)
        *ret = yes ? STR("true") : STR("false");
    else
        *ret = yes ? STR("1") : STR("0");
    return OK;
}

/* PostgreSQL also takes a UUID in braces, or without hyphens. */
static Str uuid_form(struct ctx *ctx, Str text)
{
    enum { WITH_BRACES = 38, DIGITS = 32 };
    if (text.len == WITH_BRACES && text.data[0] == '{' && text.data[WITH_BRACES - 1] == '}')
        return str_slice(text, 1, WITH_BRACES - 1);
    if (text.len != DIGITS)
        return text;
    const char *d = text.data;
    return str_printf(ctx->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", d, d + 8, d + 12, d + 16, d + 20);
}

static Err uuid_text_of(struct ctx *ctx, const struct field *field, const struct json *json,
                        Str *ret)
{
    Uuid uuid;
    Str text = json_kind(json) == JSON_STRING ? uuid_form(ctx, json_str(json)) : STR_NONE;
    if (!uuid_parse(text, &uuid))
        return bad_format(ctx, "uuid", field);
    *ret = uuid_text(ctx->arena, uuid);
    return OK;
}

static bool is_digits(Str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return text.len > 0;
}

/* ISO 8601 allows years, months and the forms without separators; the clock reads the long form. */
static Str long_date(struct ctx *ctx, Str date)
{
    enum { YEAR = 4, MONTH = 7, BASIC = 8 };
    const char *d = date.data;
    if (date.len == YEAR && is_digits(date))
        return str_printf(ctx->arena, "%.4s-01-01", d);
    if (date.len == MONTH && d[4] == '-' && is_digits(str_slice(date, 5, 7)))
        return str_printf(ctx->arena, "%.7s-01", d);
    if (date.len == BASIC && is_digits(date))
        return str_printf(ctx->arena, "%.4s-%.2s-%.2s", d, d + 4, d + 6);
    return date;
}

static Str long_time(struct ctx *ctx, Str time)
{
    enum { HOUR = 2, BASIC = 6 };
    const char *t = time.data;
    if (time.len == HOUR && is_digits(time))
        return str_printf(ctx->arena, "%.2s:00:00", t);
    if (time.len >= BASIC && is_digits(str_slice(time, 0, BASIC)))
        return str_printf(ctx->arena, "%.2s:%.2s:%.2s%.*s", t, t + 2, t + 4, (int)time.len - BASIC,
                          t + BASIC);
    return time;
}

static Str long_form(struct ctx *ctx, Str text)
{
    size_t at = 0;
    while (at < text.len && text.data[at] != 'T' && text.data[at] != ' ')
        at++;
    Str date = long_date(ctx, str_slice(text, 0, at));
    if (at >= text.len)
        return date;
    Str time = long_time(ctx, str_slice(text, at + 1, text.len));
    return str_printf(ctx->arena, "%.*sT%.*s", STR_FMT(date), STR_FMT(time));
}

/* "2024-02-29T08:20:30.000Z", or its first `len` characters. */
static Err moment_text(struct ctx *ctx, const struct field *field, const struct json *json,
                       const char *what, size_t len, Str *ret)
{
    assert(len <= CLOCK_ISO_LEN);
    int64_t wall_us;
    Str text = json_kind(json) == JSON_STRING ? str_trim(json_str(json)) : STR_NONE;
    if (str_starts_with(text, STR("0000-00-00"))) {
        *ret = STR_NONE;
        return OK;
    }
    if (!clock_parse_iso(text, &wall_us) && !clock_parse_iso(long_form(ctx, text), &wall_us))
        return bad_format(ctx, what, field);
    int rest = (int)(wall_us % 1000);
    Str iso = clock_iso(ctx->arena, wall_us);
    if (len == iso.len) /* timestamptz stores microseconds */
        *ret = str_printf(ctx->arena, "%.*s%03dZ", (int)iso.len - 1, iso.data,
                          rest < 0 ? rest + 1000 : rest);
    else
        *ret = str_slice(iso, 0, len);
    return OK;
}

static Err time_text(struct ctx *ctx, const struct field *field, const struct json *json, Str *ret)
{
    Str text = json_kind(json) == JSON_STRING ? str_trim(json_str(json)) : STR_NONE;
    if (text.len < 5 || text.len > 15)
        return bad_format(ctx, "Time", field);
    Str padded =
        str_printf(ctx->arena, "2000-01-01T%.*s%s", STR_FMT(text), text.len == 5 ? ":00" : "");
    int64_t wall_us;
    if (!clock_parse_iso(padded, &wall_us))
        return bad_format(ctx, "Time", field);
    *ret = text;
    return OK;
}

static Err json_column_text(struct ctx *ctx, const struct field *field, const struct json *json,
                            Str *ret)
{
    assert(!json_is_null(json));
    if (json_kind(json) != JSON_STRING) {
        *ret = json_text(ctx->arena, json);
        return OK;
    }
    struct ctx scratch = {.arena = ctx->arena};
    const struct json *parsed;
    struct json_limits limits = {JSON_DEPTH_MAX, 10000};
    if (json_parse(&scratch, json_str(json), limits, &parsed) != OK)
        return bad_format(ctx, "JSON", field);
    *ret = json_str(json);
    return OK;
}

static fiber_fn Str csv_text(struct ctx *ctx, const struct json *json)
{
    assert(!json_is_null(json));
    if (json_kind(json) != JSON_ARRAY)
        return plain_text(ctx, json);
    struct buf *out = buf_in_arena(ctx->arena, SIZE_MAX);
    for (uint32_t i = 0; i < json_len(json); i++) {
        fiber_pause(); /* a body may contain half a million numbers */
        ArenaMark mark = arena_mark(ctx->arena);
        if (i > 0)
            buf_put_char(out, ',');
        if (!json_is_null(json_at(json, i)))
            buf_put(out, plain_text(ctx, json_at(json, i)));
        arena_rewind(ctx->arena, mark);
    }
    Str text = buf_str(out);
    return text.data == NULL ? STR("") : text;
}

struct hashing {
    struct arena *arena;
    Str password;
    Str hash;
};

/* The arena is safe to use here: its fiber waits until this returns. */
static void hash_now(void *arg)
{
    struct hashing *hashing = arg;
    assert(hashing->password.len > 0);
    hashing->hash = password_hash(hashing->arena, hashing->password);
}

static fiber_fn Err hash_text(struct ctx *ctx, const struct json *json, Str *ret)
{
    struct hashing hashing = {.arena = ctx->arena, .password = plain_text(ctx, json)};
    *ret = STR_NONE;
    if (hashing.password.len == 0)
        return OK;
    TRY(hash_gate_run(ctx, 0, hash_now, &hashing));
    *ret = hashing.hash;
    return OK;
}

static Err column_text(struct ctx *ctx, const struct field *field, const struct json *json,
                       Str *ret)
{
    assert(!json_is_null(json));
    switch (field->type_oid) {
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        if ((field->special & SPECIAL_CAST_BOOLEAN) != 0)
            return boolean_text(ctx, field, json, ret);
        return integer_text(ctx, field, json, ret);
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_NUMERIC:
        return number_text(ctx, field, json, ret);
    case OID_BOOL:
        return boolean_text(ctx, field, json, ret);
    case OID_UUID:
        return uuid_text_of(ctx, field, json, ret);
    case OID_DATE:
        return moment_text(ctx, field, json, "Date", 10, ret);
    case OID_TIMESTAMP:
        return moment_text(ctx, field, json, "DateTime", 23, ret);
    case OID_TIMESTAMPTZ:
        return moment_text(ctx, field, json, "DateTime", CLOCK_ISO_LEN, ret);
    case OID_TIME:
        return time_text(ctx, field, json, ret);
    case OID_JSON:
    case OID_JSONB:
        return json_column_text(ctx, field, json, ret);
    default:
        return string_text(ctx, field, plain_text(ctx, json), ret);
    }
}

fiber_fn Err cell_text(const struct write_target *target, const struct field *field,
                       const struct json *json, Str *ret)
{
    struct ctx *ctx = target->ctx;
    *ret = STR_NONE;
    if (json_is_null(json))
        return OK;
    bool is_reference = field->relation != NULL && field->relation->kind == RELATION_TO_ONE;
    if (is_reference && json_kind(json) == JSON_ARRAY)
        return fail_also(ctx, ERR_INVALID_PAYLOAD, "\"%.*s\" must be an object or a key",
                         STR_FMT(field->name));
    Str text;
    if (field->type == FIELD_HASH)
        TRY(hash_text(ctx, json, &text));
    else if (field->type == FIELD_CSV)
        TRY(string_text(ctx, field, csv_text(ctx, json), &text));
    else
        TRY(column_text(ctx, field, json, &text));
    if (field_is_sealed(field) && text.len > 0)
        return sealed_text(ctx, field, text, ret);
    *ret = text;
    return OK;
}
