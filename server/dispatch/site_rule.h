/*
 * Whose rows a request is about. Authentication gives the ctx the scope of its caller; the rule of
 * the route narrows it to the one site that the request means, before the handler runs: narrower
 * than before, never wider. A route without a rule does not compile.
 */
#pragma once

#include "server/dispatch/field.h"

enum site_rule {
    SITE_NONE = 1,          /* no site's rows */
    SITE_CALLER,            /* the scope of the caller, as it is */
    SITE_HOST,              /* the site of the hostname; a body may not name another */
    SITE_HOST_OR_NONE,      /* the same, or NONE when no site has the hostname */
    SITE_PLATFORM,          /* the platform's own: nobody else may */
    SITE_NAMED,             /* the token's site, or the one that the platform names with site_id */
    SITE_NAMED_OR_PLATFORM, /* the same; where the platform names none, it stays PLATFORM */
    SITE_OF, /* as NAMED; where none is named, that of the first subject that is given */
};

/* What is asked for, and the statement that says whose it is. */
struct site_subject {
    const struct statement *sites; /* $1: ids */
    const char *noun;              /* "campaign" */
    size_t offset;                 /* of the field in the route's input */
    bool is_list;                  /* struct db_uuids, else Uuid */
};

struct route_site {
    enum site_rule rule;
    bool has_named; /* the input has the field site_id, at named_offset */
    size_t named_offset;
    const struct site_subject *subjects;
    uint32_t subject_count;
};

struct route;

/* ERR_FORBIDDEN for a tenant where PLATFORM is asked. */
Err site_rule_check_caller(struct ctx *ctx, const struct route *route);
/* ERR_UNKNOWN_SITE when a visitor's hostname is no site's, ERR_FORBIDDEN when the body (NULL: none)
 * names another site than it. */
Err site_rule_check_host(struct ctx *ctx, const struct route *route, const struct json *body);
/* *ret is a ctx of the site that the input means, or `ctx` itself where the rule leaves the scope
 * as it is. The site is the one that is named, or that of Host where nobody was authenticated.
 * ERR_FORBIDDEN: another site than the token's; ERR_UNKNOWN_SITE, ERR_NOT_FOUND, ERR_AMBIGUOUS_KEY,
 * ERR_FAILED_VALIDATION: it cannot be told. */
fiber_fn Err site_rule_enter(struct ctx *ctx, const struct request *request, struct ctx **ret);
