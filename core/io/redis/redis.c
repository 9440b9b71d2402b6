#include "io/redis/redis.h"

#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/system/log.h"
#include "io/fiber/loop.h"
#include "io/redis/redis_connection.h"

#include <assert.h>
#include <stdlib.h>

enum { IN_FLIGHT_FIRST = 64, IN_FLIGHT_MAX = 100000, FIRST_WORD_S = 1, NEXT_WORD_S = 10 };

/* A command in flight. The caller may have left (wait is NULL): then its reply is dropped. */
struct redis_pending {
    struct wait *wait;
    struct arena *arena;
    struct redis_value *ret;
    bool is_library; /* our own FUNCTION LOAD */
};

struct redis_library {
    struct redis_library *next;
    Str name;
    Str source;
};

struct redis_ready_waiter {
    struct redis_ready_waiter *next;
    struct wait *wait;
};

struct redis {
    struct redis_connection *connection;
    struct arena *arena;
    struct redis_library *libraries;
    struct redis_ready_waiter *ready_waiters;
    struct redis_pending *ring; /* [first, last) by number, modulo ring_size */
    uint32_t ring_size;         /* a power of two */
    uint64_t first;
    uint64_t last;
    bool is_blocking;
};

static struct redis *make(struct loop *loop, Str url, bool is_blocking);
static fiber_fn Err wait_up(struct ctx *ctx, struct redis *redis);
static bool submit(struct redis *redis, const Str *words, uint32_t count,
                   struct redis_pending pending);
static struct redis_pending *ring_at(struct redis *redis, uint64_t number);
static void ring_grow(struct redis *redis);
static void forget(struct redis *redis, uint64_t number);
static Err check_reply(struct ctx *ctx, const struct redis_value *value);
static bool is_outage(Str error);
static Err unreachable(struct ctx *ctx, struct redis *redis);
static uint32_t load_libraries(void *arg, struct buf *out);
static void on_up(void *arg);
static void on_reply(void *arg, const void *reply);
static void on_idle(void *arg);
static void on_down(void *arg);

static const struct redis_connection_owner OWNER = {load_libraries, on_up,   on_reply,
                                                    on_idle,        on_down, false};
static const struct redis_connection_owner BLOCKING_OWNER = {load_libraries, on_up,   on_reply,
                                                             on_idle,        on_down, true};

struct redis *redis_new(struct loop *loop, Str url)
{
    return make(loop, url, false);
}

struct redis *redis_new_blocking(struct loop *loop, Str url)
{
    return make(loop, url, true);
}

static struct redis *make(struct loop *loop, Str url, bool is_blocking)
{
    struct redis *redis = calloc(1, sizeof(*redis));
    if (redis == NULL)
        abort();
    redis->arena = arena_create();
    redis->is_blocking = is_blocking;
    redis->connection =
        redis_connection_new(loop, url, is_blocking ? &BLOCKING_OWNER : &OWNER, redis);
    return redis;
}

void redis_free(struct redis *redis)
{
    if (redis == NULL)
        return;
    assert(redis->ready_waiters == NULL);
    for (uint64_t i = redis->first; i < redis->last; i++)
        assert(ring_at(redis, i)->wait == NULL);
    redis_connection_free(redis->connection);
    arena_destroy(redis->arena);
    free(redis->ring);
    free(redis);
}

bool redis_is_up(const struct redis *redis)
{
    return redis_connection_is_up(redis->connection);
}

uint64_t redis_incarnation(const struct redis *redis)
{
    return redis_connection_incarnation(redis->connection);
}

fiber_fn Err redis_wait_ready(struct ctx *ctx, struct redis *redis)
{
    if (redis_is_up(redis))
        return OK;
    if (redis_connection_is_hopeless(redis->connection))
        return fail(ctx, ERR_CONFIG, "%.*s",
                    STR_FMT(redis_connection_trouble(ctx->arena, redis->connection)));
    SCOPED_CTX struct ctx own = ctx_as_machinery(ctx, "a wait in steps with separate deadlines");
    for (int64_t pause_us = FIRST_WORD_S * SECOND_US;; pause_us = NEXT_WORD_S * SECOND_US) {
        int64_t end_us = clock_now_us() + pause_us;
        bool is_last = ctx->deadline_us != 0 && ctx->deadline_us <= end_us;
        own.deadline_us = is_last ? ctx->deadline_us : end_us;
        Err err = wait_up(&own, redis);
        if (err == ERR_TIMEOUT && is_last)
            return unreachable(&own, redis); /* its final error becomes that of the ctx */
        if (err != ERR_TIMEOUT)
            return err;
        diag_clear(&own);
        Str trouble = redis_connection_trouble(ctx->arena, redis->connection);
        log_event(LOG_WARN, "waiting_for_redis", LOG_S("reason", trouble));
    }
}

static fiber_fn Err wait_up(struct ctx *ctx, struct redis *redis)
{
    assert(!redis_is_up(redis));
    struct wait wait = wait_begin();
    struct redis_ready_waiter waiter = {redis->ready_waiters, &wait};
    redis->ready_waiters = &waiter;
    Err err = fiber_wait(ctx, &wait);
    if (err == OK)
        return OK;
    struct redis_ready_waiter **slot = &redis->ready_waiters;
    while (*slot != &waiter)
        slot = &(*slot)->next;
    *slot = waiter.next;
    return err;
}

fiber_fn Err redis_call(struct ctx *ctx, struct redis *redis, const Str *words, uint32_t count,
                        struct redis_value *ret)
{
    assert(count > 0);
    TRY(fiber_check(ctx));
    struct redis_value value = {0};
    struct wait wait = wait_begin();
    uint64_t number = redis->last;
    assert(!redis->is_blocking || redis->first == redis->last);
    if (!submit(redis, words, count,
                (struct redis_pending){.wait = &wait, .arena = ctx->arena, .ret = &value}))
        return unreachable(ctx, redis);

    Err err = fiber_wait(ctx, &wait);
    if (err == ERR_UNAVAILABLE)
        return unreachable(ctx, redis);
    if (err != OK) {
        forget(redis, number);
        return err;
    }
    TRY(check_reply(ctx, &value));
    if (ret != NULL)
        *ret = value;
    return OK;
}

bool redis_send(struct redis *redis, const Str *words, uint32_t count)
{
    assert(count > 0);
    return submit(redis, words, count, (struct redis_pending){0});
}

void redis_use_library(struct redis *redis, Str name, Str source)
{
    assert(name.len > 0 && source.len > 0);
    struct redis_library *library = arena_new(redis->arena, struct redis_library);
    *library = (struct redis_library){redis->libraries, str_dup(redis->arena, name),
                                      str_dup(redis->arena, source)};
    redis->libraries = library;
    submit(redis, (const Str[]){STR("FUNCTION"), STR("LOAD"), STR("REPLACE"), library->source}, 4,
           (struct redis_pending){.is_library = true}); /* if not up: loaded at connect */
}

static bool submit(struct redis *redis, const Str *words, uint32_t count,
                   struct redis_pending pending)
{
    assert(count > 0);
    if (redis->last - redis->first >= IN_FLIGHT_MAX ||
        !redis_connection_put(redis->connection, words, count))
        return false;
    if (redis->last - redis->first == redis->ring_size)
        ring_grow(redis);
    *ring_at(redis, redis->last++) = pending;
    return true;
}

static struct redis_pending *ring_at(struct redis *redis, uint64_t number)
{
    assert(redis->ring_size > 0 && (redis->ring_size & (redis->ring_size - 1)) == 0);
    return &redis->ring[number & (redis->ring_size - 1)];
}

static void ring_grow(struct redis *redis)
{
    uint32_t size = array_more(redis->ring_size, IN_FLIGHT_FIRST);
    assert(size > redis->ring_size);
    struct redis_pending *ring = calloc(size, sizeof(*ring));
    if (ring == NULL)
        abort();
    for (uint64_t i = redis->first; i < redis->last; i++)
        ring[i & (size - 1)] = *ring_at(redis, i);
    free(redis->ring);
    redis->ring = ring;
    redis->ring_size = size;
}

/* The caller leaves, its reply will still arrive. After a blocking command it would arrive too late
 * for the next one, so that connection is replaced. */
static void forget(struct redis *redis, uint64_t number)
{
    assert(number < redis->last);
    if (number < redis->first)
        return;
    ring_at(redis, number)->wait = NULL;
    if (redis->is_blocking)
        redis_connection_drop(redis->connection, STR("its blocking command was abandoned"), true);
}

static Err check_reply(struct ctx *ctx, const struct redis_value *value)
{
    if (value->kind != REDIS_ERROR)
        return OK;
    Err err = is_outage(value->text) ? ERR_UNAVAILABLE : ERR_INTERNAL;
    return fail(ctx, err, "Redis: %.*s", STR_FMT(value->text));
}

/* Temporary errors. */
static bool is_outage(Str error)
{
    static const Str WORDS[] = {
        STR_INIT("LOADING "),    STR_INIT("READONLY "), STR_INIT("MASTERDOWN "),
        STR_INIT("OOM "),        STR_INIT("MISCONF "),  STR_INIT("BUSY "),
        STR_INIT("NOREPLICAS "), STR_INIT("TRYAGAIN "), STR_INIT("CLUSTERDOWN "),
    };
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        if (str_starts_with(error, WORDS[i]))
            return true;
    return false;
}

static Err unreachable(struct ctx *ctx, struct redis *redis)
{
    if (redis_is_up(redis))
        return fail(ctx, ERR_UNAVAILABLE, "too many commands wait for Redis");
    return fail(ctx, ERR_UNAVAILABLE, "%.*s",
                STR_FMT(redis_connection_trouble(ctx->arena, redis->connection)));
}

/* On every connect, regardless of what the server has loaded: it may be a different server. */
static uint32_t load_libraries(void *arg, struct buf *out)
{
    struct redis *redis = arg;
    uint32_t count = 0;
    for (struct redis_library *l = redis->libraries; l != NULL; l = l->next)
        count += redis_wire_put(
            out, (const Str[]){STR("FUNCTION"), STR("LOAD"), STR("REPLACE"), l->source}, 4);
    return count;
}

static void on_up(void *arg)
{
    struct redis *redis = arg;
    assert(redis->first == redis->last);
    while (redis->ready_waiters != NULL) {
        struct redis_ready_waiter *waiter = redis->ready_waiters;
        redis->ready_waiters = waiter->next;
        wait_end(waiter->wait, OK);
    }
}

static void on_reply(void *arg, const void *reply)
{
    struct redis *redis = arg;
    Str error = redis_wire_error(reply);
    if (redis->first == redis->last) {
        redis_connection_drop(redis->connection, STR("it sent an unexpected reply"), false);
        return;
    }
    struct redis_pending pending = *ring_at(redis, redis->first++);
    if (pending.wait != NULL) {
        redis_wire_copy(pending.arena, reply, pending.ret);
        wait_end(pending.wait, OK);
    }
    /* A master that became a replica keeps refusing writes: reconnecting may resolve its name to
     * the new master. */
    if (error.data != NULL && (pending.is_library || str_starts_with(error, STR("READONLY "))))
        redis_connection_drop(redis->connection, error, false);
}

static void on_idle(void *arg)
{
    redis_send(arg, (const Str[]){STR("PING")}, 1);
}

static void on_down(void *arg)
{
    struct redis *redis = arg;
    while (redis->first < redis->last) {
        struct redis_pending pending = *ring_at(redis, redis->first++);
        if (pending.wait != NULL)
            wait_end(pending.wait, ERR_UNAVAILABLE);
    }
}
