/* GET /metrics: counters in the Prometheus text format. They belong to the platform, not to a
 * tenant. */
#include "access/grants/actor.h"
#include "base/system/counters.h"
#include "gen/routes/server.h"

fiber_fn Err route_metrics_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)request;
    struct platform platform;
    TRY(actor_platform(ctx, &platform));
    reply->content_type = STR("text/plain; version=0.0.4; charset=utf-8");
    counters_write(reply->body);
    return OK;
}
