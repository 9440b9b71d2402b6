/*
 * Authentication: resolves the credentials of a request to an actor and a scope, once per request,
 * before anything else. The results are cached per thread under the epoch and the stamp of their
 * site. A revoked right is therefore ineffective from the next request that accesses the database
 * (within one second for other requests); a new right is effective from the next request
 * (access_settle).
 */
#pragma once

#include "access/grants/actor.h"
#include "io/fiber/fiber.h"

struct credentials {
    Str bearer;         /* Authorization: Bearer … */
    Str query_token;    /* ?access_token= */
    Str session_cookie; /* SESSION_COOKIE_NAME */
    Str god_token;      /* X-God-Token */
    Str site_selector;  /* X-Site-Id: an administrator narrows to one site */
    Str host;           /* as sent; normalised here */
    Str ip;
    Str user_agent;
    Str origin;
    bool is_own_page; /* sent by no page, or by one whose origin may use any cookie */
};

/* Whether the token is that of the cookie, which every page makes the browser send. */
bool credentials_are_cookie(const struct credentials *credentials);

/*
 * *ret replaces `ctx` and has actor, scope, epoch and stamp; it is also set after an error, so that
 * the log names the site. Without a token: the public actor, on the site of the host, or in NONE
 * scope if the host belongs to no site. ERR_INVALID_PAYLOAD: the token was sent in two ways at
 * once; ERR_INVALID_CREDENTIALS: unknown static token; ERR_INVALID_TOKEN, ERR_TOKEN_EXPIRED: of
 * JWTs; ERR_FORBIDDEN: a token bound to one site on the host of another, or a wrong god token.
 */
fiber_fn Err authenticate(struct ctx *ctx, const struct credentials *credentials, struct ctx **ret);

/* The sites that the hostnames of a request belong to; nil: none. */
struct request_sites {
    Uuid by_host;
    Uuid by_origin;
    bool is_loopback; /* Host names this machine, and therefore contradicts no site */
};
fiber_fn Err request_sites_find(struct ctx *ctx, Str host, Str origin, struct request_sites *ret);
/* The page belongs to the site of the host. */
bool request_sites_are_one(const struct request_sites *sites);
/* The page belongs to a site, and the host does not belong to another. */
bool request_sites_may_meet(const struct request_sites *sites);

/* Lower-cased, without port and trailing dot, IDN labels as punycode, IPv6 literals in their
 * shortest form; STR_NONE if it is not a host name or address. */
Str host_normalise(struct arena *arena, Str host);

/* The active site of a host by exact match over domains and aliases; nil uuid when there is none.
 * Sets ctx->epoch and ctx->stamp, which later statements check. */
fiber_fn Err site_find_by_host(struct ctx *ctx, Str host, Uuid *ret);
