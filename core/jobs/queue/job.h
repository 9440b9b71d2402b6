/*
 * Jobs. A job is a row in spark.jobs, written in its creator's transaction; Redis only carries its
 * id to a worker. It runs at least once, and its effects happen exactly once: they commit in the
 * transaction that moves it from running to done, fenced by the attempt number.
 */
#pragma once

#include "base/json/json.h"
#include "base/system/ctx.h"
#include "io/pg/db.h"
#include "io/pg/db_error.h"

enum job_priority { JOB_URGENT, JOB_HIGH, JOB_NORMAL, JOB_LOW };

enum { JOB_KIND_MAX = 100, JOB_PAYLOAD_MAX = 64 * 1024, JOB_DEDUP_KEY_MAX = 255 };

struct job_spec {
    Str kind;      /* of job_kind.h or of an extension */
    Str payload;   /* JSON object; STR_NONE: {} */
    Str dedup_key; /* at most one live job per (site, key); STR_NONE: no limit */
    enum job_priority priority;
    int64_t delay_us;     /* earliest start, relative to now */
    int32_t max_failures; /* 0: the default of 3 */
};

/* One job as its handler sees it. Lives in ctx->arena. */
struct job {
    int64_t id;
    int32_t attempt; /* the fencing token */
    int32_t failures;
    Str kind;
    Scope scope; /* SITE, or PLATFORM for jobs without a site */
    const struct json *payload;
    Str payload_text;
    Str checkpoint;               /* JSON that an earlier attempt saved; STR_NONE: none */
    Str worker;                   /* the incarnation that runs it; checked by the fence */
    int64_t progress_us;          /* when progress was last reported */
    bool is_finished;             /* its end has been committed */
    bool resumes;                 /* the next attempt continues where this one stopped */
    int64_t retry_after_us;       /* minimum delay of a retry, whatever the backoff is */
    const struct actor *asked_by; /* the actor whose request created it; NULL: the system */
};

/*
 * Enqueue in the caller's transaction or write group, for the ctx's scope (PLATFORM: a job without
 * a site). After the commit the id is pushed to Redis without waiting; if that fails, the
 * reconciliation finds the row. *ret_id is 0 when dedup_key belongs to a live job.
 */
fiber_fn Err job_enqueue(struct db_tx *tx, const struct job_spec *spec, int64_t *ret_id);
/* In a transaction of its own. */
fiber_fn Err job_enqueue_now(struct ctx *ctx, const struct job_spec *spec, int64_t *ret_id);

/*
 * Completes a job together with its effects, in one of two ways:
 *
 *   job_finish           effects known in advance: one write group that may share a commit with
 *                        other jobs (the fast way). `effects` may be NULL.
 *   job_finish_begin …   effects that need logic: opens a transaction, checks the fence first,
 *   job_finish_commit    marks the job done and commits.
 *
 * ERR_FENCED: another attempt owns the job; nothing was written.
 */
fiber_fn Err job_finish(struct ctx *ctx, struct job *job, struct db_batch *effects, Str result);
fiber_fn Err job_finish_begin(struct ctx *ctx, struct job *job, struct db_tx *tx);
fiber_fn Err job_finish_commit(struct job *job, struct db_tx *tx, Str result);

/* The error that the fence raises. */
extern const struct db_error_rule FENCE_ERROR;

/* Reports progress (in Redis, at most ten times a second), and saves a durable checkpoint that a
 * later attempt can start from. ERR_CANCELLED when the job was cancelled or the worker stops. */
fiber_fn Err job_progress(struct ctx *ctx, struct job *job, int64_t done, int64_t total);
fiber_fn Err job_checkpoint(struct ctx *ctx, struct job *job, Str json);

/* A handler runs in a fiber of its own in the job's scope. If it returns OK without
 * completing the job, the job is completed without effects. After an Err, err.def decides whether
 * the job is retried; when its tries are used up it becomes a dead letter. */
typedef Err JobHandler(struct ctx *ctx, struct job *job);
