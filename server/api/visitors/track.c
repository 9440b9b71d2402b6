/* POST /api/track/pageview and /event: accepted once Redis has it, stored by a worker in bulk. */
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "server/api/visitors/public.h"
#include "server/dispatch/handlers.h"
#include "server/dispatch/visitor.h"
#include "visitors/tracking/tracking.h"

enum { PATH_MAX_LEN = 500, TITLE_MAX = 500, ID_MAX = 255, REFERRER_MAX = 500 };
enum { UTM_MAX = 255, PATH_WITH_QUERY_MAX = 4096 };
enum { WORD_MAX = 255, METADATA_MAX = 4096 };

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
    return fail_noted(ctx, ERR_FAILED_VALIDATION, "field", STR("page_path"), "%s", sentence);
}

fiber_fn Err pageview_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct pageview view = {.id = uuid_make(), .wall_us = clock_wall_us()};
    TRY(visitor_site(ctx, body, &view.site));
    TRY(pageview_read(ctx, body, &view));
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
    json_object_begin(&reply->json);
    json_field_bool(&reply->json, "success", true);
    json_field_bool(&reply->json, "is_bot", view.is_bot);
    json_field_uuid(&reply->json, "event_id", view.id);
    json_object_end(&reply->json);
    return OK;
}

/* A number is as good as its text. */
static Err event_value_read(struct ctx *ctx, const struct json *body, Str *ret)
{
    const struct json *value = json_get(body, STR("event_value"));
    if (json_kind(value) != JSON_INT && json_kind(value) != JSON_REAL)
        return json_take_str(ctx, body, "event_value", WORD_MAX, ret);
    *ret = json_text(ctx->arena, value);
    return OK;
}

static Err metadata_read(struct ctx *ctx, const struct json *body, Str *ret)
{
    const struct json *metadata = json_get(body, STR("metadata"));
    if (json_is_null(metadata))
        return OK;
    if (json_kind(metadata) != JSON_OBJECT)
        return visitor_refuse(ctx, "metadata", "metadata has to be an object");
    *ret = json_text(ctx->arena, metadata);
    if (ret->len > METADATA_MAX)
        return visitor_refuse(ctx, "metadata", "metadata has more than 4096 bytes");
    return OK;
}

static Err event_read(struct ctx *ctx, const struct json *body, struct event *ret)
{
    const struct text_field fields[] = {
        {"event_name", WORD_MAX, &ret->event_name},
        {"event_category", WORD_MAX, &ret->event_category},
        {"event_label", WORD_MAX, &ret->event_label},
        {"page_path", PATH_MAX_LEN, &ret->page_path},
        {"session_id", ID_MAX, &ret->session_id},
        {"visitor_id", ID_MAX, &ret->visitor_id},
    };
    Err texts = VISITOR_TAKE_TEXTS(ctx, body, fields);
    Err value = event_value_read(ctx, body, &ret->event_value);
    Err metadata = metadata_read(ctx, body, &ret->metadata);
    TRY(texts);
    TRY(value);
    TRY(metadata);
    if (str_trim(ret->event_name).len == 0)
        return visitor_refuse(ctx, "event_name", "event_name is required");
    return OK;
}

fiber_fn Err event_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct event event = {.id = uuid_make(), .wall_us = clock_wall_us()};
    TRY(visitor_site(ctx, body, &event.site));
    TRY(event_read(ctx, body, &event));
    event.user_agent = visitor_agent(request);
    event.ip_address = visitor_ip(ctx, request);
    TRY(event_push(ctx, &event));

    reply->status = 202;
    json_object_begin(&reply->json);
    json_field_bool(&reply->json, "success", true);
    json_field_uuid(&reply->json, "event_id", event.id);
    json_object_end(&reply->json);
    return OK;
}
