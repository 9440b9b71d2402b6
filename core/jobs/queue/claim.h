/*
 * Claiming: ids from Redis, rows from PostgreSQL, in one statement that raises each attempt. While
 * Redis is away, rows straight from the table.
 */
#pragma once

#include "jobs/queue/job.h"
#include "jobs/queue/queue.h"

struct claimed {
    struct job job;
    bool is_quarantined; /* under suspicion of a crash: runs alone */
};

/* What a claim brought. */
struct claims {
    struct claimed *jobs; /* room for claim_room.most of them, from the caller */
    uint32_t count;
    bool is_held_back; /* a site has more that it may not have now: ask again when a slot is free */
};

/* At most room.most (≤ CLAIM_MAX) jobs for this worker, in ctx->arena. None is no error. Without
 * Redis it polls. After an error it is unknown whether rows were claimed: see jobs_hand_back. */
fiber_fn Err jobs_claim(struct platform platform, Str worker, struct claim_room room,
                        struct claims *ret);
/* The same, straight from the table. */
fiber_fn Err jobs_claim_polling(struct platform platform, Str worker, struct claim_room room,
                                struct claims *ret);

/* A failed attempt: again after a wait, or dead. `reason` is what an operator reads. */
fiber_fn Err job_fail(struct ctx *ctx, const struct job *job, Err why, Str reason, bool *ret_dead);

/* Not now, and nobody's fault: back to the queue for a while, which costs no try. ERR_FENCED:
 * another attempt has it. */
fiber_fn Err job_postpone(struct ctx *ctx, const struct job *job, int64_t wait_us, Str reason);

/*
 * Rows that PostgreSQL thinks this worker runs, and that are none of `kept`, go back to the queue;
 * that costs no try. Without `kept`: everything, because the worker stops. Not while a claim is
 * under way.
 */
fiber_fn Err jobs_hand_back(struct platform platform, Str worker, const int64_t *kept,
                            uint32_t kept_count, uint32_t *ret_count);
/* The same for what Redis thinks that it has. */
fiber_fn Err queue_audit(struct ctx *ctx, Str worker, const int64_t *kept, uint32_t kept_count,
                         uint32_t *ret_count);

/* The one job that will run now (0: none any more); should the worker die, it is charged. */
fiber_fn Err worker_suspects(struct platform platform, Str worker, int64_t job);
