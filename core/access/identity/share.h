/*
 * Shares: a link to one item, which visitors exchange for a token. The token reads the item and
 * what it is related to, as far as the share's role and its creator may.
 */
#pragma once

#include "access/identity/session.h"

struct share_info {
    Uuid id;
    Str collection;
    Str item;
    bool has_password;
    bool has_max_uses;
    int64_t max_uses;
    int64_t times_used;
    int64_t date_start; /* 0: none */
    int64_t date_end;   /* 0: none */
};
/* ERR_FORBIDDEN: no such share, not at this time, or, on a host of a site, of another site. */
fiber_fn Err share_info(struct ctx *ctx, Uuid id, struct share_info *ret);

/* ERR_INVALID_CREDENTIALS for every reason, after the same time; ERR_RATE_LIMITED as for logins. */
fiber_fn Err share_login(struct ctx *ctx, Uuid id, Str password, enum session_mode mode,
                         const struct session_client *client, struct session_tokens *ret);
/* The next tokens of a share's session; `session`: its refresh token, or what the access token of
 * the mode session names. ERR_INVALID_CREDENTIALS: no such session, or the share is not in its
 * time. */
fiber_fn Err share_refresh(struct ctx *ctx, Str session, enum session_mode mode,
                           const struct session_client *client, struct session_tokens *ret);
