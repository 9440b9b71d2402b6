/*
 * Identities: what a token proves, cached per epoch. Private to access/.
 */
#pragma once

#include "access/identity/cache.h"
#include "access/identity/jwt.h"
#include "access/identity/session.h"
#include "access/limits/login_limit.h"
#include "base/settings/settings.h"

/* How an identity reached the platform, for the activity log; all may be STR_NONE. */
struct caller {
    Str ip;
    Str user_agent;
    Str origin;
    Str session; /* in whose cookie the token came */
};
/* The actor that an identity is, in the arena of ctx: of a request, or of somebody whose rights are
 * asked for. */
struct actor *identity_actor(struct ctx *ctx, const struct identity *identity,
                             const struct caller *caller);
/* Of any token of a site: an administrator of that site alone, limited by the scopes. */
struct identity identity_of_site(Uuid site, const Str *scopes, uint32_t scope_count);

/* The public policy. */
fiber_fn Err identity_public(struct ctx *ctx, struct access_cache *cache, Str ip,
                             struct identity *ret, bool *ret_cacheable);
/* A static token: ADMIN_TOKEN, a site token, or a user's. ERR_INVALID_CREDENTIALS. */
fiber_fn Err identity_of_static_token(struct ctx *ctx, struct access_cache *cache, Str token,
                                      Str ip, struct identity *ret, bool *ret_cacheable);
/* The user of a verified access token. ERR_INVALID_CREDENTIALS when deleted or not active. */
/* share_rights.c: a share that still holds. ERR_INVALID_CREDENTIALS otherwise. What it reaches
 * changes with the rows, so it is never cached. */
fiber_fn Err identity_of_share(struct ctx *ctx, struct access_cache *cache, Uuid share, Str ip,
                               struct identity *ret, bool *ret_cacheable);
/* ERR_INVALID_CREDENTIALS when the site is closed. */
fiber_fn Err identity_site_check(struct ctx *ctx, const struct access_cache *cache, Uuid site);
fiber_fn Err identity_of_user(struct ctx *ctx, struct access_cache *cache, Uuid user, Str ip,
                              struct identity *ret, bool *ret_cacheable);

/*
 * What logins of users (session.c) and of shares (share.c) have in common.
 */

enum { SESSION_TOKEN_LEN = 64 };

struct login_limits session_limits(const struct settings *settings);
/* One of the few checks that run at once. An empty hash takes as long as another, and is wrong. */
fiber_fn Err session_check_password(struct ctx *ctx, Str hash, Str password, bool is_known,
                                    bool *ret_is_right);
/* The tokens of a session; `session` is its own. */
Err session_make_tokens(struct ctx *ctx, struct claims claims, Str session, enum session_mode mode,
                        struct session_tokens *ret);
int64_t session_expiry(const struct ctx *ctx, enum session_mode mode);
/* Every answer takes as long as LOGIN_STALL_TIME says. */
fiber_fn Err session_stall(struct ctx *ctx, int64_t started_us);
