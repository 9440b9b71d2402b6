#include "server/api/listing.h"

#include "server/api/factory/factory.h"

#include <assert.h>

static Err refuse(struct ctx *ctx, const char *field, Str sentence)
{
    return fail_field(ctx, ERR_INVALID_QUERY, field, "%.*s", STR_FMT(sentence));
}

Err query_take_int(struct ctx *ctx, const struct request *request, const char *name, int64_t min,
                   int64_t max, int64_t *ret)
{
    Str text = request_query(ctx->arena, request, str_from_z(name));
    int64_t value;
    if (text.len == 0)
        return OK;
    if (!str_to_i64(text, &value) || value < min || value > max)
        return refuse(ctx, name,
                      str_printf(ctx->arena, "\"%s\" has to be a whole number from %jd to %jd",
                                 name, (intmax_t)min, (intmax_t)max));
    *ret = value;
    return OK;
}

Err query_take_uuid(struct ctx *ctx, const struct request *request, const char *name,
                    const char *alias, Uuid *ret)
{
    const char *used = name;
    Str text = request_query(ctx->arena, request, str_from_z(name));
    if (text.len == 0 && alias != NULL) {
        used = alias;
        text = request_query(ctx->arena, request, str_from_z(alias));
    }
    if (text.len > 0 && !uuid_parse(text, ret))
        return refuse(ctx, name, str_printf(ctx->arena, "\"%s\" is not a UUID", used));
    return OK;
}

bool is_choice(const char *choices, Str value)
{
    Str rest = str_from_z(choices);
    Str choice;
    while (str_next(&rest, ',', &choice))
        if (str_eq(str_trim(choice), value))
            return true;
    return false;
}

Err query_take_choice(struct ctx *ctx, const struct request *request, const char *name,
                      const char *choices, Str *ret)
{
    Str text = request_query(ctx->arena, request, str_from_z(name));
    if (text.len == 0)
        return OK;
    if (!is_choice(choices, text))
        return refuse(ctx, name,
                      str_printf(ctx->arena, "\"%s\" has to be one of %s", name, choices));
    *ret = text;
    return OK;
}

Err listing_take(struct ctx *ctx, const struct request *request, int64_t limit, struct listing *ret)
{
    *ret = (struct listing){.limit = limit};
    TRY(query_take_int(ctx, request, "limit", 1, LISTING_LIMIT_MAX, &ret->limit));
    return query_take_int(ctx, request, "offset", 0, LISTING_OFFSET_MAX, &ret->offset);
}

fiber_fn Err listing_enter(struct ctx *ctx, const struct request *request)
{
    Uuid named = {0};
    TRY(query_take_uuid(ctx, request, "site_id", "site", &named));
    if (uuid_is_nil(named) && ctx->scope.kind == SCOPE_PLATFORM)
        return OK;
    return factory_enter(ctx, named, NULL);
}

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
