/*
 * Files of NAME=value lines: the generated secrets, the addresses of what runs, a configuration of
 * the operator. What the environment already says always wins.
 */
#pragma once

#include "base/system/ctx.h"

/* The bytes of such a file. ERR_NOT_FOUND: there is none; ERR_CONFIG: it cannot be read, or is no
 * text below 64 KiB. */
Err environment_text(struct ctx *ctx, const char *path, Str *ret);

/* Sets every name of the file that the environment does not have. A missing file is no error. */
Err environment_read(struct ctx *ctx, const char *path);
/* The same for a file that the operator has named (--config): it must be there. */
Err environment_read_config(struct ctx *ctx, const char *path);

/* Set, and not to nothing. */
bool environment_has(const char *name);
/* Sets a name and remembers who did it: a file, or a step of `spark up`. */
void environment_set(const char *name, const char *value, const char *from);
/* Who that was; NULL: the environment had the name when this process began. */
const char *environment_source(const char *name);

/* Replaces the file (0600) whole or not at all, by kill -9 and power cuts too. */
Err environment_write(struct ctx *ctx, const char *path, Str text);

/* For operators' commands beside a running `spark up`: takes over its addresses and secrets when
 * the environment names no database. */
Err environment_of_running(struct ctx *ctx);
