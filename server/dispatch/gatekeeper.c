#include "server/dispatch/gatekeeper.h"

#include "access/identity/authenticate.h"
#include "base/settings/settings.h"
#include "io/reactor/reactor.h"
#include "server/dispatch/origin.h"
#include "server/dispatch/router.h"

#define MAX_AGE_S "86400"
#define HEADERS_SHOWN "retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset"
#define PLATFORM_HEADERS_SHOWN "content-range, etag, x-site-id, " HEADERS_SHOWN
#define METHODS "GET, POST, PATCH, DELETE, SEARCH, PUT"
#define HEADERS_TAKEN "content-type, authorization, x-site-id"

static bool is_preflight(const struct request *request)
{
    return str_eq(request->method, STR("OPTIONS")) &&
           request_header(request, STR("origin")).len > 0 &&
           request_header(request, STR("access-control-request-method")).len > 0;
}

static void preflight_answer(struct reply *reply, Str methods, Str headers)
{
    reply_header(reply, STR("access-control-allow-methods"), methods);
    reply_header(reply, STR("access-control-allow-headers"), headers);
    reply_header(reply, STR("access-control-max-age"), STR(MAX_AGE_S));
    reply_no_content(reply);
}

bool cors_platform(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct settings *settings = ctx->reactor->settings;
    if (!settings->cors_enabled ||
        (settings->cors_origins.len == 0 && settings->public_url.len == 0))
        return false;
    reply_header(reply, STR("vary"), STR("origin"));
    Str origin = request_header(request, STR("origin"));
    enum origin_kind kind = origin_find(settings, origin);
    if (kind == ORIGIN_FOREIGN)
        return false;
    bool is_platform = kind == ORIGIN_PLATFORM;
    reply_header(reply, STR("access-control-allow-origin"), is_platform ? origin : STR("*"));
    if (is_platform)
        reply_header(reply, STR("access-control-allow-credentials"), STR("true"));
    reply_header(reply, STR("access-control-expose-headers"), STR(PLATFORM_HEADERS_SHOWN));
    if (!is_preflight(request))
        return false;
    preflight_answer(reply, STR(METHODS),
                     is_platform ? STR(HEADERS_TAKEN ", x-god-token") : STR(HEADERS_TAKEN));
    return true;
}

/* The visitors' routes take no credentials; the content API does. */
static bool is_for_sites(const struct route *route)
{
    return route != NULL && (route->guard == GUARD_VISITOR || route->envelope == ENVELOPE_CMS);
}

static void allow(struct reply *reply, const struct route *route, Str origin)
{
    bool is_visitors = route->guard == GUARD_VISITOR;
    reply_header(reply, STR("access-control-allow-origin"), origin);
    if (!is_visitors)
        reply_header(reply, STR("access-control-allow-credentials"), STR("true"));
    reply_header(reply, STR("access-control-expose-headers"),
                 is_visitors ? STR(HEADERS_SHOWN) : STR(PLATFORM_HEADERS_SHOWN));
}

fiber_fn Err cors_open(struct ctx *ctx, const struct request *request, struct reply *reply,
                       bool is_known)
{
    if (!is_for_sites(request->route))
        return OK;
    if (!reply_has_header(reply, STR("vary")))
        reply_header(reply, STR("vary"), STR("origin"));
    Str origin = request_header(request, STR("origin"));
    if (origin.len == 0 || reply_has_header(reply, STR("access-control-allow-origin")))
        return OK; /* no page, or one of the platform's own origins */
    SCOPED_CTX struct ctx machinery = ctx_as_machinery(ctx, "the owner of a hostname is public");
    struct request_sites sites;
    TRY(request_sites_find(&machinery, request->host, origin, &sites));
    bool is_its_own = ctx->scope.kind == SCOPE_SITE && uuid_eq(sites.by_origin, ctx->scope.site);
    if (!uuid_is_nil(sites.by_origin) && (is_known ? is_its_own : request_sites_may_meet(&sites)))
        allow(reply, request->route, origin);
    return OK;
}

const struct route *cors_preflight_route(const struct router *router, struct arena *arena,
                                         const struct request *request)
{
    if (!is_preflight(request))
        return NULL;
    Str method = request_header(request, STR("access-control-request-method"));
    struct route_match match = router_find(router, arena, method, request->path);
    if (match.route == NULL)
        match = router_find(router, arena, STR("POST"), request->path);
    return is_for_sites(match.route) ? match.route : NULL;
}

Err cors_preflight_answer(struct ctx *ctx, const struct route *route, struct reply *reply)
{
    if (!reply_has_header(reply, STR("access-control-allow-origin")))
        return fail(ctx, ERR_FORBIDDEN, "This origin is not one of the site's domains.");
    if (route->guard == GUARD_VISITOR)
        preflight_answer(reply, STR("POST"), STR("content-type"));
    else
        preflight_answer(reply, STR(METHODS), STR(HEADERS_TAKEN));
    return OK;
}

static Str number_text(struct ctx *ctx, int64_t number)
{
    return str_printf(ctx->arena, "%jd", (intmax_t)number);
}

fiber_fn Err rate_pass(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    if (request->route->rate == RATE_NONE)
        return OK;
    struct rate rate;
    Err err = rate_take(ctx, request->route->rate, request->ip, &rate);
    if (rate.is_counted) {
        reply_header(reply, STR("ratelimit-limit"), number_text(ctx, rate.limit));
        reply_header(reply, STR("ratelimit-remaining"), number_text(ctx, rate.left));
        reply_header(reply, STR("ratelimit-reset"), number_text(ctx, rate.reset_s));
    }
    return err;
}
