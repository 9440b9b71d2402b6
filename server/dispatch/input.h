/*
 * The parameters and the body of a request, read into the route's struct. Routes of /api refuse
 * unknown ones; those of Directus ignore them, as Directus does; those of extensions check their
 * own.
 */
#pragma once

#include "server/http/request.h"

/* ERR_INVALID_QUERY names an unknown parameter and lists the known ones. */
Err input_check_query(struct ctx *ctx, const struct request *request);

/*
 * Sets request->json and request->input. ERR_INVALID_JSON, ERR_UNSUPPORTED_MEDIA_TYPE;
 * ERR_INVALID_PAYLOAD for unknown members; errors of the route's site rule (site_rule_check); then
 * all faults of its fields.
 */
fiber_fn Err input_read(struct ctx *ctx, struct request *request);
