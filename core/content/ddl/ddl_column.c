/*
 * From a field to its column: type, default, constraints.
 */
#include "base/memory/array.h"
#include "content/ddl/ddl_internal.h"

#include <assert.h>

enum {
    STRING_LENGTH_DEFAULT = 255,
    STRING_LENGTH_MAX = 10485760, /* PostgreSQL's */
    PRECISION_DEFAULT = 10,
    SCALE_DEFAULT = 5,
    PRECISION_MAX = 1000,
    DEFAULT_MAX = 10000,
};

static const struct {
    Str field;
    const char *column;
} COLUMN_TYPES[] = {
    {STR_INIT("text"), "text"},
    {STR_INIT("boolean"), "boolean"},
    {STR_INIT("integer"), "integer"},
    {STR_INIT("bigInteger"), "bigint"},
    {STR_INIT("float"), "real"},
    {STR_INIT("date"), "date"},
    {STR_INIT("dateTime"), "timestamp"},
    {STR_INIT("time"), "time"},
    {STR_INIT("timestamp"), "timestamptz"},
    {STR_INIT("json"), "json"},
    {STR_INIT("csv"), "text"},
    {STR_INIT("uuid"), "uuid"},
    {STR_INIT("hash"), "varchar(255)"},
    {STR_INIT("binary"), "bytea"},
    /* In the coordinates of GPS. */
    {STR_INIT("geometry"), "geometry(geometry,4326)"},
    {STR_INIT("geometry.Point"), "geometry(Point,4326)"},
    {STR_INIT("geometry.LineString"), "geometry(LineString,4326)"},
    {STR_INIT("geometry.Polygon"), "geometry(Polygon,4326)"},
    {STR_INIT("geometry.MultiPoint"), "geometry(MultiPoint,4326)"},
    {STR_INIT("geometry.MultiLineString"), "geometry(MultiLineString,4326)"},
    {STR_INIT("geometry.MultiPolygon"), "geometry(MultiPolygon,4326)"},
};

static Err write_sized(struct ctx *ctx, const struct ddl_field *field, struct buf *out)
{
    assert(str_eq(field->type, STR("string")) || str_eq(field->type, STR("decimal")));
    if (str_eq(field->type, STR("string"))) {
        int64_t length = STRING_LENGTH_DEFAULT;
        TRY(json_take_int(ctx, field->schema, "max_length", 1, STRING_LENGTH_MAX, &length));
        buf_printf(out, "varchar(%jd)", (intmax_t)length);
        return OK;
    }
    int64_t precision = PRECISION_DEFAULT;
    int64_t scale = SCALE_DEFAULT;
    TRY(json_take_int(ctx, field->schema, "numeric_precision", 1, PRECISION_MAX, &precision));
    TRY(json_take_int(ctx, field->schema, "numeric_scale", 0, PRECISION_MAX, &scale));
    if (scale > precision)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Field \"%.*s\" can't have more decimals than digits",
                    STR_FMT(field->name));
    buf_printf(out, "numeric(%jd,%jd)", (intmax_t)precision, (intmax_t)scale);
    return OK;
}

Err ddl_column_type(struct ctx *ctx, const struct ddl_field *field, struct buf *out)
{
    assert(!field->is_alias);
    if (field->is_auto) {
        buf_put_z(out, str_eq(field->type, STR("bigInteger")) ? "bigserial" : "serial");
        return OK;
    }
    for (size_t i = 0; i < COUNT_OF(COLUMN_TYPES); i++) {
        if (str_eq(field->type, COLUMN_TYPES[i].field)) {
            buf_put_z(out, COLUMN_TYPES[i].column);
            return OK;
        }
    }
    return write_sized(ctx, field, out);
}

/* The functions Directus knows; everything else is a literal. */
static const char *function_of(const struct ddl_field *field, Str text)
{
    static const Str TIMED[] = {STR_INIT("timestamp"), STR_INIT("dateTime"), STR_INIT("date"),
                                STR_INIT("time")};
    bool is_uuid = str_eq(field->type, STR("uuid"));
    if (is_uuid && str_eq_nocase(text, STR("gen_random_uuid()")))
        return "gen_random_uuid()";
    if (!str_eq_nocase(text, STR("now()")) && !str_eq_nocase(text, STR("CURRENT_TIMESTAMP")))
        return NULL;
    for (size_t i = 0; i < COUNT_OF(TIMED); i++)
        if (str_eq(field->type, TIMED[i]))
            return "current_timestamp";
    return NULL;
}

/* A default of JSON may be given as its text. */
static Str json_default(struct ctx *ctx, const struct json *value)
{
    const struct json *parsed;
    if (json_kind(value) == JSON_STRING &&
        json_parse(ctx, json_str(value), JSON_LIMITS_DEFAULT, &parsed) == OK)
        return json_str(value);
    diag_clear(ctx);
    return json_text(ctx->arena, value);
}

static Err write_given_default(struct ctx *ctx, const struct ddl_field *field,
                               const struct json *value, struct buf *out)
{
    assert(!json_is_null(value));
    Str text = str_eq(field->type, STR("json"))  ? json_default(ctx, value)
               : json_kind(value) == JSON_STRING ? json_str(value)
                                                 : json_text(ctx->arena, value);
    if (text.len > DEFAULT_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "The default of field \"%.*s\" can't be longer than %d bytes",
                    STR_FMT(field->name), DEFAULT_MAX);
    const char *function = function_of(field, text);
    buf_put_z(out, " default ");
    if (function != NULL)
        buf_put_z(out, function);
    else
        buf_put(out, sql_literal(ctx->arena, text));
    return OK;
}

Err ddl_column_default(struct ctx *ctx, const struct ddl_field *field, struct buf *out)
{
    const struct json *value = json_get(field->schema, STR("default_value"));
    if (field->is_auto)
        return OK; /* its sequence */
    if (field->is_site)
        value = NULL; /* a site's row is the asking site's, whatever a snapshot calls that */
    if (!json_is_null(value))
        return write_given_default(ctx, field, value, out);
    if (field->is_site)
        buf_put_z(out, " default spark.current_site()");
    else if (field->is_key && str_eq(field->type, STR("uuid")))
        buf_put_z(out, " default gen_random_uuid()");
    return OK;
}

Err ddl_column_write(struct ctx *ctx, const struct ddl_field *field, struct buf *out)
{
    assert(!field->is_alias && field->name.len > 0);
    buf_put(out, sql_ident(ctx->arena, field->name));
    buf_put_char(out, ' ');
    TRY(ddl_column_type(ctx, field, out));
    TRY(ddl_column_default(ctx, field, out));
    if (field->is_key)
        buf_put_z(out, " primary key");
    else if (!field->is_nullable)
        buf_put_z(out, " not null");
    if (field->is_unique && !field->is_key)
        buf_put_z(out, " unique");
    if (field->is_site)
        buf_put_z(out, " references public.sites (id) on delete cascade");
    return OK;
}
