/*
 * The router: a tree over path segments, built once at start and shared read-only by all threads. A
 * lookup visits one node per path segment; fixed segments of a node are found by binary search.
 */
#pragma once

#include "server/dispatch/route.h"

struct router;

/* Creates a router with the built-in routes. */
struct router *router_new(bool has_god_token);
void router_free(struct router *router);
/* False: a duplicate or malformed pattern. The route must outlive the router. */
bool router_add(struct router *router, const struct route *route);

struct route_match {
    const struct route *route; /* NULL: none */
    Str params[REQUEST_PARAMS_MAX];
    Str allowed; /* if only the method does not match: "GET, POST" */
};
/* Case-insensitive for the fixed parts, trailing slash optional; params are still encoded. HEAD
 * matches the GET route. */
struct route_match router_find(const struct router *router, struct arena *arena, Str method,
                               Str path);
