/*
 * Conversion of keys between text, parameters and rows.
 */
#include "content/run/run.h"
#include "content/schema/schema.h"

#include <assert.h>

/* The maximum of a text key: an index cannot hold much more. */
enum { KEY_BYTES_MAX = 1024 };

bool key_is_valid(const struct field *key, Str text)
{
    assert(key != NULL);
    Uuid uuid;
    int64_t integer;
    switch (key->type_oid) {
    case OID_UUID:
        return uuid_parse(text, &uuid);
    case OID_INT2:
        return str_to_i64(text, &integer) && integer >= INT16_MIN && integer <= INT16_MAX;
    case OID_INT4:
        return str_to_i64(text, &integer) && integer >= INT32_MIN && integer <= INT32_MAX;
    case OID_INT8:
        return str_to_i64(text, &integer);
    default:
        return text.len > 0 && text.len <= KEY_BYTES_MAX && str_is_utf8(text) &&
               str_find_char(text, '\0') < 0;
    }
}

Err key_parse(struct ctx *ctx, const struct collection *collection, Str text, DbArg *ret)
{
    assert(collection->key != NULL);
    Uuid uuid;
    if (!key_is_valid(collection->key, text))
        return fail_plain(ctx, ERR_FORBIDDEN);
    if (collection->key->type_oid == OID_UUID && uuid_parse(text, &uuid))
        *ret = db_uuid(uuid);
    else
        *ret = db_text(text);
    return OK;
}

DbArg keys_arg(struct arena *arena, const struct field *key, const Str *texts, uint32_t count)
{
    assert(key != NULL);
    if (key->type_oid != OID_UUID)
        return db_text(run_array_literal(arena, texts, count));
    Uuid *uuids = arena_array(arena, Uuid, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++)
        if (!uuid_parse(texts[i], &uuids[i]))
            return db_text(run_array_literal(arena, texts, count)); /* PostgreSQL refuses it */
    return db_uuid_array(arena, uuids, count);
}

Str key_of_row(struct arena *arena, const struct rows *rows, uint32_t row, uint32_t column)
{
    assert(row < rows->count);
    switch (row_oid(rows, column)) {
    case OID_UUID:
        return uuid_text(arena, row_uuid(rows, row, column));
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        return str_printf(arena, "%jd", (intmax_t)row_int(rows, row, column));
    default:
        return row_text(rows, row, column);
    }
}
