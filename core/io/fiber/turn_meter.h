/*
 * How much CPU each turn of a loop takes, and which fiber took most of it. A long turn is counted,
 * logged (event long_turn), and the longest since the start is a gauge of /metrics.
 *
 * CPU time, not wall time, so that load from other processes does not count. Reading the thread's
 * CPU clock is a system call, so it is read only after long turns, and a turn may be charged with
 * up to 1 ms of the short turns before it.
 */
#pragma once

#include <stdint.h>

enum { TURN_NAME_MAX = 24, TURN_WORK_MAX = 48 };

struct turn_meter {
    int64_t limit_us;   /* minimum CPU time of a long turn; 0: not measured */
    int64_t cpu_us;     /* of the thread, at the last reading */
    int64_t unread_us;  /* duration of the turns since then */
    int64_t longest_us; /* the longest run of one fiber in this turn */
    char name[TURN_NAME_MAX];
    char work[TURN_WORK_MAX];
};

/* Records how long a fiber ran, without the fibers that it started. */
void turn_meter_ran(struct turn_meter *meter, const char *name, const char *work, int64_t us);
/* Call at the end of a turn, with its duration. */
void turn_meter_end(struct turn_meter *meter, int64_t lasted_us);
