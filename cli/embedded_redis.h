/*
 * A Redis of our own on a unix socket: append-only, flushed every second, never evicting.
 */
#pragma once

#include "cli/places.h"

struct embedded_redis {
    const struct places *places;
    const char *program;
    const char *folder; /* STORE/redis */
    const char *log;
    const char *url;
    Str version;
};

/* Clears what a killed predecessor left, starts it and waits until it answers. */
Err embedded_redis_start(struct ctx *ctx, const struct places *places, struct embedded_redis *ret,
                         pid_t *ret_pid);

/* Starts it again after it died; does not wait. */
Err embedded_redis_launch(struct ctx *ctx, const struct embedded_redis *redis, pid_t *ret_pid);
