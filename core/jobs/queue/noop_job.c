/* A job that does nothing but what every job does: one fenced row. */
#include "base/system/clock.h"
#include "jobs/queue/job_kind.h"

enum { WAIT_MS_MAX = 60 * 1000 };

struct noop_payload {
    int64_t wait_ms; /* it takes its time over it */
};
static const struct job_field FIELDS[] = {
    JOB_INT(struct noop_payload, wait_ms, 0, WAIT_MS_MAX, 0),
};

static fiber_fn Err run(struct ctx *ctx, struct job *job)
{
    struct noop_payload payload;
    TRY(job_payload_read(ctx, &JOB_BENCH_NOOP, job, &payload));
    if (payload.wait_ms > 0)
        TRY(fiber_sleep(ctx, payload.wait_ms * MS_US));
    return job_finish(ctx, job, NULL, STR("{\"ok\":true}"));
}

const struct job_kind JOB_BENCH_NOOP =
    JOB_KIND("bench-noop", run, JOB_OF_ANY, 90, JOB_NORMAL,
             "Writes one fenced row; measures the cost of an empty job.",
             JOB_PAYLOAD(struct noop_payload, FIELDS));
