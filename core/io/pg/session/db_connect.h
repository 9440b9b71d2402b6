/*
 * Opening a connection off the loop: name resolution, TLS and SCRAM block, so an offload thread
 * does them and hands the connection over. Private to this module.
 */
#pragma once

#include "base/system/err.h"

#include <libpq-fe.h>

struct ctx;
struct loop;
struct connect_task;

/* What to connect to. Everything is copied. */
struct connect_target {
    Str url;
    Str application;
    Str options;      /* "-c name=value …", put behind those of the URL */
    Str listen;       /* a channel to listen on; then the connection is left as libpq made it */
    bool is_pipeline; /* non-blocking, in pipeline mode */
};

/* Calls done(owner, pg, error) on the loop: pg is NULL when it failed, error then says why and
 * lives until done returns. */
struct connect_task *connect_start(struct loop *loop, const struct connect_target *target,
                                   void (*done)(void *owner, PGconn *pg, const char *error),
                                   void *owner);
/* done will not be called; a connection that still comes is closed. NULL is fine. */
void connect_cancel(struct connect_task *task);

/* The blocking part, for migrations: NULL, with the reason in `error`. */
PGconn *connect_now(const struct connect_target *target, char *error, size_t error_size);

/* The same again and again until the deadline (db_wait.h). The url ends with a NUL. */
Err connect_in_time(struct ctx *ctx, const struct connect_target *target, int64_t deadline_us,
                    PGconn **ret);

/* "host:port" or the socket's folder, without password: for messages. */
enum { CONNECT_PLACE_MAX = 256 };
void connect_place(Str url, char *out, size_t size);

/* How long to wait before the next attempt: 50 ms doubling to 2 s, less a random part. */
int64_t connect_backoff_us(uint32_t failures, uint64_t random);
