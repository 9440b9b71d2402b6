#include "base/crypto/crypto.h"
#include "base/system/clock.h"
#include "base/system/log.h"
#include "io/pg/db_internal.h"
#include "io/pg/session/db_connect.h"

#include <assert.h>
#include <stdlib.h>

struct db_listener {
    struct loop *loop;
    const struct settings *settings;
    Str channel;
    void (*on_notify)(void *arg, Str payload);
    void (*on_lost)(void *arg);
    void *arg;
    PGconn *pg;
    struct watch *watch;
    struct connect_task *task;
    struct timer retry;
    uint32_t attempts;
    Random random;
};

static void listen_connect(void *arg);
static void on_connected(void *owner, PGconn *pg, const char *error);
static void on_readable(void *arg);
static void deliver(struct db_listener *listener);
static void listen_again(struct db_listener *listener);

struct db_listener *db_listen(struct loop *loop, const struct settings *settings,
                              const char *channel, void (*on_notify)(void *arg, Str payload),
                              void (*on_lost)(void *arg), void *arg)
{
    assert(channel != NULL && on_notify != NULL && on_lost != NULL);
    struct db_listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL)
        abort();
    uint64_t seed;
    random_bytes(&seed, sizeof(seed));
    *listener = (struct db_listener){
        .loop = loop,
        .settings = settings,
        .channel = str_from_z(channel),
        .on_notify = on_notify,
        .on_lost = on_lost,
        .arg = arg,
        .retry = {.on_time = listen_connect, .arg = listener},
        .random = random_seeded(seed),
    };
    listen_connect(listener);
    return listener;
}

void db_listener_free(struct db_listener *listener)
{
    if (listener == NULL)
        return;
    connect_cancel(listener->task);
    timer_stop(listener->loop, &listener->retry);
    watch_free(listener->watch);
    PQfinish(listener->pg);
    free(listener);
}

static void listen_connect(void *arg)
{
    struct db_listener *listener = arg;
    assert(listener->task == NULL && listener->pg == NULL);
    const struct settings *settings = listener->settings;
    struct connect_target target = {
        .url = settings->database_direct_url.len > 0 ? settings->database_direct_url
                                                     : settings->database_url,
        .application = STR("spark listen"),
        .listen = listener->channel,
    };
    listener->task = connect_start(listener->loop, &target, on_connected, listener);
}

static void on_connected(void *owner, PGconn *pg, const char *error)
{
    struct db_listener *listener = owner;
    assert(listener->pg == NULL);
    listener->task = NULL;
    if (pg == NULL) {
        if (listener->attempts++ == 0)
            log_event(LOG_WARN, "db_listen_unreachable", LOG_Z("reason", error));
        listen_again(listener);
        return;
    }
    listener->attempts = 0;
    listener->pg = pg;
    listener->watch = watch_new(listener->loop, PQsocket(pg), on_readable, listener);
    /* Notifications sent before this moment were missed. */
    listener->on_lost(listener->arg);
}

static void on_readable(void *arg)
{
    struct db_listener *listener = arg;
    bool is_alive = PQconsumeInput(listener->pg) == 1;
    deliver(listener);
    if (is_alive)
        return;
    watch_free(listener->watch);
    PQfinish(listener->pg);
    listener->watch = NULL;
    listener->pg = NULL;
    listener->attempts = 1;
    listen_again(listener);
}

/* The callbacks must not free the listener. */
static void deliver(struct db_listener *listener)
{
    PGnotify *notify;
    while ((notify = PQnotifies(listener->pg)) != NULL) {
        listener->on_notify(listener->arg, str_from_z(notify->extra));
        PQfreemem(notify);
    }
}

static void listen_again(struct db_listener *listener)
{
    assert(listener->pg == NULL);
    int64_t delay = connect_backoff_us(listener->attempts, random_next(&listener->random));
    timer_start(listener->loop, &listener->retry, clock_now_us() + delay);
}
