/*
 * The steward: maintenance by one worker, the leader, elected by a lease row. Reap (jobs of
 * workers whose lease has expired), sweep (jobs that ended long ago), reconcile (due rows that
 * Redis lacks), then the schedules that other modules registered. It reads PostgreSQL
 * alone.
 */
#pragma once

#include "jobs/queue/lease.h"
#include "jobs/queue/queue.h"
#include "jobs/steward/schedule.h"

/* Its state between turns; zeroed at start. */
struct steward {
    bool is_leader;
    int64_t due_since_us; /* rows that became due before this have been reconciled */
    int64_t reap_from_us; /* not before one full lease after becoming leader or reconnecting */
    uint64_t redis_incarnation;

    /* Position of the full reconciliation, which scans all waiting jobs, some pages per turn. */
    bool is_scanning;
    int64_t full_at_us; /* when the next one is due, monotonic */
    int64_t scan_run_at;
    int64_t scan_id;

    int64_t sweep_at_us;
    int64_t sweep_id;

    int64_t schedule_due_us[SCHEDULES_MAX];
};

enum { STEWARD_TURN_US = 1000 * 1000 };

/* One turn, once a second. Errors are returned for the log; the next turn tries again. */
fiber_fn Err steward_turn(struct ctx *ctx, struct steward *steward, Str worker);
