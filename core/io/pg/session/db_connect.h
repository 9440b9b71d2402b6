/*
 * Opening a connection off the loop: name resolution, TLS and SCRAM block, so an offload thread
 * does this and passes the connection to the loop. Private to this module.
 */
#pragma once

#include "base/system/err.h"

#include <libpq-fe.h>

struct ctx;
struct loop;
struct connect_task;

/* The connection target. Everything is copied. */
struct connect_target {
    Str url;
    Str application;
    Str options;      /* "-c name=value …", appended to the options of the URL */
    Str listen;       /* a channel to listen on; the connection then keeps libpq's defaults */
    bool is_pipeline; /* non-blocking, in pipeline mode */
};

/* Calls done(owner, pg, error) on the loop: pg is NULL on failure; error then has the reason and is
 * valid until done returns. */
struct connect_task *connect_start(struct loop *loop, const struct connect_target *target,
                                   void (*done)(void *owner, PGconn *pg, const char *error),
                                   void *owner);
/* done will not be called; if the attempt succeeds, the connection is closed. NULL is allowed. */
void connect_cancel(struct connect_task *task);

/* The blocking variant, for migrations: NULL, with the reason in `error`. */
PGconn *connect_now(const struct connect_target *target, char *error, size_t error_size);

/* The same, retried until the deadline (db_wait.h). The url must be NUL-terminated. */
Err connect_in_time(struct ctx *ctx, const struct connect_target *target, int64_t deadline_us,
                    PGconn **ret);

/* "host:port" or the socket's folder, without password: for messages. */
enum { CONNECT_PLACE_MAX = 256 };
void connect_place(Str url, char *out, size_t size);

/* The delay before the next attempt: 50 ms doubling to 2 s, minus a random part. */
int64_t connect_backoff_us(uint32_t failures, uint64_t random);
