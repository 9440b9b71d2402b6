/* The counters of the queue for the admin page: once, or as server-sent events. */
#include "base/system/clock.h"
#include "base/system/version.h"
#include "gen/routes/jobs.h"
#include "io/reactor/reactor.h"
#include "server/api/jobs/queue_counts.h"
#include "server/http/http.h"

#include <pthread.h>

/* Each stream holds a fiber with its stack. It ends after STREAM_LIFE_US, so that expired
 * credentials are detected; the client reconnects by itself. */
enum { STREAMS_MAX = 64, SITE_STREAMS_MAX = 8, EVENT_SIZE_MAX = 4096 };
enum {
    TICK_US = 1000 * 1000,
    TICK_AWAY_US = 5000 * 1000, /* between attempts while counting fails */
    HEARTBEAT_US = 15 * 1000 * 1000,
    TIMEOUT_US = 10 * 1000 * 1000, /* for one count, and for a client to read one event */
    STREAM_LIFE_US = 300 * 1000 * 1000,
};

struct stream {
    struct ctx *ctx;
    struct reply *reply;
    struct queue_counts_reply said;
    int64_t said_us; /* when anything was written; 0: nothing yet */
    bool is_away;    /* the last thing said: the counters cannot be had */
};

/* Streams of all threads with their owners: limits the number per site. */
struct place {
    bool is_taken;
    bool is_site;
    Uuid site;
};
static struct place places[STREAMS_MAX];
static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;

static fiber_fn void stream_run(struct stream *stream);

fiber_fn Err route_queue_show(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)request;
    struct queue_counts_reply counts;
    TRY(queue_counts_get(ctx, &counts));
    queue_show_reply_write(&reply->json,
                           &(struct queue_show_reply){
                               .queued = counts.queued,
                               .running = counts.running,
                               .done_last_hour = counts.done_last_hour,
                               .dead = counts.dead,
                               .workers = counts.workers,
                               .articles = counts.articles,
                               .has_articles = counts.has_articles,
                               .rate = counts.rate,
                               .version = STR(SPARK_VERSION),
                               .uptime_s = server_age_us(server_of(ctx->reactor)) / SECOND_US,
                           });
    return OK;
}

/* NULL: no place is free, or the site has reached its limit. */
static struct place *place_take(Scope scope)
{
    struct place *place = NULL;
    uint32_t own = 0;
    bool is_site = scope.kind == SCOPE_SITE;
    pthread_mutex_lock(&places_lock);
    for (uint32_t i = 0; i < STREAMS_MAX; i++) {
        if (!places[i].is_taken)
            place = &places[i];
        else if (is_site && places[i].is_site && uuid_eq(places[i].site, scope.site))
            own++;
    }
    if (place != NULL && own < SITE_STREAMS_MAX)
        *place = (struct place){.is_taken = true, .is_site = is_site, .site = scope.site};
    else
        place = NULL;
    pthread_mutex_unlock(&places_lock);
    return place;
}

static void place_leave(struct place *const *held)
{
    if (*held == NULL)
        return;
    pthread_mutex_lock(&places_lock);
    (*held)->is_taken = false;
    pthread_mutex_unlock(&places_lock);
}
#define SCOPED_PLACE __attribute__((cleanup(place_leave), unused))

/* If rights change before the first byte, dispatch restarts the request; afterwards the stream
 * ends, and the reconnecting client is authenticated again. */
fiber_fn Err route_queue_events(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    (void)request;
    struct place *place SCOPED_PLACE = place_take(ctx->scope);
    if (place == NULL)
        return fail(ctx, ERR_UNAVAILABLE,
                    "All event streams are in use: at most %d in total and %d per site.",
                    STREAMS_MAX, SITE_STREAMS_MAX);
    struct stream stream = {.ctx = ctx, .reply = reply};
    TRY(queue_counts_get(ctx, &stream.said));
    TRY(reply_stream_begin(ctx, reply, STR("text/event-stream; charset=utf-8")));
    stream_run(&stream);
    return OK;
}

static fiber_fn Err say(struct stream *stream, Str event, Str data)
{
    struct ctx *ctx = stream->ctx;
    Str chunk = event.len == 0 ? STR(": still here\n\n")
                               : str_printf(ctx->arena, "event: %.*s\ndata: %.*s\n\n",
                                            STR_FMT(event), STR_FMT(data));
    ctx->deadline_us = clock_now_us() + TIMEOUT_US;
    TRY(reply_stream_write(ctx, stream->reply, chunk));
    stream->said_us = clock_now_us();
    return OK;
}

static fiber_fn Err say_counts(struct stream *stream, const struct queue_counts_reply *counts)
{
    struct buf *data = buf_in_arena(stream->ctx->arena, EVENT_SIZE_MAX);
    struct json_writer w = json_writer(data);
    queue_counts_reply_write(&w, counts);
    TRY(say(stream, STR("queue"), buf_str(data)));
    stream->said = *counts;
    stream->is_away = false;
    return OK;
}

/* Sent once, until counters are available again. */
static fiber_fn Err say_away(struct stream *stream)
{
    if (stream->is_away)
        return OK;
    stream->is_away = true;
    return say(stream, STR("away"), STR("{}"));
}

/* One poll; an Err ends the stream. */
static fiber_fn Err look(struct stream *stream)
{
    struct ctx *ctx = stream->ctx;
    struct queue_counts_reply counts;
    ctx->diag = (struct diag){0};
    ctx->deadline_us = clock_now_us() + TIMEOUT_US;
    Err err = queue_counts_get(ctx, &counts);
    if (err == ERR_CANCELLED || err == ERR_STALE_EPOCH)
        return err;
    if (err != OK)
        TRY(say_away(stream));
    else if (stream->said_us == 0 || stream->is_away || !queue_counts_equal(&counts, &stream->said))
        TRY(say_counts(stream, &counts));
    if (clock_now_us() - stream->said_us >= HEARTBEAT_US)
        TRY(say(stream, STR_NONE, STR_NONE));
    return OK;
}

static fiber_fn void stream_run(struct stream *stream)
{
    struct ctx *ctx = stream->ctx;
    int64_t end_us = clock_now_us() + STREAM_LIFE_US;
    ArenaMark mark = arena_mark(ctx->arena);
    Err err = OK;
    while (err == OK && clock_now_us() < end_us && !server_is_draining(server_of(ctx->reactor))) {
        err = look(stream);
        ctx->diag = (struct diag){0};
        arena_rewind(ctx->arena, mark);
        int64_t tick_us = stream->is_away ? TICK_AWAY_US : TICK_US;
        ctx->deadline_us = clock_now_us() + 2 * tick_us;
        if (err == OK)
            err = fiber_sleep(ctx, tick_us);
    }
    ctx->diag = (struct diag){0};
}
