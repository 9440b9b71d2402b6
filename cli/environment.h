/*
 * Files of NAME=value lines: the generated secrets, the addresses of what runs, a configuration of
 * the operator. What the environment already says always wins.
 */
#pragma once

#include "base/ctx.h"

/* Sets every name of the file that the environment does not have. A missing file is no error. */
Err environment_read(struct ctx *ctx, const char *path);

/* Replaces the file (0600) whole or not at all. */
Err environment_write(struct ctx *ctx, const char *path, Str text);

/* Makes sure that ADMIN_TOKEN, ADMIN_PASSWORD and SECRET are set: from the environment, from the
 * file, or newly made and then kept in the file. *ret_made: something new was made. */
Err environment_make_secrets(struct ctx *ctx, const char *path, bool *ret_made);

/* For operators' commands beside a running `spark up`: takes over its addresses and secrets when
 * the environment names no database. */
Err environment_of_running(struct ctx *ctx);
