/* A range of a campaign's headlines, written into its inventory. */
#include "factory/headlines/headline_store.h"
#include "workers/handlers.h"

fiber_fn Err job_generate_headlines(struct ctx *ctx, struct job *job)
{
    if (job->scope.kind != SCOPE_SITE)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Headlines belong to a site; this job has none");
    return headlines_job_run(ctx, job);
}
