/*
 * Files of NAME=value lines: the generated secrets, the addresses of running processes, an
 * operator's configuration. The existing environment always takes precedence.
 */
#pragma once

#include "base/system/ctx.h"

/* Reads such a file. ERR_NOT_FOUND: there is none. ERR_CONFIG: it cannot be read, or is not a text
 * below 64 KiB. */
Err environment_text(struct ctx *ctx, const char *path, Str *ret);

/* Sets every name in the file that is not in the environment. A missing file is not an error. */
Err environment_read(struct ctx *ctx, const char *path);
/* The same for the file of --config, which must exist. */
Err environment_read_config(struct ctx *ctx, const char *path);

/* Whether it is set and not empty. */
bool environment_has(const char *name);
/* Sets a name and records its source: a file, or a step of `spark up`. */
void environment_set(const char *name, const char *value, const char *from);
/* That source; NULL: the name was in the environment when this process started. */
const char *environment_source(const char *name);

/* Replaces the file (0600) atomically and durably, even across kill -9 and power failures. */
Err environment_write(struct ctx *ctx, const char *path, Str text);

/* For commands while a `spark up` runs: uses its addresses and secrets if the environment names no
 * database. */
Err environment_of_running(struct ctx *ctx);
