/*
 * The hard timeout. A job's timeout ends its waits; a job that computes without ever waiting is not
 * affected by it and blocks its whole worker. The lease thread, which job code cannot starve,
 * detects a job that has had the CPU for JOB_HARD_TIMEOUT and ends the process. The crash is
 * charged to this job alone; the other jobs are queued again without losing a try.
 */
#pragma once

#include "io/fiber/fiber.h"

struct reactor;

/* Watches the first thread of the crash page until *must_stop. Before it aborts the process, it
 * records the job in the page and, if that takes less than a second, in PostgreSQL. */
fiber_fn void overrun_watch(struct reactor *reactor, Str incarnation,
                            const _Atomic bool *must_stop);
