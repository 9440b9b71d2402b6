/*
 * A worker: claims jobs, runs each in a fiber, finishes or retries it. One thread, one reactor; the
 * heartbeat has a thread of its own (jobs/lease.h).
 */
#pragma once

#include "io/reactor.h"
#include "jobs/claim.h"
#include "jobs/crash_page.h"
#include "jobs/lease.h"

struct worker {
    struct reactor *reactor;
    struct redis *bell; /* blocks in BLPOP */
    struct lease *lease;
    struct crash_page *page;
    Str incarnation;
    uint32_t running;
    uint32_t slots;
    bool is_draining;
    bool runs_alone;          /* a job in quarantine has the worker for itself */
    struct wait *slot_waiter; /* the claim loop, when every slot is taken */
};

/* The loop that claims; a fiber of its own. Ends when the worker drains or its lease is lost. */
void worker_claim_run(void *arg);
/* Starts one claimed job. */
void worker_start_job(struct worker *worker, const struct claimed *claimed);
/* Wakes the claim loop after a job has ended. */
void worker_slot_freed(struct worker *worker);

/* Fibers that every worker runs beside its jobs. */
void worker_steward_run(void *arg);        /* steward.h: reconcile and reap, if it is the leader */
void worker_drain_tracking_run(void *arg); /* tracking events → PostgreSQL */
