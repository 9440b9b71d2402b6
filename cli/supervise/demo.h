/*
 * The demo that `spark up` plays on an empty database: imports the demo campaign through the API,
 * lets the workers generate its articles and tells what was made. Nothing if it was played before.
 */
#pragma once

#include "base/system/ctx.h"
#include "cli/console/say.h"

struct demo {
    const struct say *say;
    Str address; /* http://host:port of the server that was just started */
    Str admin_token;
};

/* ERR_UNAVAILABLE, ERR_CONFIG …: told to the user; the server goes on. */
Err demo_run(struct ctx *ctx, const struct demo *demo) __attribute__((weak));
