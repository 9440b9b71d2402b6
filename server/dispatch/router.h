/*
 * The router: a tree over path segments, built once at start and shared by all threads, which only
 * read it. A find touches as many nodes as the path has segments; fixed segments of a node are
 * searched by halves.
 */
#pragma once

#include "server/dispatch/route.h"

struct router;

/* Makes a router with our own routes. */
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
