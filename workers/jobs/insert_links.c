/* Links in several articles of one site, each article in a transaction of its own. */
#include "factory/links/links_store.h"
#include "workers/handlers.h"

fiber_fn Err job_insert_links(struct ctx *ctx, struct job *job)
{
    if (job->scope.kind != SCOPE_SITE)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Links are one site's; this job has none");
    return links_run(ctx, job);
}
