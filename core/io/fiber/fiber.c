#include "io/fiber/fiber.h"

#include "base/memory/deep.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/range.h"
#include "io/fiber/loop.h"
#include "io/fiber/loop_internal.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stored at the high end of its own stack: no allocation, and that page is touched anyway. */
struct fiber {
    struct fiber_place place; /* in a queue, if is_queued */
    struct fiber_context context;
    struct fiber_context *resumer; /* context to switch to when it parks */
    struct loop *loop;
    const char *name;
    void (*run)(void *arg);
    void *arg;
    struct fiber *live_next;
    struct fiber **live_slot;
    struct wait *parked_on; /* NULL unless inside fiber_wait */
    Err interrupt;          /* result of an interrupted wait */
    bool is_queued;
    bool is_cancelled; /* never reset */
    bool has_ended;
    uint32_t shields;
    int32_t holds;
    int64_t slice_start_us; /* when it was resumed */
    bool has_slice;         /* resumed from the yield queue, not by an event */
    int64_t tag;
    uint32_t extension;
    int64_t inner_us; /* since then: time of the fibers that it started */
    char work[TURN_WORK_MAX];
    /* One timer for all waits: it stays armed across waits with the same deadline, so that a
     * request costs one heap operation instead of one per query. */
    struct timer timer;
    int64_t timer_us; /* deadline it is armed for; 0: not armed */
};

enum {
    /* The delay that a computing fiber adds to each event of the others; a turn costs about 3
     * us. */
    BREATH_US = 250,
    /* After this time, a turn defers ready fibers to the next turn, and yielding functions yield:
     * otherwise a hundred fibers that wake together would compute in one turn. */
    TURN_US = 5000,
    NO_TURN = -1,
    /* Bounds a turn in which two fibers wake each other forever, so that descriptors are polled. */
    RESUMES_MAX = 10000,
};

static _Thread_local struct fiber *current;
static _Thread_local struct fiber_shown *shown; /* NULL: not monitored */

static struct fiber *fiber_on(void *stack_low);
static void fiber_main(void);
static void fiber_release(struct fiber *fiber);
static struct fiber *fiber_pop(struct fiber_queue *queue);
static void run_one(struct fiber *fiber);
static bool is_due(const struct fiber *self);
static bool is_turn_old(const struct loop_fibers *fibers, int64_t now_us);
static void resume(struct fiber *fiber);
static void show_current(void);
static fiber_fn void park(struct fiber *fiber);
static void make_ready(struct fiber *fiber);
static void interrupt_wait(struct fiber *fiber, Err reason);
static void arm_deadline(struct fiber *fiber, int64_t deadline_us);
static void on_deadline(void *arg);

struct fiber *fiber_spawn(struct loop *loop, const char *name, void (*run)(void *arg), void *arg)
{
    struct loop_fibers *fibers = loop_fibers(loop);
    assert(name != NULL && run != NULL);
    assert(fibers->count < FIBER_LIVE_MAX);

    void *stack = fiber_stack_take(&fibers->stacks);
    struct fiber *fiber = fiber_on(stack);
    *fiber = (struct fiber){.loop = loop, .name = name, .run = run, .arg = arg};
    fiber->timer = (struct timer){.on_time = on_deadline, .arg = fiber};
    if (current != NULL) {
        fiber->place.owner = current->place.owner;
        memcpy(fiber->work, current->work, sizeof fiber->work);
    }
    fiber_context_make(&fiber->context, stack, (size_t)((char *)fiber - (char *)stack), fiber_main);

    fiber->live_next = fibers->live;
    fiber->live_slot = &fibers->live;
    if (fibers->live != NULL)
        fibers->live->live_slot = &fiber->live_next;
    fibers->live = fiber;
    fibers->count++;
    counter_inc(fibers_spawned);
    counter_inc(fibers_live);

    resume(fiber);
    if (!fiber->has_ended)
        return fiber;
    fiber_release(fiber);
    return NULL;
}

static struct fiber *fiber_on(void *stack_low)
{
    enum { ROOM = (sizeof(struct fiber) + 63) / 64 * 64 };
    return (struct fiber *)(void *)((char *)stack_low + fiber_stack_size() - ROOM);
}

static void fiber_main(void)
{
    struct fiber *self = current;
    assert(self != NULL);
    fiber_context_enter(self->resumer);
    self->run(self->arg);

    /* The fiber must have released what it acquired. */
    if (self->holds != 0 || self->shields != 0) {
        fprintf(stderr, "fiber '%s' ended while holding %d gates, groups or transactions\n",
                self->name, self->holds);
        abort();
    }
    timer_stop(self->loop, &self->timer);
    self->has_ended = true;
    fiber_context_leave(&self->context, self->resumer);
}

static void fiber_release(struct fiber *fiber)
{
    struct loop_fibers *fibers = loop_fibers(fiber->loop);
    assert(fiber->has_ended && !fiber->is_queued && fiber->parked_on == NULL);
    assert(fibers->count > 0);

    *fiber->live_slot = fiber->live_next;
    if (fiber->live_next != NULL)
        fiber->live_next->live_slot = fiber->live_slot;
    fibers->count--;
    counter_add(COUNTER_fibers_live, -1);

    void *stack = (char *)fiber - fiber->context.stack_size;
    fiber_context_drop(&fiber->context);
    fiber_stack_give(&fibers->stacks, stack);
}

struct fiber *fiber_self(void)
{
    return current;
}

struct loop *fiber_loop(const struct fiber *fiber)
{
    return fiber->loop;
}

const char *fiber_name(const struct fiber *fiber)
{
    return fiber->name;
}

uint32_t fiber_count(const struct loop *loop)
{
    return loop_fibers_const(loop)->count;
}

void fiber_cancel(struct fiber *fiber)
{
    assert(fiber != NULL && !fiber->has_ended);
    fiber->is_cancelled = true;
    if (fiber->shields == 0)
        interrupt_wait(fiber, ERR_CANCELLED);
}

void fiber_cancel_all(struct loop *loop)
{
    for (struct fiber *fiber = loop_fibers(loop)->live; fiber != NULL; fiber = fiber->live_next)
        fiber_cancel(fiber);
}

struct wait wait_begin(void)
{
    assert(current != NULL);
    return (struct wait){.fiber = current};
}

fiber_fn Err fiber_wait(struct ctx *ctx, struct wait *wait)
{
    struct fiber *self = current;
    assert(self != NULL && wait->fiber == self);
    assert(self->parked_on == NULL);
    if (wait->is_done)
        return wait->result;
    TRY(fiber_check(ctx));

    if (ctx->deadline_us != self->timer_us)
        arm_deadline(self, ctx->deadline_us);
    self->interrupt = OK;
    self->parked_on = wait;
    park(self);
    self->parked_on = NULL;

    /* The waker's result wins even if the deadline passed in the same turn: the waker will not
     * report it again, and the caller need not undo anything. */
    if (wait->is_done)
        return wait->result;
    if (self->interrupt == ERR_CANCELLED)
        return fail(ctx, ERR_CANCELLED, "it was cancelled while it waited");
    assert(self->interrupt == ERR_TIMEOUT);
    counter_inc(fiber_timeouts);
    return fail(ctx, ERR_TIMEOUT, "the deadline came while waiting");
}

void wait_end(struct wait *wait, Err result)
{
    assert(!wait->is_done);
    wait->is_done = true;
    wait->result = result;
    if (wait->fiber->parked_on == wait)
        make_ready(wait->fiber);
}

Err fiber_check(struct ctx *ctx)
{
    assert(current != NULL);
    if (current->is_cancelled && current->shields == 0)
        return fail(ctx, ERR_CANCELLED, "it was cancelled");
    if (ctx->deadline_us != 0 && ctx->deadline_us <= loop_now_us(current->loop)) {
        counter_inc(fiber_timeouts);
        return fail(ctx, ERR_TIMEOUT, "the deadline has come");
    }
    return OK;
}

struct fiber_shield fiber_shield_begin(struct ctx *ctx, int64_t deadline_us)
{
    assert(current != NULL);
    struct fiber_shield shield = {ctx, ctx->deadline_us, ctx->diag};
    current->shields++;
    ctx->deadline_us = deadline_us;
    return shield;
}

void fiber_shield_end(struct fiber_shield *shield)
{
    if (shield->ctx == NULL)
        return;
    assert(current != NULL && current->shields > 0);
    current->shields--;
    shield->ctx->deadline_us = shield->deadline_us;
    shield->ctx->diag = shield->diag;
    shield->ctx = NULL;
}

struct fiber_deadline fiber_deadline_begin(struct ctx *ctx, int64_t timeout_us)
{
    assert(timeout_us > 0);
    struct fiber_deadline deadline = {ctx, ctx->deadline_us};
    int64_t end_us = clock_now_us() + timeout_us;
    if (ctx->deadline_us == 0 || end_us < ctx->deadline_us)
        ctx->deadline_us = end_us;
    return deadline;
}

void fiber_deadline_end(struct fiber_deadline *deadline)
{
    assert(deadline->ctx != NULL);
    deadline->ctx->deadline_us = deadline->deadline_us;
}

void fiber_hold(int change)
{
    assert(current != NULL);
    current->holds += change;
    assert(current->holds >= 0);
}

static void wake_sleeper(void *arg)
{
    wait_end(arg, OK);
}

fiber_fn Err fiber_sleep(struct ctx *ctx, int64_t duration_us)
{
    assert(duration_us >= 0);
    struct wait wait = wait_begin();
    struct timer timer = {.on_time = wake_sleeper, .arg = &wait};
    timer_start(current->loop, &timer, clock_now_us() + duration_us);
    Err err = fiber_wait(ctx, &wait);
    timer_stop(fiber_loop(fiber_self()), &timer);
    return err;
}

fiber_fn Err fiber_breathe(struct ctx *ctx)
{
    assert(current != NULL);
    if (current->is_cancelled)
        TRY(fiber_check(ctx));
    if (!is_due(current))
        return OK;
    fiber_pause();
    return fiber_check(ctx);
}

fiber_fn void fiber_pause(void)
{
    struct fiber *self = current;
    if (self == NULL || !is_due(self))
        return;
    self->is_queued = true;
    fiber_queue_push(&loop_fibers(self->loop)->later, &self->place);
    park(self);
}

/* Whether it has used its slice, or delays others that woke with it. */
static bool is_due(const struct fiber *self)
{
    int64_t now = clock_now_us();
    bool gives_way = !self->has_slice && is_turn_old(loop_fibers(self->loop), now);
    return now - self->slice_start_us >= BREATH_US || gives_way;
}

void fibers_run_ready(struct loop *loop)
{
    struct loop_fibers *fibers = loop_fibers(loop);
    assert(current == NULL);
    struct fiber *fiber;
    for (int i = 0; i < RESUMES_MAX && !is_turn_old(fibers, fibers->now_us) &&
                    (fiber = fiber_pop(&fibers->ready)) != NULL;
         i++)
        run_one(fiber);
}

void fibers_run_slice(struct loop *loop)
{
    struct loop_fibers *fibers = loop_fibers(loop);
    assert(current == NULL);
    struct fiber *fiber;
    for (int64_t left_us = BREATH_US; left_us > 0 && (fiber = fiber_pop(&fibers->later)) != NULL;) {
        int64_t start_us = clock_now_us();
        fiber->has_slice = true;
        run_one(fiber);
        left_us -= fibers->now_us - start_us;
    }
}

static struct fiber *fiber_pop(struct fiber_queue *queue)
{
    static_assert(offsetof(struct fiber, place) == 0);
    return (struct fiber *)(void *)fiber_queue_pop(queue);
}

static void run_one(struct fiber *fiber)
{
    assert(fiber->is_queued);
    fiber->is_queued = false;
    resume(fiber);
    if (fiber->has_ended)
        fiber_release(fiber);
}

static bool is_turn_old(const struct loop_fibers *fibers, int64_t now_us)
{
    return fibers->turn_start_us > 0 && now_us - fibers->turn_start_us >= TURN_US;
}

bool fibers_have_work(const struct loop_fibers *fibers)
{
    return fibers->ready.first != NULL || fibers->later.first != NULL;
}

void fibers_begin_turn(struct loop_fibers *fibers)
{
    fibers->turn_start_us = 0;
}

void fibers_end_turn(struct loop_fibers *fibers)
{
    fibers->turn_start_us = NO_TURN;
}

void fibers_finish(struct loop_fibers *fibers)
{
    assert(fibers->count == 0 && !fibers_have_work(fibers));
    fiber_stack_pool_finish(&fibers->stacks);
}

static void resume(struct fiber *fiber)
{
    struct loop_fibers *fibers = loop_fibers(fiber->loop);
    struct fiber *before = current;
    assert(!fiber->has_ended && !fiber->is_queued && fiber != before);

    fiber->resumer = before != NULL ? &before->context : &fibers->thread;
    fiber->inner_us = 0;
    fiber->slice_start_us = clock_now_us();
    if (fibers->turn_start_us == 0)
        fibers->turn_start_us = fiber->slice_start_us;
    fibers->resumes++;
    current = fiber;
    show_current();
    fiber_context_switch(fiber->resumer, &fiber->context);
    current = before;
    show_current();
    fiber->has_slice = false;
    fibers->now_us = clock_now_us();
    int64_t ran_us = fibers->now_us - fiber->slice_start_us;
    if (before != NULL)
        before->inner_us += ran_us;
    turn_meter_ran(&fibers->meter, fiber->name, fiber->work, ran_us - fiber->inner_us);
}

/* Relaxed ordering is sufficient: readers need each value, not their order. */
static void show_current(void)
{
    if (shown == NULL)
        return;
    uint64_t turns = atomic_load_explicit(&shown->turns, memory_order_relaxed);
    atomic_store_explicit(&shown->turns, turns + 1, memory_order_relaxed);
    atomic_store_explicit(&shown->tag, current != NULL ? current->tag : 0, memory_order_relaxed);
    atomic_store_explicit(&shown->extension, current != NULL ? current->extension : 0,
                          memory_order_relaxed);
}

void fiber_own(Uuid owner)
{
    assert(current != NULL && !current->is_queued);
    uint64_t halves[2];
    static_assert(sizeof halves == sizeof owner.bytes);
    memcpy(halves, owner.bytes, sizeof halves);
    /* The upper half of a UUID version 7 is a timestamp; sites created in one millisecond differ in
     * the lower half. */
    current->place.owner = halves[0] * UINT64_C(0x9e3779b97f4a7c15) ^ halves[1];
}

void fiber_work(Str verb, Str what)
{
    assert(current != NULL);
    size_t room = sizeof current->work - 2;
    size_t verb_len = min_size(verb.len, room);
    size_t what_len = min_size(what.len, room - verb_len);
    if (verb_len > 0)
        memcpy(current->work, verb.data, verb_len);
    current->work[verb_len] = ' ';
    if (what_len > 0)
        memcpy(current->work + verb_len + 1, what.data, what_len);
    current->work[verb_len + 1 + what_len] = '\0';
}

void fiber_tag(int64_t tag)
{
    assert(current != NULL);
    current->tag = tag;
    show_current();
}

bool fiber_has_overflowed(const void *address, struct fiber_overflow *ret)
{
    struct fiber_overflow found = {
        .fiber = "none", .work = "", .is_deep = deep_guard_holds(address)};
    if (current != NULL) {
        found.fiber = current->name;
        found.work = current->work;
        const char *low = (const char *)current - current->context.stack_size;
        if (!found.is_deep && !fiber_stack_guard_holds(low, address))
            return false;
    } else if (!found.is_deep) {
        return false;
    }
    *ret = found;
    return true;
}

uint32_t fiber_extension(uint32_t extension)
{
    uint32_t before = 0;
    if (current != NULL) {
        before = current->extension;
        current->extension = extension;
    } else if (shown != NULL) {
        before = atomic_load_explicit(&shown->extension, memory_order_relaxed);
    }
    if (shown != NULL)
        atomic_store_explicit(&shown->extension, extension, memory_order_relaxed);
    return before;
}

void fiber_show(struct fiber_shown *place)
{
    shown = place;
}

static fiber_fn void park(struct fiber *fiber)
{
    assert(fiber == current && !deep_is_inside());
    fiber_context_switch(&fiber->context, fiber->resumer);
    assert(fiber == current);
}

static void make_ready(struct fiber *fiber)
{
    assert(fiber->parked_on != NULL);
    if (fiber->is_queued)
        return;
    fiber->is_queued = true;
    fiber_queue_push(&loop_fibers(fiber->loop)->ready, &fiber->place);
}

static void interrupt_wait(struct fiber *fiber, Err reason)
{
    assert(reason != OK);
    if (fiber->parked_on == NULL || fiber->parked_on->is_done || fiber->interrupt != OK)
        return;
    fiber->interrupt = reason;
    make_ready(fiber);
}

static void arm_deadline(struct fiber *fiber, int64_t deadline_us)
{
    assert(deadline_us >= 0);
    fiber->timer_us = deadline_us;
    if (deadline_us == 0)
        timer_stop(fiber->loop, &fiber->timer);
    else
        timer_start(fiber->loop, &fiber->timer, deadline_us);
}

static void on_deadline(void *arg)
{
    struct fiber *fiber = arg;
    assert(!fiber->has_ended);
    fiber->timer_us = 0;
    /* The fiber is not waiting, so there is nothing to interrupt: its next wait checks the
     * clock. */
    interrupt_wait(fiber, ERR_TIMEOUT);
}
