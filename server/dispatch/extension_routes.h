/*
 * The endpoints of extensions as routes.
 */
#pragma once

#include "runtime/host.h"
#include "server/dispatch/router.h"

/* A HostRouteFn: whether a route of routes.def answers to some of the same paths. */
bool extension_route_is_ours(Str method, Str pattern);
/* Made once, before the threads start; memory from the arena, which must outlive the routers. */
struct route *extension_routes_make(struct arena *arena, const struct host *host,
                                    uint32_t *ret_count);
/* One that a route of our own stands in the way of is left out, with a log line. */
void extension_routes_add(struct router *router, const struct route *routes, uint32_t count);
