/* The duplicate scan of a site, a queue or some articles, with the end of the job. */
#include "factory/duplicates/duplicates.h"
#include "workers/handlers.h"

fiber_fn Err job_scan_duplicates(struct ctx *ctx, struct job *job)
{
    if (job->scope.kind != SCOPE_SITE)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "Articles are compared within a site; this job has none");
    return duplicates_run(ctx, job);
}
