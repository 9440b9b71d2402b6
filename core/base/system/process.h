/*
 * How a server or worker process begins: settings, the log, signals.
 */
#pragma once

#include "base/settings/settings.h"

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

/* Descriptors that are not for clients: PostgreSQL, Redis, calls to the outside, files. */
enum { PROCESS_DESCRIPTORS_RESERVED = 256 };
/* How many descriptors the process may have, its soft limit raised to the hard one. */
int64_t process_descriptors(void);
/* CONNECTIONS_MAX, or what the descriptors leave for clients when that is less. */
/* Bytes that this process may use: the machine's, or its control group's limit. */
uint64_t process_memory(void);
int64_t process_connections_max(const struct settings *settings);
/* For processes that serve: what a burst of large blocks took goes back to the system. */
void process_give_memory_back(void);
