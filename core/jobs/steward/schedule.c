#include "jobs/steward/schedule.h"

#include "base/system/clock.h"

#include <assert.h>

/* Immutable after the threads have started. */
static const struct schedule *schedules[SCHEDULES_MAX];
static uint32_t count;

void schedule_add(const struct schedule *schedule)
{
    assert(schedule->name != NULL && schedule->every_us > 0 && schedule->turn != NULL);
    assert(count < SCHEDULES_MAX);
    schedules[count++] = schedule;
}

fiber_fn Err schedules_run(struct platform platform, int64_t due_us[SCHEDULES_MAX])
{
    for (uint32_t i = 0; i < count; i++) {
        const struct schedule *schedule = schedules[i];
        int64_t now_us = clock_now_us();
        if (now_us < due_us[i])
            continue;
        int64_t retry_us = schedule->retry_us > 0 ? schedule->retry_us : schedule->every_us;
        due_us[i] = now_us + retry_us; /* in case the turn fails */
        TRY(schedule->turn(platform));
        due_us[i] = now_us + schedule->every_us;
    }
    return OK;
}
