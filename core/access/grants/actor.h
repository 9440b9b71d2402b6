/*
 * The actor and what it may do. An actor is created per request (or per job) in its arena; its
 * grants are compiled once per epoch and shared.
 */
#pragma once

#include "access/grants/grants.h"
#include "base/system/ctx.h"

enum actor_kind {
    ACTOR_PUBLIC,     /* no token: the public policy */
    ACTOR_USER,       /* JWT or static token of a user */
    ACTOR_SITE_TOKEN, /* one site, scopes, expiry */
    ACTOR_SHARE,      /* token of a share: reads one item */
    ACTOR_ADMIN,      /* ADMIN_TOKEN */
    ACTOR_GOD,        /* X-God-Token */
    ACTOR_MACHINERY,  /* a job or the server itself */
};

/* Policies in force, and what they grant. */
struct policy_set {
    const Uuid *ids; /* in the order in which presets are merged: the last one wins */
    uint32_t count;
    const struct grants *grants;
};

struct actor {
    enum actor_kind kind;
    Uuid user;     /* nil when there is none */
    Uuid role;     /* nil when there is none */
    Uuid share;    /* ACTOR_SHARE only */
    bool is_admin; /* bypasses all policies; scope and site still apply */
    bool has_app_access;
    bool enforces_tfa;
    bool may_write; /* false: a site token without the scope "write" */
    Scope scope;    /* the scope of the credential; ctx->scope is computed from it */
    Str session;    /* the session in whose cookie the token came; STR_NONE: none */
    const struct policy_set *policies; /* NULL: none */
    const struct grants *grants;       /* never NULL; see grants_full() */

    /* For the activity log. */
    Str ip;
    Str user_agent;
    Str origin;
};

/* PLATFORM access for code that acts for this actor; ERR_FORBIDDEN outside PLATFORM scope. */
Err actor_platform(struct ctx *ctx, struct platform *ret);

/* ERR_UNAUTHENTICATED without a token, ERR_FORBIDDEN without admin rights (a site token counts as
 * an administrator of its own site). Admin routes of /api check this first. */
Err actor_require_admin(struct ctx *ctx);
