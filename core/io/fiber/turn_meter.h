/*
 * How much CPU each turn of a loop takes, and which fiber took most of it. A long turn is counted,
 * logged (event long_turn), and the longest since the start is a gauge of /metrics.
 *
 * CPU, not time: a machine with other work makes no turn long. The thread's CPU clock is a system
 * call, so it is read only after turns that lasted, and a turn may be charged with up to 1 ms of
 * the short ones before it.
 */
#pragma once

#include <stdint.h>

enum { TURN_NAME_MAX = 24, TURN_WORK_MAX = 48 };

struct turn_meter {
    int64_t limit_us;   /* a turn is long from here on; 0: nothing is measured */
    int64_t cpu_us;     /* of the thread, when it was read last */
    int64_t unread_us;  /* what turns lasted since then */
    int64_t longest_us; /* the longest run of one fiber in this turn */
    char name[TURN_NAME_MAX];
    char work[TURN_WORK_MAX];
};

/* A fiber ran for so long, without the fibers that it started. */
void turn_meter_ran(struct turn_meter *meter, const char *name, const char *work, int64_t us);
/* The turn is over; it lasted so long. */
void turn_meter_end(struct turn_meter *meter, int64_t lasted_us);
