#include "server/dispatch/gatekeeper.h"

#include "access/identity/authenticate.h"
#include "base/settings/settings.h"
#include "io/reactor/reactor.h"
#include "server/dispatch/router.h"

#define MAX_AGE_S "86400"
#define HEADERS_SHOWN "retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset"
#define PLATFORM_HEADERS_SHOWN "content-range, " HEADERS_SHOWN
#define METHODS "GET, POST, PATCH, DELETE, SEARCH, PUT"
#define HEADERS_TAKEN "content-type, authorization, x-site-id"

/* "https://admin.example:443/x" → "https://admin.example": the form that browsers send. STR_NONE
 * for a URL without a web origin. */
static Str url_origin(Str url)
{
    url = str_trim(url);
    size_t scheme = str_starts_with(url, STR("https://"))  ? 8
                    : str_starts_with(url, STR("http://")) ? 7
                                                           : 0;
    size_t end = scheme;
    while (end < url.len && strchr("/?#@", url.data[end]) == NULL)
        end++;
    if (scheme == 0 || end == scheme || (end < url.len && url.data[end] == '@'))
        return STR_NONE;
    Str origin = str_slice(url, 0, end);
    Str port = scheme == 8 ? STR(":443") : STR(":80");
    return str_ends_with(origin, port) ? str_slice(origin, 0, origin.len - port.len) : origin;
}

enum origin_kind { ORIGIN_FOREIGN, ORIGIN_ANYBODY, ORIGIN_PLATFORM };

/* Exact match: another scheme, port or a longer name is another origin; so is "null". */
static enum origin_kind origin_find(const struct settings *settings, Str origin)
{
    enum origin_kind kind = ORIGIN_FOREIGN;
    if (origin.len == 0)
        return kind;
    if (str_eq_nocase(origin, url_origin(settings->public_url)))
        return ORIGIN_PLATFORM;
    Str rest = settings->cors_origins;
    Str listed;
    while (str_next(&rest, ',', &listed)) {
        listed = str_trim(listed);
        if (str_eq_nocase(origin, url_origin(listed)))
            return ORIGIN_PLATFORM;
        if (str_eq(listed, STR("*")) || str_eq_nocase(listed, STR("true")))
            kind = ORIGIN_ANYBODY;
    }
    return kind;
}

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

/* "https://a.example:8443" → "a.example:8443"; other schemes match no site. */
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
    if (!reply_has_header(reply, STR("vary")))
        reply_header(reply, STR("vary"), STR("origin"));
    if (reply_has_header(reply, STR("access-control-allow-origin")))
        return OK; /* a page of the platform's own origins */
    Str origin = request_header(request, STR("origin"));
    Str host = origin_host(origin);
    if (host.len == 0 || ctx->scope.kind != SCOPE_SITE)
        return OK;
    SCOPED_CTX struct ctx machinery = ctx_as_machinery(ctx, "the owner of a hostname is public");
    Uuid site;
    TRY(site_find_by_host(&machinery, host, &site));
    if (!uuid_eq(site, ctx->scope.site))
        return OK;
    reply_header(reply, STR("access-control-allow-origin"), origin);
    reply_header(reply, STR("access-control-expose-headers"), STR(HEADERS_SHOWN));
    return OK;
}

const struct route *cors_preflight_route(const struct router *router, struct arena *arena,
                                         const struct request *request)
{
    if (!is_preflight(request))
        return NULL;
    struct route_match match = router_find(router, arena, STR("POST"), request->path);
    bool is_ours = match.route != NULL && match.route->guard == GUARD_VISITOR;
    return is_ours ? match.route : NULL;
}

Err cors_preflight_answer(struct ctx *ctx, struct reply *reply)
{
    if (!reply_has_header(reply, STR("access-control-allow-origin")))
        return fail(ctx, ERR_FORBIDDEN, "This origin is not one of the site's domains.");
    preflight_answer(reply, STR("POST"), STR("content-type"));
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
