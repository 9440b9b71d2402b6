/*
 * The demo of `spark up` on an empty database: imports the demo campaign through the API, lets the
 * workers generate its articles and prints the results. Does nothing if it has run before.
 */
#pragma once

#include "base/system/ctx.h"
#include "cli/console/say.h"

struct demo {
    const struct say *say;
    Str address; /* http://host:port of the running server */
    Str admin_token;
};

/* Errors are shown to the user; the server continues to run. */
Err demo_run(struct ctx *ctx, const struct demo *demo) __attribute__((weak));
