/*
 * The dispatch index in Redis (cq.lua): which jobs are worth claiming. It may be lost at any
 * moment; nothing here is an error that a caller must undo.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/redis/redis.h"

enum { QUEUE_CALL_MAX = 1000, CLAIM_MAX = 256 };

/* An id as the index knows it. A job of the platform has the nil site. */
struct queue_member {
    int64_t id;
    Uuid site;
};

/* The functions are loaded on every connection; once per reactor. */
void queue_use(struct redis *redis);
/* Loads them again: somebody flushed the functions of a Redis that went on running. */
void queue_reload(struct redis *redis);
/* ERR_CONFIG when this Redis may evict keys: jobs would wait for the reconcile again and again. */
fiber_fn Err queue_check(struct ctx *ctx);

/* Without waiting; when it fails the reconcile will find the row. At most QUEUE_CALL_MAX. */
void queue_push(struct ctx *ctx, const struct queue_member *members, uint32_t count);
/* The same, waiting; *ret_added: how many were missing. */
fiber_fn Err queue_push_missing(struct ctx *ctx, const struct queue_member *members, uint32_t count,
                                uint32_t *ret_added);
/* Even those that the index believes to have. */
fiber_fn Err queue_push_stuck(struct ctx *ctx, const struct queue_member *members, uint32_t count);

/* What a worker can take. */
struct claim_room {
    uint32_t most;  /* now */
    uint32_t slots; /* what it has in all, busy ones included */
};
/* Takes jobs for this worker, an equal share of each site. A site gets no more of the slots than
 * it leaves free; *ret_held_back: so one has more to do than it was given. */
fiber_fn Err queue_claim(struct ctx *ctx, Str worker, struct claim_room room,
                         struct queue_member *ret, uint32_t *ret_count, bool *ret_held_back);
/* The worker is done with them. Without waiting. */
void queue_done(struct ctx *ctx, Str worker, const struct queue_member *members, uint32_t count);
/* What the worker took and did not start goes back to the head of its list. */
fiber_fn Err queue_return(struct ctx *ctx, Str worker, const struct queue_member *members,
                          uint32_t count);
/* What the index thinks this worker has, at most `most`. */
fiber_fn Err queue_held(struct ctx *ctx, Str worker, uint32_t most, struct queue_member *ret,
                        uint32_t *ret_count);
/* Workers that hold something, in ctx->arena. */
fiber_fn Err queue_holders(struct ctx *ctx, const Str **ret, uint32_t *ret_count);
/* What a dead worker had taken goes back into the lists. */
fiber_fn Err queue_reap(struct ctx *ctx, Str worker);
/* Blocks until there may be work, a second at most. `bell` is a connection of its own. */
fiber_fn Err queue_wait(struct ctx *ctx, struct redis *bell);
/* false when the index has lost its memory, or was never filled. */
fiber_fn Err queue_remembers(struct ctx *ctx, bool *ret_remembers);
fiber_fn Err queue_mark_filled(struct ctx *ctx);
/* No site has work waiting, as far as the index knows. */
fiber_fn Err queue_is_empty(struct ctx *ctx, bool *ret_is_empty);
