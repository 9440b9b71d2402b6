/*
 * The embedded Redis on a unix socket: append-only, fsync every second, no eviction.
 */
#pragma once

#include "cli/places/places.h"

struct embedded_redis {
    const struct places *places;
    const char *program;
    const char *folder; /* STORE/redis */
    const char *log;
    const char *url;
    Str version;
    const char *aside; /* the folder of unreadable data that were set aside; NULL: none */
    Str damage;        /* its error message about them */
};

/* Cleans up after a killed supervisor, starts it and waits until it answers. Data in Redis can be
 * rebuilt (core/jobs/steward/steward.c), so unreadable data are set aside and it starts empty. */
Err embedded_redis_start(struct ctx *ctx, const struct places *places, struct embedded_redis *ret,
                         pid_t *ret_pid);

/* Restarts it after it exited; does not wait. */
Err embedded_redis_launch(struct ctx *ctx, const struct embedded_redis *redis, pid_t *ret_pid);

/* The same if it cannot be restarted with its data: it starts empty. */
Err embedded_redis_renew(struct ctx *ctx, struct embedded_redis *redis, pid_t *ret_pid);
