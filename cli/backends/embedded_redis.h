/*
 * A Redis of our own on a unix socket: append-only, flushed every second, never evicting.
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
    const char *aside; /* where the data went that it could not read; NULL: it read them */
    Str damage;        /* what it said about them */
};

/* Clears what a killed predecessor left, starts it and waits until it answers. Nothing in Redis is
 * needed (core/jobs/steward/steward.c tells it everything again), so data that it cannot read are
 * set aside and it starts without. */
Err embedded_redis_start(struct ctx *ctx, const struct places *places, struct embedded_redis *ret,
                         pid_t *ret_pid);

/* Starts it again after it died; does not wait. */
Err embedded_redis_launch(struct ctx *ctx, const struct embedded_redis *redis, pid_t *ret_pid);

/* The same for one that runs no more and does not start again: it starts empty. */
Err embedded_redis_renew(struct ctx *ctx, struct embedded_redis *redis, pid_t *ret_pid);
