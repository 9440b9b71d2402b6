/*
 * Planned production: a campaign's articles, each with a date of its own.
 *
 * A queue has slots (queue_items), one an article. process-queue hands slots to jobs: each slot is
 * claimed for one job in the transaction that enqueues it, and done or failed in the one that ends
 * it, together with its article. So a slot is worked on once, whoever asks how often, and a failure
 * is that slot's own: nothing behind it moves. Which moves a queue may make stands in
 * spark.production_moves() (schema/functions/pack_production.sql).
 */
#pragma once

#include "factory/articles/article_store.h"
#include "factory/articles/velocity.h"
#include "jobs/queue/job_kind.h"

extern const struct job_kind JOB_PROCESS_QUEUE;
enum {
    PRODUCTION_SYNC_MAX = 10,     /* slots that a request does itself */
    PRODUCTION_LIMIT_MAX = 10000, /* slots that a request may hand out */
    PRODUCTION_SAMPLE_DAYS = 10,
    PRODUCTION_WARNINGS_MAX = 4,
};

/* Planning: production_plan_repo.c */

/* One end of a range: a date in the site's zone, an instant, or neither. */
struct production_bound {
    Str date;
    bool has_instant;
    int64_t instant_us;
};

struct production_request {
    Uuid campaign;
    uint32_t total;
    struct production_bound start;
    struct production_bound until;
    /* What the campaign says, unless has_…. */
    bool has_mode, has_throttle, has_jitter, has_hours, has_seed;
    enum velocity_mode mode;
    bool throttles_weekends;
    bool is_business;
    uint32_t jitter_minutes;
    uint64_t seed; /* < 2⁵³, so that JSON carries it */
    bool is_test_first;
};

struct production_plan {
    Uuid queue;
    Str status;
    struct velocity_plan velocity;
    bool is_business;
    Str time_zone;
    const Str *dates; /* of velocity.days */
    const uint32_t *counts;
    const int64_t *times;
    Str warnings[PRODUCTION_WARNINGS_MAX];
    uint32_t warning_count;
};

/* A queue with all its slots, in one transaction. ERR_NOT_FOUND, ERR_CONFLICT (the campaign is not
 * active), ERR_FAILED_VALIDATION (no publishing hour in the range). */
fiber_fn Err production_schedule(struct ctx *ctx, const struct production_request *request,
                                 struct production_plan *ret);

/* Queues: production_repo.c */

struct production_state {
    Uuid campaign;
    Str status;
    Str error;
    uint32_t total, pending, claimed, done, failed;
    uint32_t published, refused; /* of those done: out; due, and held back by the gate */
};
/* ERR_NOT_FOUND. */
fiber_fn Err production_find(struct ctx *ctx, Uuid queue, struct production_state *ret);

struct production_moved {
    Uuid campaign;
    Str before;
    Str status;
};
/* Whether there is this move, under the queue's lock: ERR_NOT_FOUND, or ERR_CONFLICT with note
 * "status". */
fiber_fn Err production_lock(struct db_tx *tx, Uuid queue, Str action,
                             struct production_moved *ret);
/* One move of the state machine in the caller's transaction, which then holds the queue's lock.
 * `why` is kept by "fail". ERR_NOT_FOUND; ERR_CONFLICT with note "status" when there is no such
 * move. */
fiber_fn Err production_move(struct db_tx *tx, Uuid queue, Str action, Str why,
                             struct production_moved *ret);

/* pause, resume, cancel, retry. What is being made at this moment is made; the rest waits. */
fiber_fn Err production_control(struct ctx *ctx, Uuid queue, Str action,
                                struct production_state *ret);

/* Real articles, flagged, beside the plan. `queue` may be nil. ret_drafts has room for `count`,
 * which is at most ARTICLE_BATCH_MAX. ERR_CONFLICT when the campaign has no free headline. */
fiber_fn Err production_test_batch(struct ctx *ctx, Uuid queue, Uuid campaign, uint32_t count,
                                   struct article_draft *ret_drafts, uint32_t *ret_count);

/* Work: production_run_repo.c, production_job.c */

struct production_result {
    struct production_state state;
    uint32_t generated;
    uint32_t errors;
    uint32_t jobs;
    uint32_t queued; /* slots that they were given */
};
struct production_order {
    uint32_t limit; /* slots, at most PRODUCTION_LIMIT_MAX */
    bool is_async;  /* as jobs, however few */
    enum job_priority priority;
};
/* The next slots: at once when they are few, else as jobs. A queue that is done is left as it is.
 * ERR_NOT_FOUND, ERR_CONFLICT. */
fiber_fn Err production_process(struct ctx *ctx, Uuid queue, const struct production_order *order,
                                struct production_result *ret);

/* A job of JOB_PROCESS_QUEUE: finishes it. */
fiber_fn Err production_run(struct ctx *ctx, struct job *job);
