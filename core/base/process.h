/*
 * How a server or worker process begins: settings, the log, signals.
 */
#pragma once

#include "base/settings.h"

/* Loads the settings, DATABASE_URL and REDIS_URL among them, and opens the log as `name`. What is
 * wrong goes to standard error, one line a fault; then false, and the process should end with
 * PROCESS_MISUSED. Memory from ctx->arena. */
bool process_begin(struct ctx *ctx, const char *name, struct settings *ret);

enum { PROCESS_MISUSED = 2 };

/* What ends a start, as a sentence for people on standard error: "spark server: …". */
void process_complain(const char *name, Str sentence);
/* Why `err` came: the first reason recorded, or what PostgreSQL said, or the error's own message.
 * Never empty. */
Str process_reason(const struct ctx *ctx, Err err);

/* SIGTERM and SIGINT call on_stop; a closed peer is an error of write(2), not the end. */
void process_on_stop(void (*on_stop)(int signal));
