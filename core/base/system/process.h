/*
 * The start of a server or worker process: settings, the log, signals.
 */
#pragma once

#include "base/settings/settings.h"

/* Loads the settings, checks DATABASE_URL and REDIS_URL, and opens the log as `name`. Errors are
 * printed to standard error, one line each; then it returns false, and the process should end with
 * PROCESS_MISUSED. Allocates from ctx->arena. */
bool process_begin(struct ctx *ctx, const char *name, struct settings *ret);

enum { PROCESS_MISUSED = 2 };

/* Prints the reason for a failed start to standard error: "spark server: …". */
void process_complain(const char *name, Str sentence);
/* The reason for `err`: the first recorded one, or PostgreSQL's message, or the error's own
 * message. Never empty. */
Str process_reason(const struct ctx *ctx, Err err);

/* SIGTERM and SIGINT call on_stop. Ignores SIGPIPE, so that a write to a closed peer returns an
 * error. */
void process_on_stop(void (*on_stop)(int signal));

/* Descriptors reserved for PostgreSQL, Redis, outbound calls and files. */
enum { PROCESS_DESCRIPTORS_RESERVED = 256 };
/* The maximum number of descriptors, after raising the soft limit to the hard limit. */
int64_t process_descriptors(void);
/* CONNECTIONS_MAX, or the number of descriptors left for clients if that is less. */
/* Memory that this process may use: the machine's, or the limit of its control group. */
uint64_t process_memory(void);
int64_t process_connections_max(const struct settings *settings);
/* For long-running processes: memory of large freed blocks returns to the system. */
void process_give_memory_back(void);
