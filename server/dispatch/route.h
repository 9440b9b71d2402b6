/*
 * The surface: routes.def, one line a route, makes the router, the docs and the route inventory of
 * the tests. Extensions add theirs at start, before the first request.
 */
#pragma once

#include "server/dispatch/request.h"
#include "server/http/reply.h"

typedef Err RouteHandler(struct ctx *ctx, const struct request *request, struct reply *reply);

/* Who may call it at all; what they may see is the handler's and the grants' business. */
enum route_guard {
    GUARD_OPEN,    /* not even looked at: a bad token does not matter */
    GUARD_PUBLIC,  /* anonymous or any valid credential */
    GUARD_PROBE,   /* the same; while PostgreSQL is away nobody is known: ctx->actor is NULL then */
    GUARD_VISITOR, /* the same, and a site is found by Origin when Host has none */
    GUARD_MEMBER,  /* a valid credential */
    GUARD_ADMIN,   /* administrator, or the token of a site for that site */
    GUARD_GOD,     /* X-God-Token; does not exist while GOD_MODE_TOKEN is unset */
};

enum route_body {
    BODY_NONE,    /* a body is ignored but may not pass 64 KiB */
    BODY_TRACK,   /* 8 KiB */
    BODY_PUBLIC,  /* 16 KiB */
    BODY_FORM,    /* 64 KiB */
    BODY_CONTENT, /* MAX_PAYLOAD_SIZE */
    BODY_BULK,    /* BULK_PAYLOAD_SIZE */
};

struct route {
    Str method;
    Str pattern;      /* "/items/:collection/:id" */
    const char *name; /* the handler's */
    RouteHandler *handler;
    enum route_guard guard;
    enum route_body body;
    enum envelope envelope;
    const char *summary;
    void *extension; /* its endpoint, for routes that an extension added */
};

struct router;

/* Makes a router with the routes of routes.def. */
struct router *router_new(bool has_god_token);
void router_free(struct router *router);
/* A duplicate or a malformed pattern is refused (false). The route must live as long. */
bool router_add(struct router *router, const struct route *route);

struct route_match {
    const struct route *route; /* NULL: none */
    Str params[REQUEST_PARAMS_MAX];
    Str allowed; /* when only the method was wrong: "GET, POST" */
};
/* Case-insensitive over the fixed parts, trailing slash optional; params still encoded. HEAD finds
 * the GET route. */
struct route_match router_find(const struct router *router, struct arena *arena, Str method,
                               Str path);

const struct route *routes_all(uint32_t *ret_count); /* routes.def, in order */
enum envelope envelope_of_path(Str path);            /* /api, /god: ENVELOPE_API */
