/*
 * Sessions: login, refresh, logout, as Directus 11 does them in its modes json and cookie. A
 * refresh token is used once: refreshing replaces it.
 */
#pragma once

#include "access/identity/authenticate.h"

/* The most characters of what a client sends. */
enum { SESSION_EMAIL_MAX = 254, SESSION_PASSWORD_MAX = 1024, SESSION_REFRESH_MAX = 256 };

struct session_tokens {
    Str access_token;
    Str refresh_token;
    int64_t expires_ms; /* lifetime of the access token */
};

/* ERR_INVALID_CREDENTIALS for an unknown user, a wrong password and an inactive user, without
 * distinction and after the same time. ERR_RATE_LIMITED after too many failures (login_limit.h).
 * ERR_UNAVAILABLE when too many passwords are being checked. */
fiber_fn Err session_login(struct ctx *ctx, Str email, Str password,
                           const struct credentials *client, struct session_tokens *ret);
/* ERR_INVALID_CREDENTIALS when the token is unknown, used or expired. */
fiber_fn Err session_refresh(struct ctx *ctx, Str refresh_token, const struct credentials *client,
                             struct session_tokens *ret);
/* An unknown token is not an error. */
fiber_fn Err session_logout(struct ctx *ctx, Str refresh_token, Str ip);
