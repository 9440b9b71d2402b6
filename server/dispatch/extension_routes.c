#include "server/dispatch/extension_routes.h"

#include "base/system/log.h"

/* Headers that dispatch itself adds must still fit. */
enum { HEADERS_KEPT_FREE = 4 };

struct bridge {
    struct host_exchange exchange; /* must be first: the plugin host passes it back */
    const struct request *request;
    struct reply *reply;
};

static void on_reply(struct host_exchange *exchange, int status, Str content_type, Str body)
{
    struct bridge *bridge = (struct bridge *)exchange;
    reply_text(bridge->reply, status, content_type, body);
}

static void on_reply_header(struct host_exchange *exchange, Str name, Str value)
{
    struct bridge *bridge = (struct bridge *)exchange;
    if (bridge->reply->header_count + HEADERS_KEPT_FREE < REPLY_HEADERS_MAX)
        reply_header(bridge->reply, name, value);
}

static Str param_of(const struct host_exchange *exchange, size_t index)
{
    const struct bridge *bridge = (const struct bridge *)exchange;
    return index < REQUEST_PARAMS_MAX ? bridge->request->params[index] : STR_NONE;
}

static Str header_of(const struct host_exchange *exchange, Str name)
{
    const struct bridge *bridge = (const struct bridge *)exchange;
    return request_header(bridge->request, name);
}

static fiber_fn Err extension_handler(struct ctx *ctx, const struct request *request,
                                      struct reply *reply)
{
    struct bridge bridge = {
        .exchange = {on_reply, on_reply_header, param_of, header_of},
        .request = request,
        .reply = reply,
    };
    struct host_request seen = {
        .method = request->method,
        .path = request->path,
        .query = request->query,
        .body = request->body,
    };
    bool has_replied;
    TRY(host_endpoint_run(ctx, request->route->extension, &seen, &bridge.exchange, &has_replied));
    if (!has_replied)
        reply_no_content(reply);
    return OK;
}

static enum route_guard guard_of(spark_guard guard)
{
    switch (guard) {
    case SPARK_GUARD_MEMBER:
        return GUARD_MEMBER;
    case SPARK_GUARD_ADMIN:
        return GUARD_ADMIN;
    case SPARK_GUARD_GOD:
        return GUARD_GOD;
    case SPARK_GUARD_PUBLIC:
        break;
    }
    return GUARD_PUBLIC;
}

static enum route_body body_of(spark_body body)
{
    switch (body) {
    case SPARK_BODY_SMALL:
        return BODY_PUBLIC;
    case SPARK_BODY_CONTENT:
        return BODY_CONTENT;
    case SPARK_BODY_BULK:
        return BODY_BULK;
    case SPARK_BODY_NONE:
        break;
    }
    return BODY_NONE;
}

static enum route_write write_of(Str method)
{
    return str_eq(method, STR("GET")) || str_eq(method, STR("SEARCH")) ? READS : WRITES;
}

bool extension_route_is_ours(Str method, Str pattern)
{
    for (uint32_t i = 0; i < ROUTES_COUNT; i++)
        if (str_eq(ROUTES[i].method, method) && host_patterns_meet(ROUTES[i].pattern, pattern))
            return true;
    return false;
}

struct route *extension_routes_make(struct arena *arena, const struct host *host,
                                    uint32_t *ret_count)
{
    const struct host_endpoint_info *infos;
    uint32_t count = host_endpoints(host, arena, &infos);
    struct route *routes = arena_array(arena, struct route, count);
    for (uint32_t i = 0; i < count; i++) {
        const char *summary =
            str_z(arena, str_printf(arena, "Of the extension %s.", infos[i].extension));
        routes[i] = (struct route){
            .method = infos[i].method,
            .pattern = infos[i].pattern,
            .handler = extension_handler,
            .guard = guard_of(infos[i].guard),
            .body = body_of(infos[i].body),
            .write = write_of(infos[i].method),
            .site = {.rule = SITE_CALLER},
            .envelope = envelope_of_path(infos[i].pattern),
            .summary = summary,
            /* The handler passes it back to the plugin host, which created it. */
            .extension = (void *)(uintptr_t)infos[i].endpoint,
        };
        log_event(LOG_INFO, "extension_route", LOG_S("method", routes[i].method),
                  LOG_S("pattern", routes[i].pattern), LOG_I("guard", routes[i].guard));
    }
    *ret_count = count;
    return routes;
}

void extension_routes_add(struct router *router, const struct route *routes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!router_add(router, &routes[i]))
            log_event(LOG_ERROR, "extension_route_refused", LOG_S("method", routes[i].method),
                      LOG_S("pattern", routes[i].pattern), LOG_Z("summary", routes[i].summary),
                      LOG_Z("reason", "there is such a route, or the pattern is malformed"));
    }
}
