/* Sessions: login, refresh, logout in Directus' modes json and cookie. */
#include "gen/routes/sessions.h"

#include "access/identity/session.h"
#include "base/settings/settings.h"
#include "io/reactor/reactor.h"

#define REFRESH_COOKIE "directus_refresh_token"

enum mode { MODE_JSON, MODE_COOKIE };

static struct credentials client_of(const struct request *request)
{
    return (struct credentials){
        .ip = request->ip,
        .user_agent = request_header(request, STR("user-agent")),
        .origin = request_header(request, STR("origin")),
    };
}

static Err mode_read(struct ctx *ctx, const struct json *body, enum mode fallback, enum mode *ret)
{
    Str mode = STR_NONE;
    TRY(json_take_str(ctx, body, "mode", 16, &mode));
    *ret = fallback;
    if (mode.len == 0)
        return OK;
    if (str_eq(mode, STR("json")))
        *ret = MODE_JSON;
    else if (str_eq(mode, STR("cookie")))
        *ret = MODE_COOKIE;
    else
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"mode\" must be one of [json, cookie]");
    return OK;
}

static void cookie_set(struct ctx *ctx, struct reply *reply, Str value, int64_t age_s)
{
    reply_header(reply, STR("set-cookie"),
                 str_printf(ctx->arena,
                            REFRESH_COOKIE "=%.*s; Path=/; Max-Age=%jd; HttpOnly; SameSite=Lax",
                            STR_FMT(value), (intmax_t)age_s));
}

/* What the body says of them; in the mode cookie the refresh token is in a cookie alone. */
static struct tokens_reply hand_out(struct ctx *ctx, struct reply *reply,
                                    const struct session_tokens *tokens, enum mode mode)
{
    reply_header(reply, STR("cache-control"), STR("no-store"));
    if (mode == MODE_COOKIE)
        cookie_set(ctx, reply, tokens->refresh_token, ctx->reactor->settings->refresh_token_ttl_s);
    return (struct tokens_reply){
        .expires = tokens->expires_ms,
        .refresh_token = mode == MODE_JSON ? tokens->refresh_token : STR_NONE,
        .access_token = tokens->access_token,
    };
}

static bool looks_like_email(Str s)
{
    ptrdiff_t at = str_find_char(s, '@');
    return at > 0 && (size_t)at + 1 < s.len &&
           str_find_char(str_slice(s, (size_t)at + 1, s.len), '@') < 0;
}

fiber_fn Err route_auth_login(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    Str email = STR_NONE;
    Str password = STR_NONE;
    enum mode mode;
    TRY(json_take_str(ctx, body, "email", SESSION_EMAIL_MAX, &email));
    TRY(json_take_str(ctx, body, "password", SESSION_PASSWORD_MAX, &password));
    TRY(mode_read(ctx, body, MODE_JSON, &mode));
    if (email.len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"email\" is required");
    if (!looks_like_email(email))
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"email\" must be a valid email");
    if (password.len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"password\" is required");

    struct credentials client = client_of(request);
    struct session_tokens tokens;
    TRY(session_login(ctx, email, password, &client, &tokens));
    struct tokens_reply data = hand_out(ctx, reply, &tokens, mode);
    auth_login_reply_write(&reply->json, &(struct auth_login_reply){.data = data});
    return OK;
}

/* The token from the body, else from the cookie; the mode follows from the source. */
static fiber_fn Err refresh_token_read(struct ctx *ctx, const struct request *request, Str *ret,
                                       enum mode *ret_mode)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    Str token = STR_NONE;
    TRY(json_take_str(ctx, body, "refresh_token", SESSION_REFRESH_MAX, &token));
    TRY(mode_read(ctx, body, token.len > 0 ? MODE_JSON : MODE_COOKIE, ret_mode));
    if (token.len == 0)
        token = request_cookie(request, STR(REFRESH_COOKIE));
    if (token.len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "The refresh token is required in either the payload or cookie");
    *ret = token;
    return OK;
}

fiber_fn Err route_auth_refresh(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    Str token;
    enum mode mode;
    TRY(refresh_token_read(ctx, request, &token, &mode));
    struct credentials client = client_of(request);
    struct session_tokens tokens;
    TRY(session_refresh(ctx, token, &client, &tokens));
    struct tokens_reply data = hand_out(ctx, reply, &tokens, mode);
    auth_refresh_reply_write(&reply->json, &(struct auth_refresh_reply){.data = data});
    return OK;
}

fiber_fn Err route_auth_logout(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    Str token;
    enum mode mode;
    TRY(refresh_token_read(ctx, request, &token, &mode));
    TRY(session_logout(ctx, token, request->ip));
    reply_no_content(reply);
    if (request_cookie(request, STR(REFRESH_COOKIE)).len > 0)
        cookie_set(ctx, reply, STR(""), 0);
    return OK;
}
