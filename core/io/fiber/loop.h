/*
 * The event loop of one thread, over libh2o's evloop: file descriptors, timers, work posted by
 * other threads, and hooks that run once a turn.
 *
 * Callbacks are not fibers: they store a result, wake a fiber and return. Every callback below is
 * followed by a run of the fibers it woke (fiber.h) in the same turn, so that answers are sent
 * immediately. Everything here but loop_post and loop_stop belongs to the loop's own thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct offload;

struct loop *loop_new(void);       /* also ignores SIGPIPE */
void loop_free(struct loop *loop); /* no fiber, watch or timer may remain */
void loop_run(struct loop *loop);  /* runs turns until loop_stop */
void loop_stop(struct loop *loop); /* from any thread or a signal's self-pipe */
void loop_turn(struct loop *loop, int32_t wait_ms_max); /* one turn; tests and start-up */

/* Turns that take more CPU are counted and logged (turn_meter.h); 0: none is measured. */
void loop_set_turn_limit(struct loop *loop, int64_t limit_us);

/* The library's own loop, only for server/http. */
void *loop_native(struct loop *loop);

/* The threads for blocking calls of this loop's modules: `offload`, else two own threads, created
 * at the first call. */
void loop_set_offload(struct loop *loop, struct offload *offload);
struct offload *loop_offload(struct loop *loop);

/* A watched descriptor; O_NONBLOCK is set on it. The watch never closes it, but must be freed
 * before it is closed. on_readable is called repeatedly while data is readable; NULL: never. */
struct watch;
typedef void WatchFn(void *arg);
struct watch *watch_new(struct loop *loop, int fd, WatchFn *on_readable, void *arg);
void watch_free(struct watch *watch); /* may be called from its own callback; NULL is fine */
/* Calls back once when the descriptor is writable; a second request before that is ignored. */
void watch_writable(struct watch *watch, WatchFn *on_writable);
/* Enables or disables on_readable; enabled after watch_new. */
void watch_set_reading(struct watch *watch, bool is_reading);

/* A one-shot timer, embedded in its owner. Any duration; a binary heap. */
struct timer {
    int64_t at_us; /* CLOCK_MONOTONIC */
    void (*on_time)(void *arg);
    void *arg;
    uint32_t heap_index; /* 0: not armed */
};
void timer_start(struct loop *loop, struct timer *timer, int64_t at_us); /* re-arms */
void timer_stop(struct loop *loop, struct timer *timer);                 /* idempotent */

/* Called after every turn: flushes the output of PostgreSQL and Redis, once per connection. */
struct turn_hook {
    struct turn_hook *next;
    void (*after_turn)(void *arg);
    void *arg;
};
void loop_add_hook(struct loop *loop, struct turn_hook *hook);
void loop_remove_hook(struct loop *loop, struct turn_hook *hook);
/* Call after leaving work for a hook: if the hooks of this turn have already run, or no turn is
 * running, the next turn does not wait. */
void loop_hurry(struct loop *loop);

/* Runs fn(arg) on the loop's thread soon. Thread-safe: it goes through the mailbox. */
void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);

/* Time of this turn's start, µs monotonic: cheap, and equal for all callbacks of a turn. */
int64_t loop_now_us(struct loop *loop);
