/* Shares: what they are, and tokens for them. */
#include "gen/routes/shares.h"

#include "access/identity/share.h"
#include "server/dispatch/cookie.h"
#include "server/dispatch/origin.h"

fiber_fn Err route_share_info_show(struct ctx *ctx, const struct request *request,
                                   struct reply *reply)
{
    Uuid id;
    struct share_info info;
    if (!uuid_parse(request->params[0], &id))
        return fail_route(ctx, request);
    TRY(share_info(ctx, id, &info));
    struct share_reply share = {
        .id = info.id,
        .collection = info.collection,
        .item = info.item,
        .password = info.has_password ? STR("**********") : STR_NONE,
        .has_max_uses = info.has_max_uses,
        .max_uses = info.max_uses,
        .times_used = info.times_used,
        .has_date_start = info.date_start != 0,
        .date_start = info.date_start,
        .has_date_end = info.date_end != 0,
        .date_end = info.date_end,
    };
    share_info_show_reply_write(&reply->json, &(struct share_info_show_reply){.data = share});
    return OK;
}

struct attempt {
    Str share;
    Str password;
    enum session_mode mode;
};

static Err attempt_read(struct ctx *ctx, const struct json *body, struct attempt *ret)
{
    Str mode = STR("json");
    *ret = (struct attempt){.mode = SESSION_JSON};
    TRY(json_take_str(ctx, body, "share", 64, &ret->share));
    TRY(json_take_str(ctx, body, "password", SESSION_PASSWORD_MAX, &ret->password));
    TRY(json_take_str(ctx, body, "mode", 16, &mode));
    if (ret->share.len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"share\" is required");
    if (str_eq(mode, STR("cookie")))
        ret->mode = SESSION_COOKIE;
    else if (str_eq(mode, STR("session")))
        ret->mode = SESSION_SESSION;
    else if (!str_eq(mode, STR("json")))
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"mode\" must be one of [cookie, json, session]");
    return OK;
}

fiber_fn Err route_share_auth(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    struct attempt attempt;
    struct cookie_use use;
    Uuid id;
    TRY(request_object(ctx, request, &body));
    TRY(attempt_read(ctx, body, &attempt));
    TRY(origin_cookie_use(ctx, request, &use));
    if (attempt.mode != SESSION_JSON && !use.is_allowed)
        return fail(ctx, ERR_FORBIDDEN,
                    "A page of another origin gets no cookie of this host; use the mode json.");
    if (!uuid_parse(attempt.share, &id))
        return fail_plain(ctx, ERR_INVALID_CREDENTIALS);
    struct session_client client = {
        .ip = request->ip,
        .user_agent = request_header(request, STR("user-agent")),
        .origin = request_header(request, STR("origin")),
        .only_site = use.only_site,
    };
    struct session_tokens tokens;
    TRY(share_login(ctx, id, attempt.password, attempt.mode, &client, &tokens));
    reply_header(reply, STR("cache-control"), STR("no-store"));
    if (attempt.mode == SESSION_COOKIE)
        cookie_set(ctx, reply, COOKIE_REFRESH, tokens.refresh_token);
    if (attempt.mode == SESSION_SESSION)
        cookie_set(ctx, reply, COOKIE_SESSION, tokens.access_token);
    struct share_tokens_reply data = {
        .expires = tokens.expires_ms,
        .refresh_token = attempt.mode == SESSION_JSON ? tokens.refresh_token : STR_NONE,
        .access_token = attempt.mode == SESSION_SESSION ? STR_NONE : tokens.access_token,
    };
    share_auth_reply_write(&reply->json, &(struct share_auth_reply){.data = data});
    return OK;
}
