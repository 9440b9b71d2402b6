/*
 * A worker claims jobs, runs each in a fiber, and finishes or retries it. One thread, one reactor;
 * a separate thread sends the heartbeat (jobs/queue/lease.h).
 */
#pragma once

#include "io/fiber/loop.h"
#include "io/reactor/reactor.h"
#include "jobs/queue/claim.h"
#include "jobs/queue/lease.h"

enum { WORKER_SLOTS_MAX = 1000 };

struct run; /* a running job; run_job.c */

struct worker {
    struct reactor *reactor;
    struct redis *wake_up; /* blocks in BLPOP */
    struct lease *lease;
    Str incarnation;
    uint32_t slots;
    struct run *runs; /* running jobs, newest first */
    uint32_t running;
    bool is_draining;
    bool is_claiming;         /* the claim loop is still running */
    bool has_lost_lease;      /* why the claim loop ended, unless draining */
    struct wait *slot_waiter; /* the claim loop, until `slots_wanted` are free */
    uint32_t slots_wanted;

    /* The jobs that ended in this turn, reported to Redis at its end. */
    struct turn_hook hook;
    struct arena *hook_arena;
    struct queue_member ended[QUEUE_CALL_MAX];
    uint32_t ended_count;
};

/* The claim loop, a fiber of its own. Ends when the worker drains or its lease is lost. */
void worker_claim_run(void *arg);
/* Starts one claimed job. */
void worker_start_job(struct worker *worker, const struct claimed *claimed);
/* Cancels the running jobs that another worker can resume. */
void worker_cancel_resumable(struct worker *worker);
/* The ids of the running jobs, in the arena. */
const int64_t *worker_running_ids(const struct worker *worker, struct arena *arena);
/* Removes the ended jobs from the dispatch index; the turn hook. */
void worker_report_ended(void *worker);
/* Wakes the claim loop when enough slots are free. */
void worker_slot_freed(struct worker *worker);

/* The fibers that every worker runs besides its jobs. */
void worker_steward_run(void *arg);        /* steward.h; does its work if it is the leader */
void worker_drain_tracking_run(void *arg); /* tracking events → PostgreSQL */
