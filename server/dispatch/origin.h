/*
 * The origin of a request: which page of a browser sent it, and whether that page may use cookies.
 *
 * A browser sends a cookie with every request to its host, whichever page made it; SameSite keeps
 * out pages of other registrable domains, but not those of a tenant's name below the platform's
 * own. So a cookie counts only for the platform's own pages, and, on a host of a site, for pages of
 * that site and its users. From everywhere else it is ignored, and none is set.
 */
#pragma once

#include "base/settings/settings.h"
#include "io/fiber/fiber.h"
#include "server/http/request.h"

enum origin_kind {
    ORIGIN_FOREIGN,
    ORIGIN_ANYBODY,  /* CORS_ORIGINS has *: it may read, without credentials */
    ORIGIN_PLATFORM, /* PUBLIC_URL, CORS_ORIGINS */
};
enum origin_kind origin_find(const struct settings *settings, Str origin);

/* Sent by no page, by a page of this very host, or by one of the platform's. */
bool origin_is_own(const struct settings *settings, const struct request *request);

/* For routes without authentication that read or set a cookie themselves. */
struct cookie_use {
    bool is_allowed;
    Uuid only_site; /* for sessions of this site's users; nil: of any */
};
fiber_fn Err origin_cookie_use(struct ctx *ctx, const struct request *request,
                               struct cookie_use *ret);
