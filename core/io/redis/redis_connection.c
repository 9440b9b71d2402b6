#include "io/redis/redis_connection.h"

#include "base/crypto/random.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/log.h"
#include "base/system/range.h"
#include "io/fiber/loop.h"
#include "io/redis/redis_address.h"
#include "io/redis/redis_dial.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKOFF_MIN_MS = 50,
    BACKOFF_MAX_MS = 1000,
    CONNECT_MAX_MS = 3000, /* the greeting has the same timeout in addition */
    WATCH_MS = 5000,
    SILENCE_MAX_MS = 10000,
    IDLE_MAX_MS = 15000,
    OUTPUT_MAX = 64 << 20,
    OUTPUT_KEPT = 1 << 20,
    READ_SIZE = 16 * 1024,
    READS_MAX = 16, /* per turn, for fairness */
    TROUBLE_MAX = 200,
};

enum redis_state { STATE_DOWN, STATE_DIALLING, STATE_GREETING, STATE_UP };

struct redis_connection {
    struct loop *loop;
    const struct redis_connection_owner *owner;
    void *arg;
    struct arena *arena;
    struct redis_address address;
    bool has_address;
    enum redis_state state;
    struct redis_dial *dial; /* STATE_DIALLING */
    int fd;                  /* STATE_GREETING, STATE_UP; else -1 */
    struct watch *watch;
    struct redis_wire *wire;
    struct buf out;
    size_t out_sent;
    bool is_full_pipe; /* the kernel buffer is full: a watch reports when it is writable */
    struct turn_hook hook;
    struct timer timer; /* DOWN: reconnect; DIALLING, GREETING: timeout; UP: liveness check */
    int64_t heard_us;   /* when the last bytes arrived, or the first command of a batch was sent */
    uint32_t unanswered;
    uint32_t greeting_left;
    uint32_t backoff_ms;
    uint64_t incarnation;
    Random random;
    bool is_reading; /* inside on_readable: freeing is deferred to its end */
    bool is_freed;
    bool is_down_logged;
    char trouble[TROUBLE_MAX];
    char chunk[READ_SIZE];
};

static void dial(struct redis_connection *c);
static void on_dialled(void *arg, int fd, const char *error);
static void greet(struct redis_connection *c);
static void lose(struct redis_connection *c, Str reason, bool at_once);
static void close_socket(struct redis_connection *c);
static void come_up(struct redis_connection *c);
static void on_timer(void *arg);
static void check_liveness(struct redis_connection *c);
static void on_readable(void *arg);
static bool read_replies(struct redis_connection *c);
static void take_reply(struct redis_connection *c, const void *reply);
static void on_writable(void *arg);
static void flush(void *arg);
static void arm(struct redis_connection *c, int64_t ms);
static void destroy(struct redis_connection *c);

struct redis_connection *redis_connection_new(struct loop *loop, Str url,
                                              const struct redis_connection_owner *owner, void *arg)
{
    assert(owner != NULL);
    struct redis_connection *c = calloc(1, sizeof(*c));
    if (c == NULL)
        abort();
    c->loop = loop;
    c->owner = owner;
    c->arg = arg;
    c->fd = -1;
    c->arena = arena_create();
    c->backoff_ms = BACKOFF_MIN_MS;
    c->random = random_seeded((uint64_t)clock_now_us() ^ (uint64_t)(uintptr_t)c);
    c->hook = (struct turn_hook){.after_turn = flush, .arg = c};
    c->timer = (struct timer){.on_time = on_timer, .arg = c};
    buf_init(&c->out, OUTPUT_MAX);
    loop_add_hook(loop, &c->hook);

    c->has_address = redis_address_parse(c->arena, url, &c->address);
    if (c->has_address)
        arm(c, 0); /* not called directly, so that the owner has its pointer first */
    else
        snprintf(c->trouble, sizeof(c->trouble), "%s",
                 "REDIS_URL is not redis://[:password@]host[:port][/db] or unix:///path");
    return c;
}

void redis_connection_free(struct redis_connection *c)
{
    if (c == NULL)
        return;
    c->is_freed = true;
    if (!c->is_reading)
        destroy(c);
}

static void destroy(struct redis_connection *c)
{
    assert(c->is_freed && !c->is_reading);
    redis_dial_free(c->dial);
    close_socket(c);
    timer_stop(c->loop, &c->timer);
    loop_remove_hook(c->loop, &c->hook);
    buf_finish(&c->out);
    arena_destroy(c->arena);
    free(c);
}

bool redis_connection_is_up(const struct redis_connection *c)
{
    return c->state == STATE_UP;
}

uint64_t redis_connection_incarnation(const struct redis_connection *c)
{
    return c->incarnation;
}

Str redis_connection_trouble(struct arena *arena, const struct redis_connection *c)
{
    const char *why = c->trouble[0] != '\0' ? c->trouble : "still connecting";
    if (!c->has_address)
        return str_printf(arena, "%s", why);
    return str_printf(arena, "Redis at %.*s: %s", STR_FMT(c->address.text), why);
}

bool redis_connection_is_hopeless(const struct redis_connection *c)
{
    return !c->has_address;
}

bool redis_connection_put(struct redis_connection *c, const Str *words, uint32_t count)
{
    assert(count > 0);
    if (c->state != STATE_UP || !redis_wire_put(&c->out, words, count))
        return false;
    if (c->unanswered++ == 0)
        c->heard_us = loop_now_us(c->loop);
    counter_inc(redis_commands);
    loop_hurry(c->loop);
    return true;
}

void redis_connection_drop(struct redis_connection *c, Str reason, bool at_once)
{
    if (c->state == STATE_UP)
        lose(c, reason, at_once);
}

static void dial(struct redis_connection *c)
{
    assert(c->state == STATE_DOWN && c->dial == NULL);
    c->state = STATE_DIALLING;
    arm(c, CONNECT_MAX_MS);
    c->dial = redis_dial_start(c->loop, &c->address, on_dialled, c);
}

static void on_dialled(void *arg, int fd, const char *error)
{
    struct redis_connection *c = arg;
    assert(c->state == STATE_DIALLING);
    assert(c->fd < 0 && c->watch == NULL);
    c->dial = NULL; /* it has finished and frees itself */
    if (fd < 0) {
        lose(c, str_from_z(error), false);
        return;
    }
    c->fd = fd;
    c->watch = watch_new(c->loop, fd, on_readable, c);
    c->wire = redis_wire_new();
    greet(c);
}

/* PING first: it is refused while Redis loads its data, or requires a password. */
static void greet(struct redis_connection *c)
{
    assert(c->fd >= 0 && c->watch != NULL && c->wire != NULL);
    uint32_t count = 1;
    c->state = STATE_GREETING;
    arm(c, CONNECT_MAX_MS);
    if (c->address.user.len > 0) {
        count += redis_wire_put(
            &c->out, (const Str[]){STR("AUTH"), c->address.user, c->address.password}, 3);
    } else if (c->address.password.len > 0) {
        count += redis_wire_put(&c->out, (const Str[]){STR("AUTH"), c->address.password}, 2);
    }
    if (c->address.db.len > 0)
        count += redis_wire_put(&c->out, (const Str[]){STR("SELECT"), c->address.db}, 2);
    redis_wire_put(&c->out, (const Str[]){STR("PING")}, 1);
    c->greeting_left = count + c->owner->greet(c->arg, &c->out);
    loop_hurry(c->loop);
}

static void come_up(struct redis_connection *c)
{
    assert(c->state == STATE_GREETING && c->greeting_left == 0);
    c->state = STATE_UP;
    c->incarnation++;
    c->backoff_ms = BACKOFF_MIN_MS;
    c->unanswered = 0;
    c->heard_us = loop_now_us(c->loop);
    c->trouble[0] = '\0';
    arm(c, WATCH_MS);
    counter_inc(redis_connects);
    if (c->is_down_logged)
        log_event(LOG_INFO, "redis_up", LOG_S("address", c->address.text));
    c->is_down_logged = false;
    c->owner->on_up(c->arg);
}

static void lose(struct redis_connection *c, Str reason, bool at_once)
{
    assert(c->state != STATE_DOWN);
    bool was_up = c->state == STATE_UP;
    redis_dial_free(c->dial);
    c->dial = NULL;
    close_socket(c);
    snprintf(c->trouble, sizeof(c->trouble), "%.*s", STR_FMT(reason));
    c->state = STATE_DOWN;
    if (at_once) {
        arm(c, 0);
    } else {
        if (!was_up)
            counter_inc(redis_connect_failures);
        if (!c->is_down_logged)
            log_event(LOG_WARN, "redis_down", LOG_S("address", c->address.text),
                      LOG_S("reason", reason));
        c->is_down_logged = true;
        /* Half of the delay is random, so that the processes of a fleet do not reconnect at
         * once. */
        uint32_t half = c->backoff_ms / 2;
        arm(c, half + (int64_t)random_below(&c->random, half + 1));
        c->backoff_ms = min_u32(c->backoff_ms * 2, BACKOFF_MAX_MS);
    }
    if (was_up)
        c->owner->on_down(c->arg); /* may free the connection */
}

static void close_socket(struct redis_connection *c)
{
    watch_free(c->watch);
    redis_wire_free(c->wire);
    if (c->fd >= 0)
        close(c->fd);
    c->watch = NULL;
    c->wire = NULL;
    c->fd = -1;
    c->out_sent = 0;
    c->is_full_pipe = false;
    buf_clear(&c->out);
}

static void on_timer(void *arg)
{
    struct redis_connection *c = arg;
    switch (c->state) {
    case STATE_DOWN:
        dial(c);
        break;
    case STATE_DIALLING:
    case STATE_GREETING:
        lose(c, STR("no answer within 3 s"), false);
        break;
    case STATE_UP:
        check_liveness(c);
        break;
    }
}

static void check_liveness(struct redis_connection *c)
{
    assert(c->state == STATE_UP);
    int64_t silent_ms = (loop_now_us(c->loop) - c->heard_us) / MS_US;
    if (c->unanswered > 0 && silent_ms > SILENCE_MAX_MS && !c->owner->may_be_silent) {
        lose(c, STR("a command had no answer for 10 s"), false);
        return;
    }
    arm(c, WATCH_MS);
    if (c->unanswered == 0 && silent_ms > IDLE_MAX_MS)
        c->owner->on_idle(c->arg);
}

static void on_readable(void *arg)
{
    struct redis_connection *c = arg;
    c->is_reading = true;
    for (int i = 0; i < READS_MAX && !c->is_freed && c->fd >= 0; i++) {
        ssize_t len = recv(c->fd, c->chunk, sizeof(c->chunk), 0);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0 && errno == EAGAIN)
            break;
        if (len <= 0) {
            lose(c, len == 0 ? STR("it closed the connection") : str_from_z(strerror(errno)),
                 false);
            break;
        }
        c->heard_us = loop_now_us(c->loop);
        redis_wire_feed(c->wire, str_of(c->chunk, (size_t)len));
        if (!read_replies(c) || len < (ssize_t)sizeof(c->chunk))
            break;
    }
    c->is_reading = false;
    if (c->is_freed)
        destroy(c);
}

/* false: the connection that these bytes came from has ended. */
static bool read_replies(struct redis_connection *c)
{
    assert(c->wire != NULL);
    const struct redis_wire *wire = c->wire;
    for (;;) {
        void *reply;
        switch (redis_wire_next(c->wire, &reply)) {
        case WIRE_INCOMPLETE:
            return true;
        case WIRE_BROKEN:
            lose(c, STR("it does not speak the Redis protocol"), false);
            return false;
        case WIRE_REPLY:
            take_reply(c, reply);
            redis_wire_drop(reply);
            /* Compared, never dereferenced: a lost connection has freed its reader. */
            if (c->is_freed || c->wire != wire)
                return false;
        }
    }
}

static void take_reply(struct redis_connection *c, const void *reply)
{
    if (c->state == STATE_UP) {
        if (c->unanswered > 0)
            c->unanswered--;
        c->owner->on_reply(c->arg, reply);
        return;
    }
    assert(c->state == STATE_GREETING && c->greeting_left > 0);
    Str error = redis_wire_error(reply);
    if (error.data != NULL)
        lose(c, error, false);
    else if (--c->greeting_left == 0)
        come_up(c);
}

/* The turn hook: all commands of a turn are sent in one write. */
static void flush(void *arg)
{
    struct redis_connection *c = arg;
    if (c->is_full_pipe || c->fd < 0)
        return;
    while (c->out_sent < c->out.len) {
        ssize_t sent =
            send(c->fd, c->out.data + c->out_sent, c->out.len - c->out_sent, MSG_NOSIGNAL);
        if (sent >= 0) {
            c->out_sent += (size_t)sent;
        } else if (errno == EAGAIN) {
            c->is_full_pipe = true;
            watch_writable(c->watch, on_writable);
            return;
        } else if (errno != EINTR) {
            lose(c, str_from_z(strerror(errno)), false);
            return;
        }
    }
    c->out_sent = 0;
    buf_clear(&c->out);
    if (c->out.cap > OUTPUT_KEPT) {
        buf_finish(&c->out);
        buf_init(&c->out, OUTPUT_MAX);
    }
}

static void on_writable(void *arg)
{
    struct redis_connection *c = arg;
    c->is_full_pipe = false;
    flush(c);
}

static void arm(struct redis_connection *c, int64_t ms)
{
    assert(ms >= 0);
    timer_start(c->loop, &c->timer, clock_now_us() + ms * MS_US);
}
