/*
 * Claiming: ids from Redis, rows from PostgreSQL, in one statement that increments each attempt.
 * While Redis is unreachable, rows come directly from the table.
 */
#pragma once

#include "jobs/queue/job.h"
#include "jobs/queue/queue.h"

struct claimed {
    struct job job;
    bool is_quarantined; /* suspected of having crashed a worker: runs alone */
};

/* The result of a claim. */
struct claims {
    struct claimed *jobs; /* allocated by the caller, room for claim_room.most */
    uint32_t count;
    bool is_held_back; /* a site has reached its share of the slots: claim again when a slot is free
                        */
};

/* Claims at most room.most (≤ CLAIM_MAX) jobs for this worker, in ctx->arena. OK with none if no
 * job is waiting. Falls back to polling when Redis is unreachable. After an error it is unknown
 * whether rows were claimed: see jobs_hand_back. */
fiber_fn Err jobs_claim(struct platform platform, Str worker, struct claim_room room,
                        struct claims *ret);
/* The same, directly from the table. */
fiber_fn Err jobs_claim_polling(struct platform platform, Str worker, struct claim_room room,
                                struct claims *ret);

/* Records a failed attempt: the job is retried after a delay, or becomes a dead letter. `reason` is
 * for the operator. */
fiber_fn Err job_fail(struct ctx *ctx, const struct job *job, Err why, Str reason,
                      bool *ret_is_dead_letter);

/* Requeues the job with a delay; this does not count as a failure. ERR_FENCED: another attempt owns
 * it. */
fiber_fn Err job_postpone(struct ctx *ctx, const struct job *job, int64_t wait_us, Str reason);

/*
 * Requeues the jobs that this worker runs according to PostgreSQL, except those in `kept`; this
 * does not count as a failure. `kept` is NULL when the worker stops: requeues all of them. Must not
 * be called during a claim.
 */
fiber_fn Err jobs_hand_back(struct platform platform, Str worker, const int64_t *kept,
                            uint32_t kept_count, uint32_t *ret_count);
/* The same for the jobs that this worker holds according to Redis. */
fiber_fn Err queue_audit(struct ctx *ctx, Str worker, const int64_t *kept, uint32_t kept_count,
                         uint32_t *ret_count);

/* Records the one job that runs now (0: none); if the worker dies, the crash is charged to that
 * job. */
fiber_fn Err worker_suspects(struct platform platform, Str worker, int64_t job);
