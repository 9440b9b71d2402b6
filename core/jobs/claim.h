/*
 * Claiming: ids from Redis, rows from PostgreSQL, in one statement that raises each attempt. While
 * Redis is away, rows straight from the table.
 */
#pragma once

#include "jobs/job.h"
#include "jobs/queue.h"

struct claimed {
    struct job job;
    bool is_quarantined; /* suspected of a crash: runs alone */
};

/* At most `most` (≤ CLAIM_MAX) jobs for this worker, in ctx->arena. None is no error. */
fiber_fn Err jobs_claim(struct platform platform, Str worker, uint32_t most, struct claimed *ret,
                        uint32_t *ret_count);
/* The same without Redis. */
fiber_fn Err jobs_claim_polling(struct platform platform, Str worker, uint32_t most,
                                struct claimed *ret, uint32_t *ret_count);

/* A failed attempt: again after a wait, or dead. `reason` is what an operator reads. */
fiber_fn Err job_fail(struct ctx *ctx, const struct job *job, Err why, Str reason, bool *ret_dead);
/* Hands the job back untouched: the worker stops. */
fiber_fn Err job_release(struct ctx *ctx, const struct job *job);
