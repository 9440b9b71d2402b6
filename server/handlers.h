/*
 * The handlers that routes.def names, declared from it. Each is defined in server/routes/.
 */
#pragma once

#include "server/route.h"

#define ROUTE(method, pattern, handler, guard, body, summary)                                      \
    fiber_fn Err handler(struct ctx *ctx, const struct request *request, struct reply *reply);
#include "server/routes.def"
#undef ROUTE
