#include "io/redis/redis_connection.h"

#include <assert.h>
#include <stdlib.h>

struct redis_subscriber {
    struct redis_connection *connection;
    struct arena *arena;
    Str channel;
    void (*on_message)(void *arg, Str payload);
    void (*on_lost)(void *arg);
    void *arg;
};

static uint32_t subscribe(void *arg, struct buf *out);
static void on_up(void *arg);
static void on_reply(void *arg, const void *reply);
static void on_idle(void *arg);
static void on_down(void *arg);

static const struct redis_connection_owner OWNER = {subscribe, on_up,   on_reply,
                                                    on_idle,   on_down, false};

struct redis_subscriber *redis_subscribe(struct loop *loop, Str url, Str channel,
                                         void (*on_message)(void *arg, Str payload),
                                         void (*on_lost)(void *arg), void *arg)
{
    assert(channel.len > 0 && on_message != NULL && on_lost != NULL);
    struct redis_subscriber *subscriber = calloc(1, sizeof(*subscriber));
    if (subscriber == NULL)
        abort();
    struct arena *arena = arena_create();
    *subscriber = (struct redis_subscriber){.arena = arena,
                                            .channel = str_dup(arena, channel),
                                            .on_message = on_message,
                                            .on_lost = on_lost,
                                            .arg = arg};
    subscriber->connection = redis_connection_new(loop, url, &OWNER, subscriber);
    return subscriber;
}

void redis_subscriber_free(struct redis_subscriber *subscriber)
{
    if (subscriber == NULL)
        return;
    redis_connection_free(subscriber->connection);
    arena_destroy(subscriber->arena);
    free(subscriber);
}

static uint32_t subscribe(void *arg, struct buf *out)
{
    struct redis_subscriber *subscriber = arg;
    return redis_wire_put(out, (const Str[]){STR("SUBSCRIBE"), subscriber->channel}, 2);
}

static void on_up(void *arg)
{
    struct redis_subscriber *subscriber = arg;
    subscriber->on_lost(subscriber->arg);
}

/* ["message", channel, payload]; answers to PING only prove liveness. */
static void on_reply(void *arg, const void *reply)
{
    struct redis_subscriber *subscriber = arg;
    Str payload = redis_wire_item(reply, 2);
    if (str_eq(redis_wire_item(reply, 0), STR("message")) && payload.data != NULL)
        subscriber->on_message(subscriber->arg, payload);
}

static void on_idle(void *arg)
{
    struct redis_subscriber *subscriber = arg;
    redis_connection_put(subscriber->connection, (const Str[]){STR("PING")}, 1);
}

static void on_down(void *arg)
{
    (void)arg; /* after the reconnect, on_lost reports that messages may have been missed */
}
