/*
 * The handlers that routes.def names, declared from it. Each is defined in server/api/.
 */
#pragma once

#include "server/dispatch/route.h"

#define ROUTE(method, pattern, handler, guard, body, summary)                                      \
    fiber_fn Err handler(struct ctx *ctx, const struct request *request, struct reply *reply);
#include "server/dispatch/routes.def"
#undef ROUTE
