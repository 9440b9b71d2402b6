/* The server itself: ping, and what Directus' admin app asks for at its start. */
#include "gen/routes/server.h"

#include "access/grants/actor.h"

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

fiber_fn Err route_server_setup(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)request;
    (void)reply;
    return fail_plain(ctx, ERR_FORBIDDEN);
}

/* Extensions of Spark are no extensions of Directus: /server/health lists them. */
fiber_fn Err route_extensions_index(struct ctx *ctx, const struct request *request,
                                    struct reply *reply)
{
    (void)request;
    if (!ctx->actor->is_admin)
        return fail(ctx, ERR_FORBIDDEN,
                    "You don't have permission to access collection \"directus_extensions\" or it "
                    "does not exist. Queried in root.");
    extensions_index_reply_write(&reply->json, &(struct extensions_index_reply){.data = STR("[]")});
    return OK;
}

fiber_fn Err route_extension_sources(struct ctx *ctx, const struct request *request,
                                     struct reply *reply)
{
    (void)ctx;
    (void)request;
    reply_text(
        reply, 200, STR("application/javascript; charset=UTF-8"),
        STR("const interfaces = [];const displays = [];const layouts = [];"
            "const modules = [];const panels = [];const themes = [];const operations = [];\n\n"
            "export { displays, interfaces, layouts, modules, operations, panels, themes };\n"));
    return OK;
}
