/*
 * CORS and rate limits, which are checked in addition to the route guard: other origins that may
 * read the answer, and how often one address may call (core/access/limits/rates.def).
 */
#pragma once

#include "server/dispatch/route.h"

struct router;

/* Sets the headers that let a page of the platform's own origins (PUBLIC_URL, CORS_ORIGINS) read
 * any answer, with credentials. Called before the other checks, so that refusals can be read too.
 * True: the request was a preflight of such a page, and is answered. */
bool cors_platform(struct ctx *ctx, const struct request *request, struct reply *reply);

/* For a visitors' route: sets the headers that let a page of the site's own domains read the
 * answer, including errors. Never with credentials. */
fiber_fn Err cors_open(struct ctx *ctx, const struct request *request, struct reply *reply);

/* The visitors' route of an OPTIONS request with Origin, if it accepts POST; authentication is the
 * same as for the request itself. NULL: not a preflight for us. */
const struct route *cors_preflight_route(const struct router *router, struct arena *arena,
                                         const struct request *request);
/* Call after cors_open: 204 with the allowed methods and headers, or ERR_FORBIDDEN. */
Err cors_preflight_answer(struct ctx *ctx, struct reply *reply);

/* Takes a token of the route's rate class, and sets headers with the number left. */
fiber_fn Err rate_pass(struct ctx *ctx, const struct request *request, struct reply *reply);
