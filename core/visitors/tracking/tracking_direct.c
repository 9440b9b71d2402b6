/*
 * Tracking without Redis: requests add their lines to a pending list and wait; a fiber stores all
 * pending lines in one transaction, then those that arrived meanwhile in the next one. So a batch
 * is one line when it is quiet, and a thousand under load.
 */
#include "base/settings/settings.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/log.h"
#include "io/reactor/reactor.h"
#include "visitors/tracking/tracking_store.h"

#include <assert.h>
#include <stdlib.h>

enum { BATCH_MAX = 1000, BATCH_TIMEOUT_US = 15 * 1000 * 1000, FULL_PAUSE_US = 1000 * 1000 };

/* A line, in the stack frame of the request that waits for it. The request may leave at any time:
 * it removes the line from the list, or from the batch that is being stored. */
struct waiting {
    struct waiting *next;
    struct waiting **slot; /* what points to it, in the list or a batch; NULL after the batch */
    bool is_taken;         /* it is in a batch */
    Str line;
    struct wait wait;
};

struct queue_of_lines {
    struct direct *direct;
    struct waiting *first;
    struct waiting **end;
    enum tracking_kind kind;
    bool is_storing;
};

/* Per-thread state. */
struct direct {
    struct reactor *reactor;
    struct queue_of_lines queues[TRACKING_KINDS];
    int64_t lines; /* pending or being stored */
    int64_t full_until_us;
    bool was_failing;
};

/* The lines of one transaction. */
struct batch {
    struct waiting *places[BATCH_MAX]; /* NULL: the request has left */
    Str lines[BATCH_MAX];
    Err refused[BATCH_MAX];
    uint32_t count;
};

static void direct_init(void *object, struct reactor *reactor)
{
    struct direct *direct = object;
    direct->reactor = reactor;
    for (int i = 0; i < TRACKING_KINDS; i++) {
        struct queue_of_lines *queue = &direct->queues[i];
        *queue = (struct queue_of_lines){.direct = direct, .kind = (enum tracking_kind)i};
        queue->end = &queue->first;
    }
}

static struct reactor_slot slot = {.size = sizeof(struct direct), .init = direct_init};

static struct direct *direct_of(struct reactor *reactor)
{
    return reactor_slot(reactor, &slot);
}

bool tracking_is_direct(struct reactor *reactor)
{
    const struct direct *direct = reactor_slot_find(reactor, &slot);
    return direct != NULL && clock_now_us() < direct->full_until_us;
}

void tracking_go_direct(struct reactor *reactor)
{
    direct_of(reactor)->full_until_us = clock_now_us() + FULL_PAUSE_US;
}

static void queue_add(struct queue_of_lines *queue, struct waiting *waiting)
{
    waiting->slot = queue->end;
    *queue->end = waiting;
    queue->end = &waiting->next;
}

static void queue_remove(struct queue_of_lines *queue, struct waiting *waiting)
{
    *waiting->slot = waiting->next;
    if (waiting->next != NULL)
        waiting->next->slot = waiting->slot;
    else
        queue->end = waiting->slot;
}

/* Copies the lines, because a request may leave before its line is stored. */
static struct batch *batch_take(struct ctx *ctx, struct queue_of_lines *queue)
{
    struct batch *batch = arena_new(ctx->arena, struct batch);
    while (queue->first != NULL && batch->count < BATCH_MAX) {
        struct waiting *waiting = queue->first;
        queue_remove(queue, waiting);
        waiting->is_taken = true;
        waiting->slot = &batch->places[batch->count];
        *waiting->slot = waiting;
        batch->lines[batch->count++] = str_dup(ctx->arena, waiting->line);
    }
    return batch;
}

/* Wakes the requests; after this none points into the batch. */
static void batch_answer(struct batch *batch, Err err)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        struct waiting *waiting = batch->places[i];
        if (waiting == NULL)
            continue;
        waiting->slot = NULL;
        wait_end(&waiting->wait, err != OK ? ERR_UNAVAILABLE : batch->refused[i]);
    }
}

/* Logs only the first of consecutive failures. */
static void log_failure(struct direct *direct, struct ctx *ctx, Err err)
{
    if (err != OK && !direct->was_failing)
        log_event(LOG_WARN, "tracking_direct_failed", LOG_Z("error", err_info(err)->name),
                  LOG_S("reason", ctx->diag.first != NULL ? ctx->diag.first->reason : STR_NONE));
    direct->was_failing = err != OK;
}

static void store_run(void *arg)
{
    struct queue_of_lines *queue = arg;
    struct arena *arena = arena_create();
    while (queue->first != NULL) {
        arena_reset(arena);
        struct ctx ctx = reactor_ctx(queue->direct->reactor, arena, BATCH_TIMEOUT_US);
        struct batch *batch = batch_take(&ctx, queue);
        Err err = tracking_store_lines(reactor_platform(&ctx), queue->kind, batch->lines,
                                       batch->count, batch->refused);
        log_failure(queue->direct, &ctx, err);
        batch_answer(batch, err);
    }
    queue->is_storing = false;
    arena_destroy(arena);
}

static void waiting_leave(struct queue_of_lines *queue, struct waiting *waiting)
{
    if (!waiting->is_taken)
        queue_remove(queue, waiting);
    else if (waiting->slot != NULL)
        *waiting->slot = NULL;
    queue->direct->lines--;
}

fiber_fn Err tracking_store_direct(struct ctx *ctx, enum tracking_kind kind, Str line)
{
    assert(kind < TRACKING_KINDS && line.len > 0);
    struct direct *direct = direct_of(ctx->reactor);
    struct queue_of_lines *queue = &direct->queues[kind];
    TRY(fiber_check(ctx));
    if (direct->lines >= ctx->reactor->settings->tracking_buffer)
        return fail(ctx, ERR_UNAVAILABLE, "Too many events wait to be stored.");
    struct waiting waiting = {.line = line, .wait = wait_begin()};
    queue_add(queue, &waiting);
    direct->lines++;
    if (!queue->is_storing) {
        queue->is_storing = true;
        fiber_spawn(ctx->reactor->loop, "tracking", store_run, queue);
    }
    Err err = fiber_wait(ctx, &waiting.wait);
    waiting_leave(queue, &waiting);
    if (err == OK)
        counter_inc(tracking_direct);
    else if (err == ERR_UNAVAILABLE)
        return fail(ctx, err, "Events cannot be stored at the moment.");
    else if (err != ERR_TIMEOUT && err != ERR_CANCELLED)
        return fail(ctx, err, "The event cannot be stored.");
    return err;
}
