/* A site's articles whose slots have come, through the quality gate. */
#include "factory/review/review.h"
#include "workers/handlers.h"

fiber_fn Err job_publish_due(struct ctx *ctx, struct job *job)
{
    if (job->scope.kind != SCOPE_SITE)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Articles belong to one site; this job has none");
    return publish_due(ctx, job);
}
