/*
 * The kinds of jobs that this worker can run: those that app/compose.c registered, and those of
 * extensions.
 */
#pragma once

#include "jobs/queue/job_kind.h"
#include "runtime/host.h"

/* Registers the kinds of the extensions. Call once, before the first claim; allocates in the arena,
 * which must outlive the jobs. */
void kinds_add_extensions(struct arena *arena, const struct host *host);
/* The reason why an unregistered kind must wait instead of failing (its extension is disabled), or
 * STR_NONE. */
Str kind_is_off(struct arena *arena, Str kind);
/* Reports the kinds of this worker to spark.job_kinds, for jobs that are enqueued by SQL. */
fiber_fn Err kinds_report(struct platform platform);
