/*
 * Site tokens: one site, scopes, an expiry. The token itself is shown once; its SHA-256 is stored.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

struct site_token_request {
    Uuid site;
    Str name;
    bool may_write;
    int64_t expires_wall_us; /* 0: never */
};

/* ERR_NOT_FOUND: no such site. */
fiber_fn Err site_token_create(struct platform platform, const struct site_token_request *request,
                               Uuid *ret_id, Str *ret_token);
