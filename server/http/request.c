#include "server/http/request.h"

#include "base/json/json_build.h"
#include "base/text/percent.h"
#include "io/fiber/json_apart.h"

#include <assert.h>

enum envelope envelope_of_path(Str path)
{
    Str first = str_slice(path, 0, 5);
    bool is_api = str_eq_nocase(first, STR("/api/")) || str_eq_nocase(first, STR("/god/"));
    return is_api ? ENVELOPE_API : ENVELOPE_CMS;
}

Err fail_route(struct ctx *ctx, const struct request *request)
{
    assert(request->path.len > 0);
    return fail_noted(ctx, ERR_ROUTE_NOT_FOUND, "path", request->path, "%.*s",
                      STR_FMT(request->path));
}

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
        if (!str_eq(percent_decode(arena, str_slice(pair, 0, name_len), PERCENT_PLUS_IS_SPACE),
                    name))
            continue;
        return percent_decode(arena, str_slice(pair, name_len + 1, pair.len),
                              PERCENT_PLUS_IS_SPACE);
    }
    return STR_NONE;
}

static bool is_json(Str content_type)
{
    ptrdiff_t semicolon = str_find_char(content_type, ';');
    size_t len = semicolon < 0 ? content_type.len : (size_t)semicolon;
    return str_eq_nocase(str_trim(str_slice(content_type, 0, len)), STR("application/json"));
}

fiber_fn Err request_json(struct ctx *ctx, const struct request *request, const struct json **ret)
{
    if (request->json != NULL) {
        *ret = request->json;
        return OK;
    }
    /* Directus ignores bodies of other types; our own API refuses them. */
    bool is_cms = request->envelope == ENVELOPE_CMS;
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
        return json_of_no_members(ctx, ret);

    const struct json *json;
    Err err = json_parse_apart(ctx, body, JSON_LIMITS_DEFAULT, &json);
    if (err == ERR_INVALID_JSON && is_cms) {
        Str reason = ctx->diag.first->reason; /* the message template adds the full stop */
        if (str_ends_with(reason, STR(".")))
            reason.len--;
        return fail(ctx, ERR_INVALID_PAYLOAD, "%.*s", STR_FMT(reason));
    }
    TRY(err);
    if (json_kind(json) != JSON_OBJECT && json_kind(json) != JSON_ARRAY)
        return fail(ctx, is_cms ? ERR_INVALID_PAYLOAD : ERR_INVALID_JSON,
                    "The body must be an object or an array, not %s", json_kind_name(json));
    *ret = json;
    return OK;
}

fiber_fn Err request_object(struct ctx *ctx, const struct request *request, const struct json **ret)
{
    const struct json *json;
    TRY(request_json(ctx, request, &json));
    if (json_kind(json) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "The body must be an object, not %s",
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
