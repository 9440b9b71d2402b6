/* /utils: random text, the order of rows, reverting, caches. */
#include "gen/routes/utils.h"

#include "access/grants/actor.h"
#include "base/crypto/crypto.h"
#include "content/items/items.h"
#include "content/schema/schema.h"
#include "gen/sql.h"

enum { RANDOM_MIN = 1, RANDOM_DEFAULT = 32, RANDOM_MAX = 500 };

static Err read_length(struct ctx *ctx, Str text, uint32_t *ret)
{
    double number;
    *ret = RANDOM_DEFAULT;
    if (text.data == NULL)
        return OK;
    if (text.len == 0 || !str_to_double(text, &number))
        return fail(ctx, ERR_INVALID_QUERY, "\"length\" must be a number");
    int64_t length;
    if (!str_to_i64(text, &length))
        return fail(ctx, ERR_INVALID_QUERY, "\"length\" must be an integer");
    if (length < RANDOM_MIN)
        return fail(ctx, ERR_INVALID_QUERY, "\"length\" must be greater than or equal to %d",
                    RANDOM_MIN);
    if (length > RANDOM_MAX)
        return fail(ctx, ERR_INVALID_QUERY, "\"length\" must be less than or equal to %d",
                    RANDOM_MAX);
    *ret = (uint32_t)length;
    return OK;
}

fiber_fn Err route_utils_random(struct ctx *ctx, const struct request *request,
                                const struct utils_random_input *input, struct reply *reply)
{
    (void)request;
    uint32_t length;
    TRY(read_length(ctx, input->length, &length));
    utils_random_reply_write(&reply->json,
                             &(struct utils_random_reply){random_token(ctx->arena, length)});
    return OK;
}

/* A key in a body: a text or a number. */
static Err read_key(struct ctx *ctx, const struct json *body, const char *name, Str *ret)
{
    const struct json *value = json_get(body, str_from_z(name));
    if (value == NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" is required", name);
    if (json_kind(value) == JSON_STRING)
        *ret = json_str(value);
    else if (json_kind(value) == JSON_INT || json_kind(value) == JSON_REAL)
        *ret = json_text(ctx->arena, value);
    else
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" must be one of [string, number]", name);
    return OK;
}

fiber_fn Err route_utils_sort(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    Str moved;
    Str to;
    TRY(request_object(ctx, request, &body));
    TRY(read_key(ctx, body, "item", &moved));
    TRY(read_key(ctx, body, "to", &to));
    for (struct json_iter it = json_iter(body); json_next(&it);) {
        if (!str_eq(it.key, STR("item")) && !str_eq(it.key, STR("to")))
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"%.*s\" is not allowed", STR_FMT(it.key));
    }
    Str name = request->params[0];
    bool is_system = str_starts_with(name, STR("directus_"));
    TRY(items_move(ctx, (struct items_target){name, is_system ? ITEMS_SYSTEM : ITEMS_USER}, moved,
                   to));
    reply_text(reply, 200, STR_NONE, STR(""));
    return OK;
}

fiber_fn Err route_utils_revert(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(items_revert(ctx, request->params[0]));
    reply_no_content(reply);
    return OK;
}

fiber_fn Err route_utils_cache_clear(struct ctx *ctx, const struct request *request,
                                     const struct utils_cache_clear_input *input,
                                     struct reply *reply)
{
    (void)request;
    (void)input;
    struct platform platform;
    if (ctx->actor == NULL || !ctx->actor->is_admin)
        return fail_plain(ctx, ERR_FORBIDDEN);
    TRY(actor_platform(ctx, &platform));
    TRY(db_query_platform(platform, &SQL_DDL_RAISE_EPOCH, NO_ARGS, NULL));
    reply_text(reply, 200, STR_NONE, STR(""));
    return OK;
}
