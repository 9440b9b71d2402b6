/*
 * Redis: one pipelined connection per thread for commands, and separate connections for blocking
 * commands and for pub/sub. Reconnects indefinitely, with backoff.
 *
 * Output is flushed once per turn. A command whose connection is down or breaks returns
 * ERR_UNAVAILABLE immediately; the caller decides how to continue without Redis, which holds no
 * durable data.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

struct redis;
struct loop;

enum redis_kind { REDIS_NIL, REDIS_STR, REDIS_INT, REDIS_ARRAY, REDIS_ERROR };

/* A reply, copied into ctx->arena. */
struct redis_value {
    enum redis_kind kind;
    Str text;        /* REDIS_STR, REDIS_ERROR */
    int64_t integer; /* REDIS_INT */
    uint32_t count;  /* REDIS_ARRAY */
    struct redis_value *items;
};

struct redis *redis_new(struct loop *loop, Str url);
void redis_free(struct redis *redis);
/* ERR_CONFIG for a bad URL, ERR_UNAVAILABLE at the deadline; the reason describes the last attempt.
 */
fiber_fn Err redis_wait_ready(struct ctx *ctx, struct redis *redis);
bool redis_is_up(const struct redis *redis);
/* Increases with every new connection: data may have been lost in between. */
uint64_t redis_incarnation(const struct redis *redis);

/* One command: words[0] is its name. A REDIS_ERROR reply becomes ERR_UNAVAILABLE if it is temporary
 * (LOADING, READONLY, MASTERDOWN, OOM, MISCONF, BUSY …), else ERR_INTERNAL, with the reply's text
 * as reason. More than 100,000 commands in flight or 64 MB of output: ERR_UNAVAILABLE. */
fiber_fn Err redis_call(struct ctx *ctx, struct redis *redis, const Str *words, uint32_t count,
                        struct redis_value *ret);
#define REDIS_CALL(ctx, redis, ret, ...)                                                           \
    redis_call((ctx), (redis), (const Str[]){__VA_ARGS__},                                         \
               sizeof((const Str[]){__VA_ARGS__}) / sizeof(Str), (ret))

/* Sends without waiting and discards the reply; false when the connection is down. Not a fiber_fn.
 */
bool redis_send(struct redis *redis, const Str *words, uint32_t count);

/* A Redis Function library (core/jobs/queue/cq.lua …): loaded on every connect before the
 * connection counts as up, and immediately if it is up. If a library fails to load, the connection
 * stays down. */
void redis_use_library(struct redis *redis, Str name, Str source);

/* A separate connection for one blocking command at a time; same calls. */
struct redis *redis_new_blocking(struct loop *loop, Str url);

/* SUBSCRIBE; on_lost whenever messages may have been missed: after every connect, the first one
 * included. Uses a separate connection. The payload is valid only during on_message. */
struct redis_subscriber;
struct redis_subscriber *redis_subscribe(struct loop *loop, Str url, Str channel,
                                         void (*on_message)(void *arg, Str payload),
                                         void (*on_lost)(void *arg), void *arg);
void redis_subscriber_free(struct redis_subscriber *subscriber);
