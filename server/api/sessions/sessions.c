/* Sessions: login, refresh, logout in Directus' modes json, cookie and session. */
#include "gen/routes/sessions.h"

#include "access/identity/session.h"
#include "base/settings/settings.h"
#include "io/reactor/reactor.h"
#include "server/dispatch/cookie.h"
#include "server/dispatch/origin.h"

#define NO_TOKEN "The refresh token is required in either the payload or cookie"

static struct session_client client_of(const struct request *request, const struct cookie_use *use)
{
    return (struct session_client){
        .ip = request->ip,
        .user_agent = request_header(request, STR("user-agent")),
        .origin = request_header(request, STR("origin")),
        .only_site = use->only_site,
    };
}

static bool mode_find(Str text, enum session_mode *ret)
{
    if (str_eq(text, STR("json")))
        *ret = SESSION_JSON;
    else if (str_eq(text, STR("cookie")))
        *ret = SESSION_COOKIE;
    else if (str_eq(text, STR("session")))
        *ret = SESSION_SESSION;
    else
        return false;
    return true;
}

static enum cookie cookie_of(enum session_mode mode)
{
    return mode == SESSION_SESSION ? COOKIE_SESSION : COOKIE_REFRESH;
}

/* What the body says of the tokens; a cookie has the rest. */
static struct tokens_reply hand_out(struct ctx *ctx, struct reply *reply,
                                    const struct session_tokens *tokens, enum session_mode mode)
{
    reply_header(reply, STR("cache-control"), STR("no-store"));
    if (mode == SESSION_COOKIE)
        cookie_set(ctx, reply, COOKIE_REFRESH, tokens->refresh_token);
    if (mode == SESSION_SESSION)
        cookie_set(ctx, reply, COOKIE_SESSION, tokens->access_token);
    return (struct tokens_reply){
        .expires = tokens->expires_ms,
        .refresh_token = mode == SESSION_JSON ? tokens->refresh_token : STR_NONE,
        .access_token = mode == SESSION_SESSION ? STR_NONE : tokens->access_token,
    };
}

static bool looks_like_email(Str s)
{
    ptrdiff_t at = str_find_char(s, '@');
    return at > 0 && (size_t)at + 1 < s.len &&
           str_find_char(str_slice(s, (size_t)at + 1, s.len), '@') < 0 && str_find_char(s, ' ') < 0;
}

static Err login_read(struct ctx *ctx, const struct json *body, struct session_login *ret)
{
    Str mode = STR("json");
    *ret = (struct session_login){0};
    TRY(json_take_str(ctx, body, "email", SESSION_EMAIL_MAX, &ret->email));
    TRY(json_take_str(ctx, body, "password", SESSION_PASSWORD_MAX, &ret->password));
    TRY(json_take_str(ctx, body, "otp", SESSION_OTP_MAX, &ret->otp));
    TRY(json_take_str(ctx, body, "mode", 16, &mode));
    if (ret->email.len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"email\" is required");
    if (!looks_like_email(ret->email))
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"email\" must be a valid email");
    if (ret->password.len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"password\" is required");
    if (!mode_find(mode, &ret->mode))
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"mode\" must be one of [cookie, json, session]");
    return OK;
}

fiber_fn Err route_auth_login(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct session_login login;
    TRY(login_read(ctx, body, &login));
    struct cookie_use use = {.is_allowed = true};
    if (login.mode != SESSION_JSON)
        TRY(origin_cookie_use(ctx, request, &use));
    if (!use.is_allowed)
        return fail(ctx, ERR_FORBIDDEN,
                    "A page of another origin gets no cookie of this host; use the mode json.");

    struct session_client client = client_of(request, &use);
    struct session_tokens tokens;
    TRY(session_login(ctx, &login, &client, &tokens));
    struct tokens_reply data = hand_out(ctx, reply, &tokens, login.mode);
    auth_login_reply_write(&reply->json, &(struct auth_login_reply){.data = data});
    return OK;
}

/* What a request presents of a session. */
struct ticket {
    Str token;
    enum session_mode mode;
    struct cookie_use use;
};

/* The mode json takes the token from the body, the others take it from their cookie. Without a mode
 * a token in the body means json, none means cookie. */
static fiber_fn Err ticket_read(struct ctx *ctx, const struct request *request, struct ticket *ret)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    Str token = STR_NONE;
    Str mode = STR_NONE;
    TRY(json_take_str(ctx, body, "refresh_token", SESSION_REFRESH_MAX, &token));
    TRY(json_take_str(ctx, body, "mode", 16, &mode));
    *ret = (struct ticket){.mode = token.len > 0 ? SESSION_JSON : SESSION_COOKIE};
    if (mode.len > 0 && !mode_find(mode, &ret->mode))
        return fail(ctx, ERR_INVALID_PAYLOAD, NO_TOKEN);
    if (ret->mode == SESSION_JSON) {
        ret->token = token;
    } else {
        TRY(origin_cookie_use(ctx, request, &ret->use));
        if (ret->use.is_allowed)
            ret->token = cookie_get(ctx->reactor->settings, request, cookie_of(ret->mode));
    }
    return ret->token.len > 0 ? OK : fail(ctx, ERR_INVALID_PAYLOAD, NO_TOKEN);
}

/* A session that is over leaves no cookie, so that the browser stops sending it. */
static Err clear_if_over(struct ctx *ctx, struct reply *reply, const struct ticket *ticket, Err err)
{
    bool is_over = err == ERR_INVALID_CREDENTIALS || err == ERR_INVALID_TOKEN ||
                   err == ERR_TOKEN_EXPIRED || err == ERR_USER_SUSPENDED;
    if (is_over && ticket->mode == SESSION_SESSION)
        cookie_set(ctx, reply, COOKIE_SESSION, STR(""));
    return err;
}

fiber_fn Err route_auth_refresh(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct ticket ticket;
    TRY(ticket_read(ctx, request, &ticket));
    struct session_client client = client_of(request, &ticket.use);
    struct session_tokens tokens;
    Err err = session_refresh(ctx, ticket.token, ticket.mode, &client, &tokens);
    TRY(clear_if_over(ctx, reply, &ticket, err));
    struct tokens_reply data = hand_out(ctx, reply, &tokens, ticket.mode);
    auth_refresh_reply_write(&reply->json, &(struct auth_refresh_reply){.data = data});
    return OK;
}

fiber_fn Err route_auth_logout(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    struct ticket ticket;
    TRY(ticket_read(ctx, request, &ticket));
    struct session_client client = client_of(request, &ticket.use);
    Err err = session_logout(ctx, ticket.token, ticket.mode, &client);
    TRY(clear_if_over(ctx, reply, &ticket, err));
    reply_no_content(reply);
    for (enum cookie cookie = COOKIE_REFRESH; cookie <= COOKIE_SESSION; cookie++)
        if (cookie_get(ctx->reactor->settings, request, cookie).len > 0)
            cookie_set(ctx, reply, cookie, STR(""));
    return OK;
}

/* There are no other ways to log in than by e-mail and password. */
fiber_fn Err route_auth_providers(struct ctx *ctx, const struct request *request,
                                  struct reply *reply)
{
    (void)ctx;
    (void)request;
    auth_providers_reply_write(&reply->json, &(struct auth_providers_reply){.data = STR("[]")});
    return OK;
}
