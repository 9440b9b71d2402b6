#include "io/fiber/offload.h"

#include "base/memory/list.h"
#include "base/system/counters.h"
#include "io/fiber/loop.h"
#include "io/fiber/loop_internal.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum { THREADS_MAX = 64 };

struct offload_call {
    struct offload_call *next;
    struct loop *loop;
    void (*fn)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

struct offload {
    pthread_mutex_t lock; /* protects the members up to threads */
    pthread_cond_t wakes;
    struct offload_call *first;
    struct offload_call *last;
    uint32_t queued;
    bool is_closing;
    uint32_t queue_max;
    uint32_t thread_count;
    pthread_t threads[THREADS_MAX];
};

static void start_threads(struct offload *offload);
static void *thread_main(void *arg);
static struct offload_call *call_take(struct offload *offload);
static void call_finish(void *arg);

struct offload *offload_new(uint32_t threads, uint32_t queue_max)
{
    assert(threads > 0 && threads <= THREADS_MAX && queue_max > 0);
    struct offload *offload = calloc(1, sizeof(*offload));
    if (offload == NULL)
        abort();
    pthread_mutex_init(&offload->lock, NULL);
    pthread_cond_init(&offload->wakes, NULL);
    offload->queue_max = queue_max;
    offload->thread_count = threads;
    start_threads(offload);
    return offload;
}

/* Signals are handled by the threads that have a loop. */
static void start_threads(struct offload *offload)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uint32_t i = 0; i < offload->thread_count; i++)
        if (pthread_create(&offload->threads[i], NULL, thread_main, offload) != 0)
            abort();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void offload_free(struct offload *offload)
{
    if (offload == NULL)
        return;
    pthread_mutex_lock(&offload->lock);
    offload->is_closing = true;
    pthread_cond_broadcast(&offload->wakes);
    pthread_mutex_unlock(&offload->lock);
    for (uint32_t i = 0; i < offload->thread_count; i++)
        pthread_join(offload->threads[i], NULL);
    assert(offload->first == NULL);
    pthread_cond_destroy(&offload->wakes);
    pthread_mutex_destroy(&offload->lock);
    free(offload);
}

bool offload_submit(struct offload *offload, struct loop *loop, void (*fn)(void *arg),
                    void (*done)(void *arg), void *arg)
{
    assert(fn != NULL && done != NULL && loop != NULL);
    struct offload_call *call = malloc(sizeof(*call));
    if (call == NULL)
        abort();
    *call = (struct offload_call){.loop = loop, .fn = fn, .done = done, .arg = arg};

    pthread_mutex_lock(&offload->lock);
    assert(!offload->is_closing);
    bool has_room = offload->queued < offload->queue_max;
    if (has_room) {
        LIST_APPEND(offload->first, offload->last, call);
        offload->queued++;
        pthread_cond_signal(&offload->wakes);
    }
    pthread_mutex_unlock(&offload->lock);

    if (!has_room) {
        free(call);
        return false;
    }
    loop_count_offloaded(loop, 1);
    counter_inc(offload_runs);
    return true;
}

static void *thread_main(void *arg)
{
    struct offload *offload = arg;
    struct offload_call *call;
    while ((call = call_take(offload)) != NULL) {
        call->fn(call->arg);
        loop_post(call->loop, call_finish, call);
    }
    return NULL;
}

/* NULL: closing, and the queue is empty. */
static struct offload_call *call_take(struct offload *offload)
{
    pthread_mutex_lock(&offload->lock);
    while (offload->first == NULL && !offload->is_closing)
        pthread_cond_wait(&offload->wakes, &offload->lock);
    struct offload_call *call = LIST_TAKE(offload->first, offload->last);
    assert((call != NULL) == (offload->queued > 0));
    if (call != NULL)
        offload->queued--;
    pthread_mutex_unlock(&offload->lock);
    return call;
}

static void call_finish(void *arg)
{
    struct offload_call call = *(struct offload_call *)arg;
    free(arg);
    loop_count_offloaded(call.loop, -1);
    call.done(call.arg);
}

struct offload_wait {
    void (*fn)(void *arg);
    void *arg;
    struct wait wait;
};

static void run_for_fiber(void *arg)
{
    struct offload_wait *call = arg;
    call->fn(call->arg);
}

static void wake_fiber(void *arg)
{
    struct offload_wait *call = arg;
    wait_end(&call->wait, OK);
}

fiber_fn Err offload_run(struct ctx *ctx, struct offload *offload, void (*fn)(void *arg), void *arg)
{
    assert(fn != NULL);
    TRY(fiber_check(ctx));
    struct offload_wait call = {.fn = fn, .arg = arg, .wait = wait_begin()};
    if (!offload_submit(offload, fiber_loop(fiber_self()), run_for_fiber, wake_fiber, &call))
        return fail(ctx, ERR_UNAVAILABLE, "too many calls wait for a thread");
    {
        /* The thread writes through `arg`, which may be in our frame: wait until it has
         * finished. */
        SCOPED_SHIELD struct fiber_shield shield = fiber_shield_begin(ctx, 0);
        err_ignore(fiber_wait(ctx, &call.wait), "a shielded wait without a deadline ends as OK");
    }
    return fiber_check(ctx);
}

static void done_nothing(void *arg)
{
    (void)arg;
}

void offload_discard(void (*release)(void *object), void *object)
{
    assert(release != NULL);
    struct fiber *fiber = fiber_self();
    struct loop *loop = fiber != NULL ? fiber_loop(fiber) : NULL;
    if (loop == NULL || !offload_submit(loop_offload(loop), loop, release, done_nothing, object))
        release(object);
}
