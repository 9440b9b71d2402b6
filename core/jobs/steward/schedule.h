/*
 * Schedules: the periodic tasks (cron) of the steward, beside the maintenance of the queue. Modules
 * register theirs at start (app/compose.c); the steward knows none of them by name.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

enum { SCHEDULES_MAX = 16 };

struct schedule {
    const char *name;
    int64_t every_us;
    int64_t retry_us; /* after a failure; 0: every_us */
    /* An error ends the steward's turn; the next turn starts again with the schedules that are
     * due. */
    fiber_fn Err (*turn)(struct platform platform);
};

/* Schedules run in the order in which they were added. Before the threads start; `schedule` must
 * live as long as the process. */
void schedule_add(const struct schedule *schedule);

/* Runs the schedules that are due. `due_us` is the state of this leader: when each schedule is due
 * next, by the monotonic clock. */
fiber_fn Err schedules_run(struct platform platform, int64_t due_us[SCHEDULES_MAX]);
