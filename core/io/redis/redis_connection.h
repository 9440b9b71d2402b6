/*
 * One connection to Redis that is made again for ever: resolve, connect, greet (AUTH, SELECT, what
 * the owner adds), up, lost, wait 50 ms … 1 s, again. Used by redis.c and redis_subscriber.c.
 *
 * It is watched: a peer that leaves commands unanswered for 10 s is dropped; an idle one is asked
 * for a sign of life by the owner's on_idle. Logs when it goes down and when it comes up, because
 * nobody else would.
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
    void (*on_down)(void *arg); /* it was up: what had no reply will have none */
    bool may_be_silent;         /* blocking commands: an answer may take for ever */
};

struct redis_connection *redis_connection_new(struct loop *loop, Str url,
                                              const struct redis_connection_owner *owner,
                                              void *arg);
void redis_connection_free(struct redis_connection *connection);

bool redis_connection_is_up(const struct redis_connection *connection);
uint64_t redis_connection_incarnation(const struct redis_connection *connection);
/* Why it is not up: "<address>: <reason>". */
Str redis_connection_trouble(struct arena *arena, const struct redis_connection *connection);
bool redis_connection_is_hopeless(const struct redis_connection *connection); /* a bad URL */

/* Queues one command for the end of the turn; false: not up, or more than 64 MB wait already. */
bool redis_connection_put(struct redis_connection *connection, const Str *words, uint32_t count);

/* Breaks it (on_down included) and connects again: at once, or after the usual wait. */
void redis_connection_drop(struct redis_connection *connection, Str reason, bool at_once);
