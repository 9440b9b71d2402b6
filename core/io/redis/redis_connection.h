/*
 * One connection to Redis that reconnects indefinitely: resolve, connect, greet (AUTH, SELECT, the
 * owner's commands), up, lost, wait 50 ms … 1 s, again. Used by redis.c and redis_subscriber.c.
 *
 * It is monitored: a peer that leaves commands unanswered for 10 s is dropped; for an idle one the
 * owner's on_idle sends a liveness check. Logs when it goes down and comes up.
 */
#pragma once

#include "io/redis/redis_wire.h"

struct redis_connection;
struct loop;

/* None of these may wait. on_reply and on_down may free the connection. */
struct redis_connection_owner {
    uint32_t (*greet)(void *arg, struct buf *out); /* appends commands, returns how many */
    void (*on_up)(void *arg);
    void (*on_reply)(void *arg, const void *reply); /* in the order of the commands */
    void (*on_idle)(void *arg);
    void (*on_down)(void *arg); /* only after it was up: outstanding commands will get no reply */
    bool may_be_silent;         /* blocking commands: an answer may take indefinitely */
};

struct redis_connection *redis_connection_new(struct loop *loop, Str url,
                                              const struct redis_connection_owner *owner,
                                              void *arg);
void redis_connection_free(struct redis_connection *connection);

bool redis_connection_is_up(const struct redis_connection *connection);
uint64_t redis_connection_incarnation(const struct redis_connection *connection);
/* Why it is not up: "<address>: <reason>". */
Str redis_connection_trouble(struct arena *arena, const struct redis_connection *connection);
bool redis_connection_is_hopeless(const struct redis_connection *connection); /* invalid URL */

/* Queues one command for the end of the turn; false: not up, or more than 64 MB are queued. */
bool redis_connection_put(struct redis_connection *connection, const Str *words, uint32_t count);

/* Ends the connection (including on_down) and reconnects: immediately or after the backoff. */
void redis_connection_drop(struct redis_connection *connection, Str reason, bool at_once);
