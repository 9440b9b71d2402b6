#include "server/dispatch/request.h"

#include "io/fiber/json_apart.h"
#include "server/dispatch/members.h"
#include "server/dispatch/route.h"

Str request_header(const struct request *request, Str name)
{
    for (uint32_t i = 0; i < request->header_count; i++)
        if (str_eq(request->headers[i].name, name))
            return request->headers[i].value;
    return STR_NONE;
}

Str request_cookie(const struct request *request, Str name)
{
    Str rest = request_header(request, STR("cookie"));
    Str pair;
    while (str_next(&rest, ';', &pair)) {
        pair = str_trim(pair);
        ptrdiff_t equals = str_find_char(pair, '=');
        if (equals > 0 && str_eq(str_slice(pair, 0, (size_t)equals), name))
            return str_slice(pair, (size_t)equals + 1, pair.len);
    }
    return STR_NONE;
}

Str request_query(struct arena *arena, const struct request *request, Str name)
{
    Str rest = request->query;
    Str pair;
    while (str_next(&rest, '&', &pair)) {
        ptrdiff_t equals = str_find_char(pair, '=');
        size_t name_len = equals < 0 ? pair.len : (size_t)equals;
        if (!str_eq(percent_decode(arena, str_slice(pair, 0, name_len), true), name))
            continue;
        return percent_decode(arena, str_slice(pair, name_len + 1, pair.len), true);
    }
    return STR_NONE;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

Str percent_decode(struct arena *arena, Str s, bool plus_is_space)
{
    bool is_plain = str_find_char(s, '%') < 0;
    if (is_plain && (!plus_is_space || str_find_char(s, '+') < 0))
        return s;

    char *out = arena_alloc_raw(arena, s.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        int high = -1;
        int low = -1;
        if (s.data[i] == '%' && i + 2 < s.len) {
            high = hex_value(s.data[i + 1]);
            low = hex_value(s.data[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            out[len++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[len++] = plus_is_space && s.data[i] == '+' ? ' ' : s.data[i];
        }
    }
    return str_of(out, len);
}

static bool is_json(Str content_type)
{
    ptrdiff_t semicolon = str_find_char(content_type, ';');
    size_t len = semicolon < 0 ? content_type.len : (size_t)semicolon;
    return str_eq_nocase(str_trim(str_slice(content_type, 0, len)), STR("application/json"));
}

fiber_fn Err request_json(struct ctx *ctx, const struct request *request, const struct json **ret)
{
    /* Directus ignores the body of other types; our own API refuses what it cannot read. */
    bool is_cms = request->route->envelope == ENVELOPE_CMS;
    Str content_type = request_header(request, STR("content-type"));
    Str body = str_trim(request->body);
    if (body.len > 0 && !is_json(content_type)) {
        if (!is_cms)
            return fail(ctx, ERR_UNSUPPORTED_MEDIA_TYPE,
                        "Send the body as application/json, not as \"%.*s\".",
                        STR_FMT(content_type));
        body = STR_NONE;
    }
    if (body.len == 0)
        body = STR("{}");

    const struct json *json;
    Err err = json_parse_apart(ctx, body, JSON_LIMITS_DEFAULT, &json);
    if (err == ERR_INVALID_JSON && is_cms) {
        Str reason = ctx->diag.first->reason; /* the full stop is the template's */
        if (str_ends_with(reason, STR(".")))
            reason.len--;
        return fail(ctx, ERR_INVALID_PAYLOAD, "%.*s", STR_FMT(reason));
    }
    TRY(err);
    if (json_kind(json) != JSON_OBJECT && json_kind(json) != JSON_ARRAY)
        return fail(ctx, is_cms ? ERR_INVALID_PAYLOAD : ERR_INVALID_JSON,
                    "The body has to be an object or an array, not %s", json_kind_name(json));
    TRY(members_check_body(ctx, request, json));
    *ret = json;
    return OK;
}

fiber_fn Err request_object(struct ctx *ctx, const struct request *request, const struct json **ret)
{
    const struct json *json;
    TRY(request_json(ctx, request, &json));
    if (json_kind(json) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "The body has to be an object, not %s",
                    json_kind_name(json));
    *ret = json;
    return OK;
}

Err request_uuid(struct ctx *ctx, const struct request *request, uint32_t param, Uuid *ret)
{
    if (uuid_parse(request->params[param], ret))
        return OK;
    return fail(ctx, ERR_INVALID_PATH_PARAMETER, "\"%.*s\" is not a UUID",
                STR_FMT(request->params[param]));
}
