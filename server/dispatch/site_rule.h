/*
 * The site rule: which rows a request is about. Authentication gives the ctx the scope of its
 * caller; the rule of the route narrows it to the one site of the request before the handler runs,
 * and never widens it. A route without a rule does not compile.
 */
#pragma once

#include "server/dispatch/field.h"

enum site_rule {
    SITE_NONE = 1,          /* no rows of a site */
    SITE_CALLER,            /* the scope of the caller, unchanged */
    SITE_HOST,              /* the site of the hostname; a body may not name another */
    SITE_HOST_OR_NONE,      /* the same, or NONE when no site has the hostname */
    SITE_PLATFORM,          /* PLATFORM scope is required */
    SITE_NAMED,             /* the token's site, or the site that the platform names with site_id */
    SITE_NAMED_OR_PLATFORM, /* the same; if the platform names none, it stays PLATFORM */
    SITE_OF, /* like NAMED; if none is named, the site of the first supplied subject */
};

/* A row that implies a site, and the statement that finds the site. */
struct site_subject {
    const struct statement *sites; /* $1: ids */
    const char *noun;              /* "campaign" */
    size_t offset;                 /* of the field in the route's input */
    bool is_list;                  /* struct db_uuids instead of Uuid */
};

struct route_site {
    enum site_rule rule;
    bool has_named; /* the input has the field site_id, at named_offset */
    size_t named_offset;
    const struct site_subject *subjects;
    uint32_t subject_count;
};

struct route;

/* ERR_FORBIDDEN for a tenant if PLATFORM is required. */
Err site_rule_check_caller(struct ctx *ctx, const struct route *route);
/* ERR_UNKNOWN_SITE when a visitor's hostname belongs to no site, ERR_FORBIDDEN when the body (NULL:
 * none) names another site. */
Err site_rule_check_host(struct ctx *ctx, const struct route *route, const struct json *body);
/* *ret is a ctx of the site that the input names or implies, or `ctx` itself if the rule does not
 * change the scope. Without authentication it is the site of Host. ERR_FORBIDDEN: another site than
 * the token's; ERR_UNKNOWN_SITE, ERR_NOT_FOUND, ERR_AMBIGUOUS_KEY, ERR_FAILED_VALIDATION: the site
 * cannot be determined. */
fiber_fn Err site_rule_enter(struct ctx *ctx, const struct request *request, struct ctx **ret);
