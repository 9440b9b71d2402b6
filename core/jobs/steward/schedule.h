/*
 * Schedules: what the elected steward does again and again beside the queue's own maintenance.
 * Modules register theirs at start (app/compose.c); the steward knows none of them by name.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

enum { SCHEDULES_MAX = 16 };

struct schedule {
    const char *name;
    int64_t every_us;
    int64_t retry_us; /* after a failure; 0: every_us */
    /* An error ends the steward's turn; the schedules behind it run with the next one. */
    fiber_fn Err (*turn)(struct platform platform);
};

/* Schedules run in the order in which they were added. Before the threads start; `schedule` must
 * live as long as the process. */
void schedule_add(const struct schedule *schedule);

/* Runs what is due. `due_us` is the memory of this leader: for each schedule the time of the
 * monotonic clock from which on it is due. */
fiber_fn Err schedules_run(struct platform platform, int64_t due_us[SCHEDULES_MAX]);
