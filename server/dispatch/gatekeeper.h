/*
 * What stands before the routes, beside the guard: other origins that may read the answer (CORS),
 * and how often one address may ask (core/access/limits/rates.def).
 */
#pragma once

#include "server/dispatch/route.h"

struct router;

/* The headers that let a page of the platform's own origins (PUBLIC_URL, CORS_ORIGINS) read any
 * answer, with credentials. Before anything else of the request, so that refusals can be read too.
 * True: it was the preflight of such a page, and is answered. */
bool cors_platform(struct ctx *ctx, const struct request *request, struct reply *reply);

/* For a route of visitors: the headers that let a page of the site's own domains read the answer,
 * errors too. Never credentials. */
fiber_fn Err cors_open(struct ctx *ctx, const struct request *request, struct reply *reply);

/* OPTIONS with Origin, where a route of visitors takes POST: that route, which asks who comes as
 * for the request itself; NULL: no preflight of ours. */
const struct route *cors_preflight_route(const struct router *router, struct arena *arena,
                                         const struct request *request);
/* After cors_open: 204 with what may be sent, or ERR_FORBIDDEN. */
Err cors_preflight_answer(struct ctx *ctx, struct reply *reply);

/* Takes a token of the route's class, and says in headers how many are left. */
fiber_fn Err rate_pass(struct ctx *ctx, const struct request *request, struct reply *reply);
