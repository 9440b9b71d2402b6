/* Up to `limit` articles of a campaign from its free headlines, with the end of the job. */
#include "factory/articles/generate.h"
#include "workers/handlers.h"

fiber_fn Err job_generate_articles(struct ctx *ctx, struct job *job)
{
    if (job->scope.kind != SCOPE_SITE)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Articles are made for one site; this job has none");
    return generation_run(ctx, job);
}
