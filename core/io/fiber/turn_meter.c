#include "io/fiber/turn_meter.h"

#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/log.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

enum { READ_AFTER_US = 1000 };

static _Atomic int64_t longest_turn_us; /* of all loops of the process */

static void record_turn(struct turn_meter *meter, int64_t used_us);
static void raise_longest(int64_t used_us);

void turn_meter_ran(struct turn_meter *meter, const char *name, const char *work, int64_t us)
{
    if (us <= meter->longest_us)
        return;
    meter->longest_us = us;
    strncpy(meter->name, name, sizeof meter->name - 1);
    strncpy(meter->work, work, sizeof meter->work - 1);
}

void turn_meter_end(struct turn_meter *meter, int64_t lasted_us)
{
    if (meter->limit_us == 0)
        return;
    assert(lasted_us >= 0);
    meter->unread_us += lasted_us;
    if (meter->unread_us < READ_AFTER_US && meter->cpu_us != 0)
        return;
    int64_t cpu_us = clock_thread_cpu_us();
    if (meter->cpu_us != 0)
        record_turn(meter, cpu_us - meter->cpu_us);
    meter->cpu_us = cpu_us;
    meter->unread_us = 0;
    meter->longest_us = 0;
}

static void record_turn(struct turn_meter *meter, int64_t used_us)
{
    assert(used_us >= 0);
    raise_longest(used_us);
    if (used_us < meter->limit_us)
        return;
    counter_inc(loop_turns_long);
    log_event(LOG_WARN, "long_turn", LOG_I("cpu_us", used_us), LOG_Z("fiber", meter->name),
              LOG_Z("work", meter->work), LOG_I("fiber_us", meter->longest_us));
}

/* The counters of threads are summed, so the gauge adds the increase of the maximum. */
static void raise_longest(int64_t used_us)
{
    int64_t before = atomic_load(&longest_turn_us);
    while (used_us > before)
        if (atomic_compare_exchange_weak(&longest_turn_us, &before, used_us)) {
            counter_add(COUNTER_loop_turn_longest_us, used_us - before);
            return;
        }
}
