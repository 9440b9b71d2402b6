#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/system/log.h"
#include "content/changes/changes_internal.h"
#include "io/fiber/loop.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { POLL_US = 1000 * 1000, TURN_US = 30 * 1000 * 1000, LEAVE_US = 1000 };

struct subscriber {
    const char *name;
    ChangesFn *fn;
    void *arg;
};

static struct subscriber subscribers[CHANGES_SUBSCRIBERS_MAX];
static uint32_t subscriber_count;
static bool wants_all;

/* The reader of this process. Other threads see only `loop`, under the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop *loop;      /* NULL: there is none */
static bool is_posted;         /* a hint has been posted to the loop; protected by the lock */
static struct wait *idle_wait; /* the reader's wait while it is idle */
static bool is_due;            /* a hint arrived while the reader was busy */

static void run(void *arg);
static fiber_fn Err wait_for_hint(struct ctx *ctx);
static void wake(void *arg);
static fiber_fn void detach_loop(struct ctx *ctx);
static void hint_committed(struct ctx *ctx, void *arg);

void changes_subscribe(const char *name, enum changes_wanted wanted, ChangesFn *fn, void *arg)
{
    assert(loop == NULL && fn != NULL);
    assert(subscriber_count < CHANGES_SUBSCRIBERS_MAX);
    subscribers[subscriber_count++] = (struct subscriber){name, fn, arg};
    wants_all = wants_all || wanted == CHANGES_ALL;
}

void changes_unsubscribe_all(void)
{
    assert(loop == NULL);
    subscriber_count = 0;
    wants_all = false;
}

fiber_fn Err changes_deliver(struct ctx *ctx, const struct changes *changes)
{
    for (uint32_t i = 0; i < subscriber_count; i++) {
        Err err = subscribers[i].fn(ctx, changes, subscribers[i].arg);
        if (err == OK)
            continue;
        log_event(LOG_WARN, "changes_subscriber_failed", LOG_Z("subscriber", subscribers[i].name),
                  LOG_Z("error", err_info(err)->name));
        return err;
    }
    return OK;
}

void changes_start(struct reactor *reactor)
{
    if (subscriber_count == 0)
        return;
    pthread_mutex_lock(&lock);
    assert(loop == NULL);
    loop = reactor->loop;
    is_posted = false;
    pthread_mutex_unlock(&lock);
    idle_wait = NULL;
    is_due = false;
    fiber_spawn(reactor->loop, "changes", run, reactor);
}

static void run(void *arg)
{
    struct reactor *reactor = arg;
    struct arena *arena = arena_create();
    struct reader *reader = changes_reader_new(wants_all);
    bool was_failing = false;
    Err slept = OK;
    while (slept == OK) {
        arena_reset(arena);
        is_due = false;
        struct ctx ctx = reactor_ctx(reactor, arena, TURN_US);
        Err err = changes_read(&ctx, reader);
        if (err != OK && !was_failing && err != ERR_CANCELLED)
            log_event(LOG_WARN, "changes_failed", LOG_Z("error", err_info(err)->name));
        was_failing = err != OK;
        is_due = is_due || (err == OK && changes_has_more(reader));
        slept = wait_for_hint(&ctx);
    }
    struct ctx ctx = reactor_ctx(reactor, arena, TURN_US);
    detach_loop(&ctx);
    changes_reader_free(reader);
    arena_destroy(arena);
}

/* Waits for a hint or the poll interval. ERR_CANCELLED, else OK. */
static fiber_fn Err wait_for_hint(struct ctx *ctx)
{
    if (is_due)
        return fiber_check(ctx) == ERR_CANCELLED ? ERR_CANCELLED : OK;
    struct wait wait = wait_begin();
    idle_wait = &wait;
    ctx->deadline_us = clock_now_us() + POLL_US;
    Err err = fiber_wait(ctx, &wait);
    idle_wait = NULL;
    return err == ERR_CANCELLED ? err : OK;
}

void changes_hint(void)
{
    pthread_mutex_lock(&lock);
    if (loop != NULL && !is_posted) {
        is_posted = true;
        loop_post(loop, wake, NULL);
    }
    pthread_mutex_unlock(&lock);
}

void changes_hint_after(struct db_tx *tx)
{
    db_after_commit(tx, hint_committed, NULL);
}

static void hint_committed(struct ctx *ctx, void *arg)
{
    (void)ctx;
    (void)arg;
    changes_hint();
}

/* Runs on the reader's thread. */
static void wake(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    is_posted = false;
    pthread_mutex_unlock(&lock);
    is_due = true;
    if (idle_wait != NULL)
        wait_end(idle_wait, OK);
    idle_wait = NULL;
}

/* After `loop` is NULL no hint is posted. A hint that was posted before is delivered during this
 * last sleep, because a loop must end with an empty mailbox. */
static fiber_fn void detach_loop(struct ctx *ctx)
{
    pthread_mutex_lock(&lock);
    loop = NULL;
    pthread_mutex_unlock(&lock);
    SCOPED_SHIELD struct fiber_shield shield = fiber_shield_begin(ctx, 0);
    err_ignore(fiber_sleep(ctx, LEAVE_US), "waits only for posted hints");
}
