/*
 * The steward: what one worker of all does for the queue, chosen by a lease row. Reconcile (rows
 * that Redis does not have), reap (workers whose lease is over), sweep (what ended long ago),
 * upkeep (the months of partitioned tables), publish (plans whose articles are due). Found from
 * PostgreSQL alone.
 */
#pragma once

#include "jobs/queue/lease.h"
#include "jobs/queue/queue.h"

/* Its memory between turns; zeroed at start. */
struct steward {
    bool is_leader;
    int64_t due_since_us; /* rows that became due before this have been looked at */
    int64_t reap_from_us; /* not before one full lease after becoming leader or reconnecting */
    uint64_t redis_incarnation;

    /* The full reconcile goes through all that waits, some pages a turn: where it stands. */
    bool is_scanning;
    int64_t full_at_us; /* when the next one is due, monotonic */
    int64_t scan_run_at;
    int64_t scan_id;

    int64_t sweep_at_us;
    int64_t sweep_id;

    int64_t upkeep_at_us;  /* when partitions are looked at again, monotonic */
    int64_t publish_at_us; /* and plans */
};

enum { STEWARD_TURN_US = 1000 * 1000 };

/* One turn, once a second. Errors are returned for the log; the next turn tries again. */
fiber_fn Err steward_turn(struct ctx *ctx, struct steward *steward, Str worker);
