/*
 * What routes of /api know (members.def): parameters of the query and members of the body. Anything
 * else is refused before the handler acts. Routes of Directus drop what they do not know, as
 * Directus does; those of extensions look after themselves.
 */
#pragma once

#include "server/dispatch/request.h"

/* ERR_INVALID_QUERY names the parameter and what is known. */
Err members_check_query(struct ctx *ctx, const struct request *request);
/* ERR_INVALID_PAYLOAD names the member and what is known. */
fiber_fn Err members_check_body(struct ctx *ctx, const struct request *request,
                                const struct json *body);
/* Whether members.def has a line for the route, if it needs one. */
bool members_are_listed(const struct route *route);
