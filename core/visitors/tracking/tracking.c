#include "visitors/tracking/tracking.h"

#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "io/reactor/reactor.h"
#include "visitors/tracking/tracking_store.h"

enum { LINE_MAX_BYTES = 16 * 1024, REDIS_TIMEOUT_US = 1000 * 1000 };

/* COPY text format: backslash escapes for separators, \N for null. */
static void put_text(struct buf *out, Str value)
{
    if (value.data == NULL) {
        buf_put(out, STR("\\N"));
        return;
    }
    size_t clean_from = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (c != '\\' && c != '\t' && c != '\n' && c != '\r' && c != '\0')
            continue;
        buf_put(out, str_slice(value, clean_from, i));
        clean_from = i + 1;
        if (c == '\0')
            continue;
        buf_put_char(out, '\\');
        buf_put_char(out, c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : '\\');
    }
    buf_put(out, str_slice(value, clean_from, value.len));
}

static void put_uuid(struct buf *out, Uuid uuid)
{
    char text[UUID_TEXT_LEN];
    uuid_write(uuid, text);
    buf_put(out, str_of(text, sizeof text));
}

static void put_time(struct buf *out, int64_t wall_us)
{
    char text[CLOCK_ISO_LEN];
    clock_write_iso(wall_us, text);
    buf_put(out, str_of(text, sizeof text));
}

static void put_head(struct buf *out, Uuid id, Uuid site, int64_t wall_us)
{
    put_uuid(out, id);
    buf_put_char(out, '\t');
    put_uuid(out, site);
    buf_put_char(out, '\t');
    put_time(out, wall_us);
}

static void put_texts(struct buf *out, const Str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_put_char(out, '\t');
        put_text(out, texts[i]);
    }
}
#define PUT_TEXTS(out, texts) put_texts((out), (texts), COUNT_OF(texts))

void pageview_line(struct buf *out, const struct pageview *view)
{
    const Str texts[] = {view->page_path,    view->page_title,  view->session_id, view->visitor_id,
                         view->referrer,     view->user_agent,  view->ip_address, view->device_type,
                         view->browser,      view->os,          view->utm_source, view->utm_medium,
                         view->utm_campaign, view->utm_content, view->utm_term};
    put_head(out, view->id, view->site, view->wall_us);
    PUT_TEXTS(out, texts);
    buf_put(out, view->is_bot ? STR("\tt\t") : STR("\tf\t"));
    put_text(out, view->bot_name);
    buf_put_char(out, '\n');
}

void event_line(struct buf *out, const struct event *event)
{
    const Str texts[] = {event->event_name,  event->event_category, event->event_label,
                         event->event_value, event->page_path,      event->session_id,
                         event->visitor_id,  event->metadata,       event->user_agent,
                         event->ip_address};
    put_head(out, event->id, event->site, event->wall_us);
    PUT_TEXTS(out, texts);
    buf_put_char(out, '\n');
}

/* A Redis that is connected but does not answer in time counts as unavailable. */
static fiber_fn Err push_to_redis(struct ctx *ctx, Str list, Str line, int64_t *ret_len)
{
    SCOPED_DEADLINE struct fiber_deadline deadline = fiber_deadline_begin(ctx, REDIS_TIMEOUT_US);
    struct redis_value reply;
    TRY(REDIS_CALL(ctx, ctx->reactor->redis, &reply, STR("RPUSH"), list, line));
    *ret_len = reply.integer;
    return OK;
}

/* If Redis has stored the line but the reply was lost, the line is stored twice; its id makes that
 * idempotent. */
static fiber_fn Err push(struct ctx *ctx, enum tracking_kind kind, Str list, const struct buf *line)
{
    TRY(buf_check(ctx, line, "The event"));
    Err err = ERR_UNAVAILABLE;
    int64_t backlog = 0;
    if (!tracking_is_direct(ctx->reactor))
        err = push_to_redis(ctx, list, buf_str(line), &backlog);
    if (err == OK && backlog > TRACKING_BACKLOG_MAX)
        tracking_go_direct(ctx->reactor);
    if (err == ERR_UNAVAILABLE || err == ERR_TIMEOUT) {
        diag_clear(ctx);
        err = tracking_store_direct(ctx, kind, buf_str(line));
    }
    if (err == OK)
        counter_inc(tracking_accepted);
    return err;
}

fiber_fn Err pageview_push(struct ctx *ctx, const struct pageview *view)
{
    struct buf *line = buf_in_arena(ctx->arena, LINE_MAX_BYTES);
    pageview_line(line, view);
    return push(ctx, TRACKING_PAGEVIEWS, STR(KEY_TRACKING_PAGEVIEWS), line);
}

fiber_fn Err event_push(struct ctx *ctx, const struct event *event)
{
    struct buf *line = buf_in_arena(ctx->arena, LINE_MAX_BYTES);
    event_line(line, event);
    return push(ctx, TRACKING_EVENTS, STR(KEY_TRACKING_EVENTS), line);
}
