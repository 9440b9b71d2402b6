/*
 * What the public endpoints share: whose visitor is this, and what may a form contain.
 */
#pragma once

#include "server/route.h"

/* The visitor's site, by Host or Origin: ERR_UNKNOWN_SITE when neither is a site's. A body that
 * names another site (site_id, or `site`) is ERR_FORBIDDEN. */
Err visitor_site(struct ctx *ctx, const struct json *body, Uuid *ret);
/* One '@', a dot in the domain, no white space, at most 254 bytes. */
bool email_is_plausible(Str email);
