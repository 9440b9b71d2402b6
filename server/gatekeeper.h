/*
 * What stands before the routes of visitors, beside the guard: other origins that may read the
 * answer (CORS), and how often one address may ask (core/access/rates.def).
 */
#pragma once

#include "server/route.h"

struct router;

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
