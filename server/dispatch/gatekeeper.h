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

/* For the content API and the visitors' routes: sets the headers that let a page of the site's own
 * domains read the answer, including errors. `is_known`: ctx has the scope of the caller, so the
 * page must belong to that site; else the host must not belong to another. Visitors' routes take no
 * credentials; of those, the others take what origin.h says. */
fiber_fn Err cors_open(struct ctx *ctx, const struct request *request, struct reply *reply,
                       bool is_known);

/* The route that a preflight of a site's page asks for. NULL: not a preflight, or not for us. */
const struct route *cors_preflight_route(const struct router *router, struct arena *arena,
                                         const struct request *request);
/* Call after cors_open: 204 with the allowed methods and headers, or ERR_FORBIDDEN. */
Err cors_preflight_answer(struct ctx *ctx, const struct route *route, struct reply *reply);

/* Takes a token of the route's rate class, and sets headers with the number left. */
fiber_fn Err rate_pass(struct ctx *ctx, const struct request *request, struct reply *reply);
