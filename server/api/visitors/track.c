/* POST /api/track/pageview and /event: accepted once Redis has the event; a worker stores events in
 * bulk. */
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "gen/routes/visitors.h"
#include "server/api/visitors/public.h"
#include "visitors/tracking/tracking.h"

enum { PATH_MAX_LEN = 500, UTM_MAX = 255, METADATA_MAX = 4096 };

/* "/a?utm_source=x#y" → the path, and the utm parameters of its query. */
static void path_split(struct ctx *ctx, struct pageview *view)
{
    Str path = view->page_path;
    ptrdiff_t hash = str_find_char(path, '#');
    if (hash >= 0)
        path = str_slice(path, 0, (size_t)hash);
    ptrdiff_t question = str_find_char(path, '?');
    if (question >= 0) {
        struct request link = {.query = str_slice(path, (size_t)question + 1, path.len)};
        path = str_slice(path, 0, (size_t)question);
        const struct {
            Str name;
            Str *value;
        } utm[] = {
            {STR("utm_source"), &view->utm_source},     {STR("utm_medium"), &view->utm_medium},
            {STR("utm_campaign"), &view->utm_campaign}, {STR("utm_content"), &view->utm_content},
            {STR("utm_term"), &view->utm_term},
        };
        for (size_t i = 0; i < COUNT_OF(utm); i++) {
            Str value = request_query(ctx->arena, &link, utm[i].name);
            if (str_is_utf8(value) && str_count_codepoints(value) <= UTM_MAX)
                *utm[i].value = value;
        }
    }
    view->page_path = path;
}

static Err path_check(struct ctx *ctx, Str path)
{
    if (!str_starts_with(path, STR("/")))
        return field_refuse(ctx, "page_path", "page_path is required and starts with '/'");
    if (str_count_codepoints(path) > PATH_MAX_LEN)
        return field_refuse(ctx, "page_path", "page_path has more than 500 characters");
    return OK;
}

fiber_fn Err route_pageview_post(struct ctx *ctx, const struct request *request,
                                 const struct pageview_post_input *input, struct reply *reply)
{
    struct pageview view = {
        .id = uuid_make(),
        .wall_us = clock_wall_us(),
        .site = ctx->scope.site,
        .page_path = input->page_path,
        .page_title = input->page_title,
        .referrer = input->referrer,
        .session_id = input->session_id,
        .visitor_id = input->visitor_id,
    };
    path_split(ctx, &view);
    TRY(path_check(ctx, view.page_path));
    view.user_agent = visitor_agent(request);
    view.ip_address = visitor_ip(ctx, request);
    struct visitor visitor = visitor_of(view.user_agent);
    view.device_type = visitor.device_type;
    view.browser = visitor.browser;
    view.os = visitor.os;
    view.is_bot = visitor.is_bot;
    view.bot_name = visitor.bot_name;
    TRY(pageview_push(ctx, &view));

    reply->status = 202;
    pageview_post_reply_write(&reply->json, &(struct pageview_post_reply){
                                                .is_bot = view.is_bot,
                                                .event_id = view.id,
                                            });
    return OK;
}

fiber_fn Err route_event_post(struct ctx *ctx, const struct request *request,
                              const struct event_post_input *input, struct reply *reply)
{
    Str metadata = input->metadata != NULL ? json_text(ctx->arena, input->metadata) : STR_NONE;
    if (metadata.len > METADATA_MAX)
        return field_refuse(ctx, "metadata", "metadata has more than 4096 bytes");
    struct event event = {
        .id = uuid_make(),
        .wall_us = clock_wall_us(),
        .site = ctx->scope.site,
        .event_name = input->event_name,
        .event_category = input->event_category,
        .event_label = input->event_label,
        .event_value = input->event_value,
        .metadata = metadata,
        .page_path = input->page_path,
        .session_id = input->session_id,
        .visitor_id = input->visitor_id,
        .user_agent = visitor_agent(request),
        .ip_address = visitor_ip(ctx, request),
    };
    TRY(event_push(ctx, &event));

    reply->status = 202;
    event_post_reply_write(&reply->json, &(struct event_post_reply){.event_id = event.id});
    return OK;
}
