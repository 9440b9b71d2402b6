/*
 * Access tokens: JWT, HS256 only, with Directus' claims. Only jwt.c uses libjwt.
 */
#pragma once

#include "base/system/ctx.h"

enum { JWT_LEN_MAX = 8192 };

struct claims {
    Uuid user;
    Uuid role; /* nil: none */
    bool admin_access;
    bool app_access;
    Uuid share;        /* a token of a share has no user; nil: of a user */
    Str session;       /* the session that the token belongs to; STR_NONE: none */
    int64_t expires_s; /* since 1970 */
};

/* Whether the token may be ours: three parts whose payload has iss "directus". Any other token is a
 * static token. */
bool jwt_is_ours(struct ctx *ctx, Str token);
/* ERR_TOKEN_EXPIRED; ERR_INVALID_TOKEN for any other fault. */
Err jwt_verify(struct ctx *ctx, Str token, Str secret, struct claims *ret);
/* The claim `session` of a token whose signature is known to be good; STR_NONE if it has none. */
Str jwt_session(struct ctx *ctx, Str token);
/* A signed token that expires in ttl_s seconds. */
Err jwt_sign(struct ctx *ctx, const struct claims *claims, Str secret, int64_t ttl_s, Str *ret);
