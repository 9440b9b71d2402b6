/*
 * Blocking Redis client of the command line: one connection, one command at a time. Servers and
 * workers use io/redis/redis.h instead.
 */
#pragma once

#include "base/system/ctx.h"

struct sync_redis;

/* Connects to redis://[user:password@]host:port[/db] or unix:///path within five seconds; closed
 * with ctx->arena. */
Err sync_redis_open(struct ctx *ctx, Str url, struct sync_redis **ret);

/* Sends a command and returns the reply as text: a status, a string, an integer, or the elements of
 * an array, one per line. */
Err sync_redis_command(struct ctx *ctx, struct sync_redis *redis, const char *const *words,
                       uint32_t count, Str *ret);

/* The value of `name:` in a reply to INFO; empty if there is none. */
Str sync_redis_info(Str info, Str name);
