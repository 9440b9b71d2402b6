/* What logins of users (session.c) and of shares (share.c) have in common. Private to this module.
 */
#pragma once

#include "access/identity/jwt.h"
#include "access/identity/login_limit.h"
#include "access/identity/session.h"
#include "base/settings/settings.h"

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
