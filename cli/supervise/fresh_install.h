/*
 * FORCE_FRESH_INSTALL=<name of the database>: empties the database before migrations, once. Any
 * value except the database's own name is ignored, so that a setting that was copied to another
 * environment cannot destroy its database. A mark in the database prevents a second run if the
 * setting stays in place.
 */
#pragma once

#include "base/system/ctx.h"

/* *ret_done: the schemas spark and public were emptied. *ret_why: otherwise the reason, as a
 * sentence for the user; empty if it was not requested. */
Err fresh_install(struct ctx *ctx, const char *url, Str asked, bool *ret_done, Str *ret_why);
