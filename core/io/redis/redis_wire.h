/*
 * The Redis protocol: commands into bytes, bytes into replies. hiredis' reader does the parsing;
 * its connections are not used, because they allocate several times per command and control the
 * time of writing. Only redis_*.c include this.
 */
#pragma once

#include "base/memory/arena.h"
#include "base/text/buf.h"
#include "io/redis/redis.h"

struct redis_wire;

struct redis_wire *redis_wire_new(void);
void redis_wire_free(struct redis_wire *wire);

/* Appends one command; false (and nothing appended) when it would exceed the buffer's maximum. */
bool redis_wire_put(struct buf *out, const Str *words, uint32_t count);

void redis_wire_feed(struct redis_wire *wire, Str bytes);

/* WIRE_REPLY returns one complete reply; release it with redis_wire_drop. */
enum redis_wire_state { WIRE_REPLY, WIRE_INCOMPLETE, WIRE_BROKEN };
enum redis_wire_state redis_wire_next(struct redis_wire *wire, void **ret_reply);
void redis_wire_drop(void *reply);

void redis_wire_copy(struct arena *arena, const void *reply, struct redis_value *ret);
Str redis_wire_error(const void *reply); /* a view; STR_NONE when it is not an error */
Str redis_wire_item(const void *reply, uint32_t index); /* a view; STR_NONE if not a string */
