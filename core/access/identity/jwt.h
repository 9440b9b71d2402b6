/*
 * Access tokens: JWT, HS256 pinned, Directus' claims. libjwt stays in jwt.c.
 */
#pragma once

#include "base/system/ctx.h"

enum { JWT_LEN_MAX = 8192 };

struct claims {
    Uuid user;
    Uuid role; /* nil: none */
    bool admin_access;
    bool app_access;
    int64_t expires_s; /* since 1970 */
};

/* Could this be one of ours? Three parts whose payload says iss "directus". Anything else is a
 * static token. */
bool jwt_is_ours(struct ctx *ctx, Str token);
/* ERR_TOKEN_EXPIRED, or ERR_INVALID_TOKEN for everything else that is wrong with it. */
Err jwt_verify(struct ctx *ctx, Str token, Str secret, struct claims *ret);
/* A signed token that expires in ttl_s seconds. */
Err jwt_sign(struct ctx *ctx, const struct claims *claims, Str secret, int64_t ttl_s, Str *ret);
