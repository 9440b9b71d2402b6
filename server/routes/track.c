/* POST /api/track/pageview: accepted once Redis has it, stored by a worker in bulk. */
#include "base/clock.h"
#include "jobs/tracking.h"
#include "server/handlers.h"
#include "server/routes/public.h"
#include "server/visitor.h"

enum { PATH_MAX_LEN = 500, TITLE_MAX = 500, ID_MAX = 255, REFERRER_MAX = 500, AGENT_MAX = 500 };
enum { UTM_MAX = 255, PATH_WITH_QUERY_MAX = 4096 };

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
        for (size_t i = 0; i < sizeof utm / sizeof utm[0]; i++) {
            Str value = request_query(ctx->arena, &link, utm[i].name);
            if (str_is_utf8(value) && str_count_codepoints(value) <= UTM_MAX)
                *utm[i].value = value;
        }
    }
    view->page_path = path;
}

static Err pageview_read(struct ctx *ctx, const struct json *body, struct pageview *ret)
{
    TRY(json_take_str(ctx, body, "page_path", PATH_WITH_QUERY_MAX, &ret->page_path));
    TRY(json_take_str(ctx, body, "page_title", TITLE_MAX, &ret->page_title));
    TRY(json_take_str(ctx, body, "referrer", REFERRER_MAX, &ret->referrer));
    TRY(json_take_str(ctx, body, "session_id", ID_MAX, &ret->session_id));
    TRY(json_take_str(ctx, body, "visitor_id", ID_MAX, &ret->visitor_id));
    path_split(ctx, ret);
    const char *sentence = NULL;
    if (!str_starts_with(ret->page_path, STR("/")))
        sentence = "page_path is required and starts with '/'";
    else if (str_count_codepoints(ret->page_path) > PATH_MAX_LEN)
        sentence = "page_path has more than 500 characters";
    if (sentence == NULL)
        return OK;
    err_ignore(fail(ctx, ERR_FAILED_VALIDATION, "%s", sentence), "noted below");
    return fail_note(ctx, "field", STR("page_path"));
}

/* At most `max` bytes of what a browser sent, and only text. */
static Str header_text(const struct request *request, Str name, size_t max)
{
    Str value = str_slice(request_header(request, name), 0, max);
    while (value.len > 0 && !str_is_utf8(value) && value.len + 3 > max)
        value.len--;
    return str_is_utf8(value) ? value : STR_NONE;
}

fiber_fn Err pageview_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct pageview view = {.id = uuid_make(), .wall_us = clock_wall_us()};
    TRY(visitor_site(ctx, body, &view.site));
    TRY(pageview_read(ctx, body, &view));
    view.user_agent = header_text(request, STR("user-agent"), AGENT_MAX);
    view.ip_address = request->ip;
    struct visitor visitor = visitor_of(view.user_agent);
    view.device_type = visitor.device_type;
    view.browser = visitor.browser;
    view.os = visitor.os;
    view.is_bot = visitor.is_bot;
    view.bot_name = visitor.bot_name;
    TRY(pageview_push(ctx, &view));

    reply->status = 202;
    json_object_begin(&reply->json);
    json_field_bool(&reply->json, "success", true);
    json_field_bool(&reply->json, "is_bot", view.is_bot);
    json_field_uuid(&reply->json, "event_id", view.id);
    json_object_end(&reply->json);
    return OK;
}
