/*
 * A job that does nothing but what every job does: one fenced row. With {"wait_ms": n} it takes
 * its time over it.
 */
#include "base/system/clock.h"
#include "gen/sql.h"
#include "workers/handlers.h"

enum { WAIT_MS_MAX = 60 * 1000 };

fiber_fn Err job_bench_noop(struct ctx *ctx, struct job *job)
{
    const struct json *wait_ms = json_get(job->payload, STR("wait_ms"));
    if (json_kind(wait_ms) == JSON_INT) {
        int64_t ms = json_int(wait_ms);
        if (ms < 0 || ms > WAIT_MS_MAX)
            return fail(ctx, ERR_INVALID_PAYLOAD, "wait_ms is a number from 0 to %d", WAIT_MS_MAX);
        TRY(fiber_sleep(ctx, ms * MS_US));
    }
    return job_finish(ctx, job, NULL, STR("{\"ok\":true}"));
}
