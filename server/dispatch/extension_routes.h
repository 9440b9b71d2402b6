/*
 * The endpoints of extensions as routes.
 */
#pragma once

#include "runtime/host.h"
#include "server/dispatch/router.h"

/* A HostRouteFn: whether a built-in route matches some of the same paths. */
bool extension_route_is_ours(Str method, Str pattern);
/* Created once, before the threads start; allocated in the arena, which must outlive the
 * routers. */
struct route *extension_routes_make(struct arena *arena, const struct host *host,
                                    uint32_t *ret_count);
/* A route that conflicts with a built-in one is skipped and logged. */
void extension_routes_add(struct router *router, const struct route *routes, uint32_t count);
