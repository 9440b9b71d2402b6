/*
 * The dispatch index in Redis (cq.lua): which jobs are waiting. It may be lost at any time, and is
 * rebuilt from PostgreSQL; no error here requires a caller to roll anything back.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/redis/redis.h"

enum { QUEUE_CALL_MAX = 1000, CLAIM_MAX = 256 };

/* An entry of the index. A job of the platform has the nil site. */
struct queue_member {
    int64_t id;
    Uuid site;
};

/* Loads the Redis functions on every new connection. Call once per reactor. */
void queue_use(struct redis *redis);
/* Loads the functions again, after a FUNCTION FLUSH on a running Redis. */
void queue_reload(struct redis *redis);
/* ERR_CONFIG when this Redis may evict keys: evicted jobs would wait for the reconciliation. */
fiber_fn Err queue_check(struct ctx *ctx);

/* Does not wait; if it fails, the reconciliation finds the row. At most QUEUE_CALL_MAX. */
void queue_push(struct ctx *ctx, const struct queue_member *members, uint32_t count);
/* The same, but waits; *ret_added: how many were missing. */
fiber_fn Err queue_push_missing(struct ctx *ctx, const struct queue_member *members, uint32_t count,
                                uint32_t *ret_added);
/* Pushes even members that are already in the index. */
fiber_fn Err queue_push_stuck(struct ctx *ctx, const struct queue_member *members, uint32_t count);

/* How many jobs a worker can take. */
struct claim_room {
    uint32_t most;  /* now */
    uint32_t slots; /* in total, busy ones included */
};
/* Takes jobs for this worker, an equal share of each site. A site gets at most as many slots as it
 * leaves free; *ret_held_back: a site has more jobs waiting than this allows. */
fiber_fn Err queue_claim(struct ctx *ctx, Str worker, struct claim_room room,
                         struct queue_member *ret, uint32_t *ret_count, bool *ret_held_back);
/* The worker has finished them. Does not wait. */
void queue_done(struct ctx *ctx, Str worker, const struct queue_member *members, uint32_t count);
/* Returns jobs that the worker took but did not start to the heads of their lists. */
fiber_fn Err queue_return(struct ctx *ctx, Str worker, const struct queue_member *members,
                          uint32_t count);
/* The jobs that this worker holds according to the index, at most `most`. */
fiber_fn Err queue_held(struct ctx *ctx, Str worker, uint32_t most, struct queue_member *ret,
                        uint32_t *ret_count);
/* The workers that hold jobs, in ctx->arena. */
fiber_fn Err queue_holders(struct ctx *ctx, const Str **ret, uint32_t *ret_count);
/* Returns the jobs of a dead worker to their lists. */
fiber_fn Err queue_reap(struct ctx *ctx, Str worker);
/* Blocks on the wake-up list until there may be work, for a second at most. `wake_up` is a
 * connection for this alone. */
fiber_fn Err queue_wait(struct ctx *ctx, struct redis *wake_up);
/* false when Redis has lost the index, or it was never filled. */
fiber_fn Err queue_remembers(struct ctx *ctx, bool *ret_remembers);
fiber_fn Err queue_mark_filled(struct ctx *ctx);
/* According to the index, no site has jobs waiting. */
fiber_fn Err queue_is_empty(struct ctx *ctx, bool *ret_is_empty);
