/* The articles of the slots that a production queue has given to this job, with the job's end. */
#include "factory/production/production.h"
#include "workers/handlers.h"

fiber_fn Err job_process_queue(struct ctx *ctx, struct job *job)
{
    if (job->scope.kind != SCOPE_SITE)
        return fail(ctx, ERR_INVALID_PAYLOAD, "A queue belongs to one site; this job has none");
    return production_run(ctx, job);
}
