/*
 * From column types and special flags to Directus' field types.
 */
#include "base/memory/array.h"
#include "content/schema/schema.h"
#include "content/schema/schema_build.h"

static const struct {
    Str name;
    uint32_t flag;
} SPECIALS[] = {
    {STR_INIT("uuid"), SPECIAL_UUID},
    {STR_INIT("hash"), SPECIAL_HASH},
    {STR_INIT("conceal"), SPECIAL_CONCEAL},
    {STR_INIT("encrypt"), SPECIAL_ENCRYPT},
    {STR_INIT("date-created"), SPECIAL_DATE_CREATED},
    {STR_INIT("date-updated"), SPECIAL_DATE_UPDATED},
    {STR_INIT("user-created"), SPECIAL_USER_CREATED},
    {STR_INIT("user-updated"), SPECIAL_USER_UPDATED},
    {STR_INIT("role-created"), SPECIAL_ROLE_CREATED},
    {STR_INIT("role-updated"), SPECIAL_ROLE_UPDATED},
    {STR_INIT("cast-json"), SPECIAL_CAST_JSON},
    {STR_INIT("cast-csv"), SPECIAL_CAST_CSV},
    {STR_INIT("cast-boolean"), SPECIAL_CAST_BOOLEAN},
    {STR_INIT("no-data"), SPECIAL_NO_DATA},
};

static bool has_word(Str list, Str word)
{
    Str part;
    while (str_next(&list, ',', &part)) {
        if (str_eq(str_trim(part), word))
            return true;
    }
    return false;
}

uint32_t field_special_of(Str special_text)
{
    uint32_t special = 0;
    for (size_t i = 0; i < COUNT_OF(SPECIALS); i++) {
        if (has_word(special_text, SPECIALS[i].name))
            special |= SPECIALS[i].flag;
    }
    return special;
}

static enum field_type type_of_column(uint32_t type_oid)
{
    switch (type_oid) {
    case OID_BOOL:
        return FIELD_BOOLEAN;
    case OID_INT2:
    case OID_INT4:
        return FIELD_INTEGER;
    case OID_INT8:
        return FIELD_BIG_INTEGER;
    case OID_FLOAT4:
    case OID_FLOAT8:
        return FIELD_FLOAT;
    case OID_NUMERIC:
        return FIELD_DECIMAL;
    case OID_DATE:
        return FIELD_DATE;
    case OID_TIMESTAMP:
        return FIELD_DATE_TIME;
    case OID_TIMESTAMPTZ:
        return FIELD_TIMESTAMP;
    case OID_TIME:
    case OID_TIMETZ:
        return FIELD_TIME;
    case OID_VARCHAR:
    case OID_BPCHAR:
    case OID_NAME:
        return FIELD_STRING;
    case OID_TEXT:
        return FIELD_TEXT;
    case OID_JSON:
    case OID_JSONB:
        return FIELD_JSON;
    case OID_UUID:
        return FIELD_UUID;
    case OID_BYTEA:
        return FIELD_BINARY;
    default:
        return FIELD_UNKNOWN;
    }
}

enum field_type field_type_of(uint32_t type_oid, uint32_t special, Str special_text)
{
    if ((special & SPECIAL_CAST_JSON) != 0)
        return FIELD_JSON;
    if ((special & SPECIAL_HASH) != 0)
        return FIELD_HASH;
    if ((special & SPECIAL_CAST_CSV) != 0)
        return FIELD_CSV;
    if ((special & SPECIAL_UUID) != 0)
        return FIELD_UUID;
    if (has_word(special_text, STR("cast-timestamp")))
        return FIELD_TIMESTAMP;
    if (has_word(special_text, STR("cast-datetime")))
        return FIELD_DATE_TIME;
    return type_of_column(type_oid);
}
