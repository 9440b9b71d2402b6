/*
 * A route: who may call it, what it takes, whose rows it is about, and its handler. The table is
 * generated from server/api/<family>/routes.def (tools/gen_routes.py), as are the router, the docs
 * and the route inventory of the tests. Extensions add theirs at start, before the first request.
 */
#pragma once

#include "access/limits/rate.h"
#include "base/settings/settings.h"
#include "server/dispatch/field.h"
#include "server/dispatch/shape.h"
#include "server/dispatch/site_rule.h"
#include "server/http/reply.h"

typedef Err RouteHandler(struct ctx *ctx, const struct request *request, struct reply *reply);

/* Who may call it at all; the handler and the grants decide what they may see. */
enum route_guard {
    GUARD_OPEN,    /* no authentication: even an invalid token is ignored */
    GUARD_PUBLIC,  /* anonymous or any valid credential */
    GUARD_PROBE,   /* the same; while PostgreSQL is unreachable, ctx->actor is NULL */
    GUARD_VISITOR, /* the same; Origin selects the site when Host does not */
    GUARD_MEMBER,  /* a valid credential */
    GUARD_ADMIN,   /* administrator, or the token of a site for that site */
    GUARD_GOD,     /* X-God-Token; answers 404 while GOD_MODE_TOKEN is unset */
};

enum route_body {
    BODY_NONE,    /* a body is ignored but may not pass 64 KiB */
    BODY_TRACK,   /* 8 KiB */
    BODY_PUBLIC,  /* 16 KiB */
    BODY_FORM,    /* 64 KiB */
    BODY_CONTENT, /* MAX_PAYLOAD_SIZE */
    BODY_BULK,    /* BULK_PAYLOAD_SIZE */
};

/* Whether a token that may only read is refused. */
enum route_write {
    READS = 1, /* changes nothing */
    WRITES,    /* refused to such a token */
    OPENS,     /* open to everybody: no token is checked */
};

enum route_tag {
#define TAG(name, title, description) TAG_##name,
#include "server/dispatch/tags.def"
#undef TAG
    TAG_COUNT
};

struct route {
    Str method;
    Str pattern;      /* "/items/:collection/:id" */
    const char *name; /* the handler's, without route_ */
    RouteHandler *handler;
    enum route_guard guard;
    enum route_body body;
    enum route_tag tag;
    enum rate_class rate;
    enum route_write write;
    struct route_site site;
    enum envelope envelope;
    struct route_input input;
    const struct route_shape *shapes; /* of its body and of its answers */
    uint32_t shape_count;
    const char *summary;
    void *extension; /* its endpoint, for routes that an extension added */
};

/* Those of ours, by family (gen/routes.c). */
extern const struct route ROUTES[];
extern const uint32_t ROUTES_COUNT;

/* The most bytes that a body may have. */
uint64_t route_body_max(const struct settings *settings, enum route_body body);
