/* The server itself: ping, health, info. */
#include "gen/routes/server.h"

fiber_fn Err route_root_redirect(struct ctx *ctx, const struct request *request,
                                 struct reply *reply)
{
    (void)ctx;
    (void)request;
    reply_text(reply, 302, STR("text/plain; charset=utf-8"), STR("Found. Redirecting to ./admin/"));
    reply_header(reply, STR("location"), STR("./admin/"));
    return OK;
}

fiber_fn Err route_ping_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)ctx;
    (void)request;
    reply_text(reply, 200, STR("text/html; charset=utf-8"), STR("pong"));
    return OK;
}
