#include "server/api/listing.h"

#include <assert.h>

DbArg listing_site(const struct ctx *ctx)
{
    assert(ctx->scope.kind != SCOPE_NONE);
    return ctx->scope.kind == SCOPE_SITE ? db_uuid(ctx->scope.site) : db_null();
}

void put_text(struct json_writer *w, const char *key, Str value)
{
    if (value.data == NULL)
        json_field_null(w, key);
    else
        json_field_str(w, key, value);
}

void put_uuid(struct json_writer *w, const char *key, Uuid value)
{
    if (uuid_is_nil(value))
        json_field_null(w, key);
    else
        json_field_uuid(w, key, value);
}

void put_time(struct json_writer *w, const char *key, int64_t wall_us)
{
    json_key(w, str_from_z(key));
    json_put_time(w, wall_us);
}
