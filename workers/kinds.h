/*
 * The kinds of jobs that this worker can do: those that app/compose.c registered, and those of
 * extensions.
 */
#pragma once

#include "jobs/queue/job_kind.h"
#include "runtime/host.h"

/* Registers the kinds of the extensions. Once, before the first claim; memory from the arena, which
 * must outlive the jobs. */
void kinds_add_extensions(struct arena *arena, const struct host *host);
/* Why a kind that nobody knows must wait instead of failing (the sentence), or STR_NONE. */
Str kind_is_off(struct arena *arena, Str kind);
/* Tells spark.job_kinds what this worker can do, for jobs that are enqueued by hand. */
fiber_fn Err kinds_report(struct platform platform);
