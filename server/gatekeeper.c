#include "server/gatekeeper.h"

#include "access/authenticate.h"
#include "access/rate.h"
#include "server/handlers.h"

#define MAX_AGE_S "86400"
#define HEADERS_SHOWN "retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset"

/* "https://a.example:8443" → "a.example:8443"; anything but the web finds no site. */
static Str origin_host(Str origin)
{
    if (str_starts_with(origin, STR("https://")))
        return str_slice(origin, sizeof "https://" - 1, origin.len);
    if (str_starts_with(origin, STR("http://")))
        return str_slice(origin, sizeof "http://" - 1, origin.len);
    return STR_NONE;
}

fiber_fn Err cors_open(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    if (request->route == NULL || request->route->guard != GUARD_VISITOR)
        return OK;
    reply_header(reply, STR("vary"), STR("origin"));
    Str origin = request_header(request, STR("origin"));
    Str host = origin_host(origin);
    if (host.len == 0 || ctx->scope.kind != SCOPE_SITE)
        return OK;
    struct ctx machinery = *ctx; /* whose host it is, is nobody's secret from the machinery */
    machinery.actor = NULL;
    Uuid site;
    Err err = site_find_by_host(&machinery, host, &site);
    ctx->diag = machinery.diag;
    TRY(err);
    if (!uuid_eq(site, ctx->scope.site))
        return OK;
    reply_header(reply, STR("access-control-allow-origin"), origin);
    reply_header(reply, STR("access-control-expose-headers"), STR(HEADERS_SHOWN));
    return OK;
}

const struct route *cors_preflight_route(const struct router *router, struct arena *arena,
                                         const struct request *request)
{
    bool is_preflight = str_eq(request->method, STR("OPTIONS")) &&
                        request_header(request, STR("origin")).len > 0 &&
                        request_header(request, STR("access-control-request-method")).len > 0;
    if (!is_preflight)
        return NULL;
    struct route_match match = router_find(router, arena, STR("POST"), request->path);
    bool is_ours = match.route != NULL && match.route->guard == GUARD_VISITOR;
    return is_ours ? match.route : NULL;
}

Err cors_preflight_answer(struct ctx *ctx, struct reply *reply)
{
    if (!reply_has_header(reply, STR("access-control-allow-origin")))
        return fail(ctx, ERR_FORBIDDEN, "This origin is none of the site's domains.");
    reply_header(reply, STR("access-control-allow-methods"), STR("POST"));
    reply_header(reply, STR("access-control-allow-headers"), STR("content-type"));
    reply_header(reply, STR("access-control-max-age"), STR(MAX_AGE_S));
    reply_no_content(reply);
    return OK;
}

static enum rate_class class_of(const struct route *route)
{
    static const struct {
        RouteHandler *handler;
        enum rate_class class;
    } rated[] = {
        {lead_post, RATE_FORM},
        {form_submit, RATE_FORM},
        {pageview_post, RATE_PAGEVIEW},
        {event_post, RATE_EVENT},
        {conversion_post, RATE_CONVERSION},
        {call_click_post, RATE_CONVERSION},
    };
    for (size_t i = 0; i < sizeof rated / sizeof rated[0]; i++)
        if (rated[i].handler == route->handler)
            return rated[i].class;
    return RATE_NONE;
}

static Str number_text(struct ctx *ctx, int64_t number)
{
    return str_printf(ctx->arena, "%jd", (intmax_t)number);
}

fiber_fn Err rate_pass(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    if (request->route->guard != GUARD_VISITOR)
        return OK;
    struct rate rate;
    Err err = rate_take(ctx, class_of(request->route), request->ip, &rate);
    if (rate.is_counted) {
        reply_header(reply, STR("ratelimit-limit"), number_text(ctx, rate.limit));
        reply_header(reply, STR("ratelimit-remaining"), number_text(ctx, rate.left));
        reply_header(reply, STR("ratelimit-reset"), number_text(ctx, rate.reset_s));
    }
    return err;
}
