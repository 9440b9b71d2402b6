/*
 * A worker: claims jobs, runs each in a fiber, finishes or retries it. One thread, one reactor; the
 * heartbeat has a thread of its own (jobs/queue/lease.h).
 */
#pragma once

#include "io/fiber/loop.h"
#include "io/reactor/reactor.h"
#include "jobs/queue/claim.h"
#include "jobs/queue/lease.h"

enum { WORKER_SLOTS_MAX = 1000 };

struct run; /* one job on its way; run_job.c */

struct worker {
    struct reactor *reactor;
    struct redis *wake_up; /* blocks in BLPOP */
    struct lease *lease;
    Str incarnation;
    uint32_t slots;
    struct run *runs; /* what is running, newest first */
    uint32_t running;
    bool is_draining;
    bool is_claiming;         /* the claim loop has not ended */
    bool has_lost_lease;      /* why it ended, if not for draining */
    struct wait *slot_waiter; /* the claim loop, until `slots_wanted` are free */
    uint32_t slots_wanted;

    /* What ended in this turn of the loop, for Redis to hear of at its end. */
    struct turn_hook hook;
    struct arena *hook_arena;
    struct queue_member ended[QUEUE_CALL_MAX];
    uint32_t ended_count;
};

/* The loop that claims; a fiber of its own. Ends when the worker drains or its lease is lost. */
void worker_claim_run(void *arg);
/* Starts one claimed job. */
void worker_start_job(struct worker *worker, const struct claimed *claimed);
/* Ends those that will go on elsewhere from where they stand. */
void worker_cancel_resumable(struct worker *worker);
/* The ids of all that is running, in the arena. */
const int64_t *worker_running_ids(const struct worker *worker, struct arena *arena);
/* Tells Redis what ended; the turn hook. */
void worker_tell_ended(void *worker);
/* Wakes the claim loop when enough slots are free. */
void worker_slot_freed(struct worker *worker);

/* Fibers that every worker runs beside its jobs. */
void worker_steward_run(void *arg);        /* steward.h: reconcile and reap, if it is the leader */
void worker_drain_tracking_run(void *arg); /* tracking events → PostgreSQL */
