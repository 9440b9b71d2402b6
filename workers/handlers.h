/* The handlers that jobs.def names, declared from it. Each is defined in workers/jobs/. */
#pragma once

#include "jobs/queue/job.h"

#define JOB(kind, handler, timeout_s, help) fiber_fn Err handler(struct ctx *ctx, struct job *job);
#include "workers/jobs.def"
#undef JOB

struct job_kind {
    Str kind;
    JobHandler *handler;
    int64_t timeout_us;
    void *extension; /* its job, for kinds that an extension added */
};

/* NULL: no such kind in this build. */
const struct job_kind *job_kind_find(Str kind);

/* Tells spark.job_kinds what this worker can do, for who enqueues by hand. */
fiber_fn Err job_kinds_report(struct platform platform);
