#include "base/memory/array.h"
#include "content/ddl/ddl_internal.h"

#include <assert.h>

/* In the order of Directus' own sentence. */
static const Str TYPES[] = {
    STR_INIT("bigInteger"),
    STR_INIT("boolean"),
    STR_INIT("date"),
    STR_INIT("dateTime"),
    STR_INIT("decimal"),
    STR_INIT("float"),
    STR_INIT("integer"),
    STR_INIT("json"),
    STR_INIT("string"),
    STR_INIT("text"),
    STR_INIT("time"),
    STR_INIT("timestamp"),
    STR_INIT("binary"),
    STR_INIT("uuid"),
    STR_INIT("alias"),
    STR_INIT("hash"),
    STR_INIT("csv"),
    STR_INIT("geometry"),
    STR_INIT("geometry.Point"),
    STR_INIT("geometry.LineString"),
    STR_INIT("geometry.Polygon"),
    STR_INIT("geometry.MultiPoint"),
    STR_INIT("geometry.MultiLineString"),
    STR_INIT("geometry.MultiPolygon"),
    STR_INIT("unknown"),
    STR_INIT("o2m"),
    STR_INIT("m2m"),
    STR_INIT("m2a"),
    STR_INIT("o2a"),
    STR_INIT("files"),
    STR_INIT("translations"),
};

enum { TYPE_COUNT = COUNT_OF(TYPES) };

static bool is_one_of(Str type, const char *const *names)
{
    for (; *names != NULL; names++)
        if (str_eq(type, str_from_z(*names)))
            return true;
    return false;
}

bool ddl_is_alias_type(Str type)
{
    static const char *const NAMES[] = {"alias", "o2m",   "m2m",          "m2a",
                                        "o2a",   "files", "translations", NULL};
    return is_one_of(type, NAMES);
}

bool ddl_is_type(Str type)
{
    for (uint32_t i = 0; i < TYPE_COUNT; i++)
        if (str_eq(type, TYPES[i]))
            return true;
    return false;
}

Err ddl_type_check(struct ctx *ctx, Str type)
{
    Str list = STR_NONE;
    bool is_known = ddl_is_type(type);
    for (uint32_t i = 0; i < TYPE_COUNT && !is_known; i++)
        list = str_printf(ctx->arena, "%.*s%.*s, ", STR_FMT(list), STR_FMT(TYPES[i]));
    if (!is_known)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"type\" must be one of [%.*snull]", STR_FMT(list));
    if (str_eq(type, STR("unknown")))
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "\"type\" can't be \"unknown\": no column can be made of it");
    return OK;
}

/* A member that is an object, or absent. */
static Err take_object(struct ctx *ctx, const struct json *json, const char *key,
                       const struct json **ret)
{
    assert(*ret == NULL);
    const struct json *value = json_get(json, str_from_z(key));
    if (json_is_null(value))
        return OK;
    if (json_kind(value) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" must be an object", key);
    *ret = value;
    return OK;
}

/* Whose rows they are. Who names another table means something else. */
static bool is_site_field(const struct ddl_field *field, Str target, enum ddl_tenancy tenancy)
{
    assert(!field->is_alias);
    if (!str_eq(field->name, DDL_SITE_FIELD) || !str_eq(field->type, STR("uuid")))
        return false;
    return tenancy != TENANCY_REFUSED && (target.len == 0 || str_eq(target, STR("sites")));
}

static Err flags_read(struct ctx *ctx, enum ddl_tenancy tenancy, struct ddl_field *field)
{
    assert(!field->is_alias);
    bool has_auto = false;
    Str target = STR_NONE;
    field->is_nullable = true;
    TRY(json_take_bool(ctx, field->schema, "is_primary_key", &field->is_key));
    TRY(json_take_bool(ctx, field->schema, "has_auto_increment", &has_auto));
    TRY(json_take_bool(ctx, field->schema, "is_unique", &field->is_unique));
    TRY(json_take_bool(ctx, field->schema, "is_indexed", &field->is_indexed));
    TRY(json_take_str(ctx, field->schema, "foreign_key_table", 255, &target));
    field->is_site = is_site_field(field, target, tenancy);
    /* A site's row without a site would be nobody's: only who asks for it gets it. */
    field->is_nullable = !field->is_key && !field->is_site;
    TRY(json_take_bool(ctx, field->schema, "is_nullable", &field->is_nullable));
    field->is_nullable = field->is_nullable && !field->is_key;
    assert(!field->is_key || !field->is_nullable);
    bool is_integer = str_eq(field->type, STR("integer")) || str_eq(field->type, STR("bigInteger"));
    if (has_auto && !is_integer)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "Field \"%.*s\" can't count itself: only integers have an auto-increment",
                    STR_FMT(field->name));
    field->is_auto = has_auto;
    return OK;
}

static Err key_check(struct ctx *ctx, const struct ddl_field *field)
{
    assert(!field->is_alias);
    static const char *const KEYS[] = {"integer", "bigInteger", "uuid", "string", NULL};
    if (!field->is_key || is_one_of(field->type, KEYS))
        return OK;
    return fail(ctx, ERR_INVALID_PAYLOAD,
                "Field \"%.*s\" can't be a primary key: it must be an integer, a uuid or a "
                "string",
                STR_FMT(field->name));
}

Err ddl_tenancy_read(struct ctx *ctx, const struct json *meta, enum ddl_tenancy *ret)
{
    const struct json *tenant = json_get(meta, STR("tenant"));
    *ret = TENANCY_BY_FIELDS;
    switch (json_kind(tenant)) {
    case JSON_NULL:
        return OK;
    case JSON_BOOL:
        *ret = json_bool(tenant) ? TENANCY_WANTED : TENANCY_REFUSED;
        return OK;
    case JSON_STRING:
        if (str_eq(json_str(tenant), DDL_SITE_FIELD)) {
            *ret = TENANCY_WANTED;
            return OK;
        }
        break;
    default:
        break;
    }
    return fail(ctx, ERR_INVALID_PAYLOAD,
                "\"meta.tenant\" must be true, false or \"site_id\", the field that says whose a "
                "row is");
}

static Err type_read(struct ctx *ctx, const struct json *type, Str *ret)
{
    *ret = STR("alias"); /* Directus' null: nothing but what meta says */
    if (json_is_null(type))
        return OK;
    *ret = json_kind(type) == JSON_STRING ? json_str(type) : STR("");
    return ddl_type_check(ctx, *ret);
}

Err ddl_field_read(struct ctx *ctx, const struct json *json, enum ddl_tenancy tenancy,
                   struct ddl_field *ret)
{
    *ret = (struct ddl_field){0};
    if (json_kind(json) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "A field must be an object, not %s",
                    json_kind_name(json));
    TRY(json_take_str(ctx, json, "field", 255, &ret->name));
    TRY(ddl_field_name_check(ctx, ret->name));
    TRY(type_read(ctx, json_get(json, STR("type")), &ret->type));
    TRY(take_object(ctx, json, "meta", &ret->meta));
    TRY(take_object(ctx, json, "schema", &ret->schema));
    ret->is_alias = ddl_is_alias_type(ret->type);
    if (ret->is_alias)
        return OK;
    TRY(flags_read(ctx, tenancy, ret));
    return key_check(ctx, ret);
}
