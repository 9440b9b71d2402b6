/*
 * The hard time-out. A job's time-out ends its waits; a job that never waits does not notice, and
 * keeps its whole worker from going on. JOB_HARD_TIMEOUT ends that: seen from the heartbeat's
 * thread, which job code cannot starve, one job has had the CPU for so long that the process must
 * end. The crash is charged to this job alone; its neighbours go back and it costs them no try.
 */
#pragma once

#include "io/fiber/fiber.h"

struct reactor;

/* Watches what the first thread of the crash page shows, until *must_stop; the job that is to blame
 * is written into the page and, if it can be reached within a second, into PostgreSQL. Then the
 * process aborts. */
fiber_fn void overrun_watch(struct reactor *reactor, Str incarnation,
                            const _Atomic bool *must_stop);

/* The sentence for a job that was charged so. */
Str overrun_reason(struct arena *arena, int64_t limit_s);
