/*
 * What a request of ours brings: the parameters and the body that its route knows, read into the
 * route's struct. Routes of /api refuse what they do not know; those of Directus drop it, as
 * Directus does; those of extensions look after themselves.
 */
#pragma once

#include "server/http/request.h"

/* ERR_INVALID_QUERY names a parameter that the route does not know, and those that it knows. */
Err input_check_query(struct ctx *ctx, const struct request *request);

/*
 * Sets request->json and request->input. ERR_INVALID_JSON, ERR_UNSUPPORTED_MEDIA_TYPE; for members
 * that the route does not know ERR_INVALID_PAYLOAD; the rule of its site (site_rule_check); then
 * all faults of its fields.
 */
fiber_fn Err input_read(struct ctx *ctx, struct request *request);
