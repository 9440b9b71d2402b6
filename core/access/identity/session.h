/*
 * Sessions: login, refresh, logout, as Directus 11 does them. In the modes json and cookie a
 * session is a refresh token, which is used once: refreshing replaces it. In the mode session it is
 * a claim of the access token, which a browser keeps in a cookie and sends with each request.
 */
#pragma once

#include "access/identity/authenticate.h"

/* The most characters of what a client sends. */
enum {
    SESSION_EMAIL_MAX = 254,
    SESSION_PASSWORD_MAX = 1024,
    SESSION_REFRESH_MAX = 256,
    SESSION_OTP_MAX = 64
};

enum session_mode { SESSION_JSON, SESSION_COOKIE, SESSION_SESSION };

struct session_tokens {
    Str access_token;
    Str refresh_token;  /* of the modes json and cookie */
    int64_t expires_ms; /* lifetime of the access token */
};

struct session_login {
    Str email;
    Str password;
    Str otp; /* the one-time password of users who have one */
    enum session_mode mode;
};

/* Who asks. */
struct session_client {
    Str ip;
    Str user_agent;
    Str origin;
    Uuid only_site; /* a page of this site asks with a cookie: only sessions of its users; nil: any
                     */
};

/* ERR_INVALID_CREDENTIALS for an unknown user, a wrong password and an inactive user, without
 * distinction and after the same time (LOGIN_STALL_TIME). ERR_INVALID_OTP: the password is right,
 * the one-time password is wrong or missing. ERR_RATE_LIMITED after too many failures
 * (login_limit.h). ERR_UNAVAILABLE when too many passwords are being checked. */
fiber_fn Err session_login(struct ctx *ctx, const struct session_login *login,
                           const struct session_client *client, struct session_tokens *ret);

/* `token`: the refresh token, or the access token of the mode session. ERR_INVALID_CREDENTIALS when
 * it is unknown, used or expired, ERR_USER_SUSPENDED; of an access token also ERR_TOKEN_EXPIRED and
 * ERR_INVALID_TOKEN. */
fiber_fn Err session_refresh(struct ctx *ctx, Str token, enum session_mode mode,
                             const struct session_client *client, struct session_tokens *ret);
/* An unknown refresh token is not an error; a bad access token is, as for session_refresh. */
fiber_fn Err session_logout(struct ctx *ctx, Str token, enum session_mode mode,
                            const struct session_client *client);
