/*
 * A route: its guard, its fields, its site rule and its handler. The table is generated from
 * server/api/<family>/routes.def (tools/gen_routes.py), as are the router, the docs and the route
 * inventory of the tests. Extensions add routes at start, before the first request.
 */
#pragma once

#include "access/limits/rate.h"
#include "base/settings/settings.h"
#include "server/dispatch/field.h"
#include "server/dispatch/shape.h"
#include "server/dispatch/site_rule.h"
#include "server/http/reply.h"

typedef Err RouteHandler(struct ctx *ctx, const struct request *request, struct reply *reply);

/* Who may call the route; the handler and the grants decide which rows are visible. */
enum route_guard {
    GUARD_OPEN,    /* no authentication: even an invalid token is ignored */
    GUARD_PUBLIC,  /* anonymous or any valid credential */
    GUARD_PROBE,   /* like PUBLIC; while PostgreSQL is unreachable, ctx->actor is NULL */
    GUARD_VISITOR, /* like PUBLIC; Origin selects the site when Host does not */
    GUARD_MEMBER,  /* a valid credential */
    GUARD_ADMIN,   /* an administrator, or a site token for its own site */
    GUARD_GOD,     /* X-God-Token; answers 404 while GOD_MODE_TOKEN is unset */
};

enum route_body {
    BODY_NONE,    /* a body is ignored, but limited to 64 KiB */
    BODY_TRACK,   /* 8 KiB */
    BODY_PUBLIC,  /* 16 KiB */
    BODY_FORM,    /* 64 KiB */
    BODY_CONTENT, /* MAX_PAYLOAD_SIZE */
    BODY_BULK,    /* BULK_PAYLOAD_SIZE */
};

/* Whether a read-only token is refused. */
enum route_write {
    READS = 1, /* changes nothing */
    WRITES,    /* refused to a read-only token */
    OPENS,     /* open to everyone: no token is checked */
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
    const char *name; /* name of the handler without route_ */
    RouteHandler *handler;
    Str collection; /* the system collection that the handler of items serves here; or empty */
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
    void *extension; /* the endpoint of a route that an extension added */
};

/* The built-in routes, by family (gen/routes.c). */
extern const struct route ROUTES[];
extern const uint32_t ROUTES_COUNT;

/* The maximum size of a body in bytes. */
uint64_t route_body_max(const struct settings *settings, enum route_body body);
