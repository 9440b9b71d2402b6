#include "io/fiber/loop.h"

#include "base/system/clock.h"
#include "base/system/range.h"
#include "io/fiber/fiber.h"
#include "io/fiber/loop_internal.h"
#include "io/fiber/mailbox.h"
#include "io/fiber/offload.h"
#include "io/fiber/timer_heap.h"

#include <assert.h>
#include <fcntl.h>
#include <h2o/socket.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The phase of the current turn. Work left for the library or for hooks after their phase makes the
 * next turn start without waiting. */
enum loop_phase { PHASE_IDLE, PHASE_EVENTS, PHASE_TIMERS, PHASE_HOOKS };

enum { WAIT_MS_MAX = 60 * 1000, OWN_OFFLOAD_THREADS = 2, OWN_OFFLOAD_QUEUE = 64 };

struct loop {
    h2o_evloop_t *native;
    struct loop_fibers fibers;
    struct timer_heap timers;
    struct mailbox *mailbox;
    struct watch *mailbox_watch;
    struct turn_hook *hooks;
    struct turn_hook *next_hook; /* next hook during a pass: hooks may remove themselves */
    struct offload *offload;
    struct offload *own_offload;
    int64_t now_us; /* 0: not read in this turn */
    uint32_t watches;
    uint32_t offloaded; /* calls whose results will be posted here */
    enum loop_phase phase;
    bool must_not_wait;
    atomic_bool is_stopping;
};

struct watch {
    struct loop *loop;
    h2o_socket_t *socket;
    bool is_duplicate;
    WatchFn *on_readable;
    WatchFn *on_writable;
    void *arg;
};

static void run_timers(struct loop *loop);
static void run_hooks(struct loop *loop);
static int32_t wait_ms(struct loop *loop, int32_t max_ms);
static void on_mail(void *arg);
static void after_callback(void *loop);
static void on_socket_readable(h2o_socket_t *socket, const char *err);
static void on_socket_writable(h2o_socket_t *socket, const char *err);

struct loop *loop_new(void)
{
    /* A write to a closed peer must return an error instead of killing the process. */
    signal(SIGPIPE, SIG_IGN);
    struct loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL)
        abort();
    loop->native = h2o_evloop_create();
    fibers_end_turn(&loop->fibers);
    loop->mailbox = mailbox_new();
    loop->mailbox_watch = watch_new(loop, mailbox_fd(loop->mailbox), on_mail, loop);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    assert(loop->phase == PHASE_IDLE);
    /* A thread that still resolves a name will post its result, so the mailbox must exist. */
    while (loop->offloaded > 0)
        loop_turn(loop, WAIT_MS_MAX);
    offload_free(loop->own_offload);
    watch_free(loop->mailbox_watch);
    assert(loop->watches == 0);
    assert(loop->hooks == NULL);
    fibers_finish(&loop->fibers);
    timer_heap_finish(&loop->timers);
    mailbox_free(loop->mailbox);
    h2o_evloop_destroy(loop->native);
    free(loop);
}

void loop_run(struct loop *loop)
{
    while (!atomic_load(&loop->is_stopping))
        loop_turn(loop, WAIT_MS_MAX);
    atomic_store(&loop->is_stopping, false);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->is_stopping, true);
    mailbox_ring(loop->mailbox);
}

void loop_turn(struct loop *loop, int32_t wait_ms_max)
{
    assert(loop->phase == PHASE_IDLE && fiber_self() == NULL);
    int32_t wait = wait_ms(loop, wait_ms_max);
    loop->must_not_wait = false;
    loop->now_us = 0;
    fibers_begin_turn(&loop->fibers);

    loop->phase = PHASE_EVENTS;
    h2o_evloop_run(loop->native, wait); /* an error is EINTR: no events */
    fibers_run_ready(loop);

    /* From here on, output that fibers pass to the library is sent in its next run. */
    uint64_t resumes = loop->fibers.resumes;
    loop->phase = PHASE_TIMERS;
    run_timers(loop);
    loop->phase = PHASE_HOOKS;
    run_hooks(loop);
    fibers_run_ready(loop);
    /* Statements of the fibers that woke have been sent before the computing fibers continue. */
    fibers_run_slice(loop);
    if (loop->fibers.resumes != resumes)
        loop->must_not_wait = true;
    if (loop->fibers.meter.limit_us != 0)
        turn_meter_end(&loop->fibers.meter, loop->now_us != 0 ? clock_now_us() - loop->now_us : 0);
    fibers_end_turn(&loop->fibers);
    loop->phase = PHASE_IDLE;
}

void loop_set_turn_limit(struct loop *loop, int64_t limit_us)
{
    assert(limit_us >= 0);
    loop->fibers.meter.limit_us = limit_us;
}

void *loop_native(struct loop *loop)
{
    return loop->native;
}

static int32_t wait_ms(struct loop *loop, int32_t max_ms)
{
    assert(loop->phase == PHASE_IDLE);
    if (loop->must_not_wait || fibers_have_work(&loop->fibers) || max_ms <= 0)
        return 0;
    const struct timer *first = timer_heap_first(&loop->timers);
    if (first == NULL)
        return max_ms;
    int64_t left_us = first->at_us - clock_now_us();
    if (left_us <= 0)
        return 0;
    /* Rounded up: waking early would only mean waiting again. */
    int64_t left_ms = (left_us + MS_US - 1) / MS_US;
    return (int32_t)min_i64(left_ms, max_ms);
}

int64_t loop_now_us(struct loop *loop)
{
    /* Outside a turn the time is not cached. */
    if (loop->phase == PHASE_IDLE)
        return clock_now_us();
    /* The first caller after the wait reads the clock: there is no hook between the library's wait
     * and its callbacks. */
    if (loop->now_us == 0)
        loop->now_us = clock_now_us();
    return loop->now_us;
}

void timer_start(struct loop *loop, struct timer *timer, int64_t at_us)
{
    assert(timer->on_time != NULL);
    timer->at_us = at_us;
    timer_heap_put(&loop->timers, timer);
}

void timer_stop(struct loop *loop, struct timer *timer)
{
    timer_heap_remove(&loop->timers, timer);
}

static void run_timers(struct loop *loop)
{
    assert(loop->phase == PHASE_TIMERS);
    /* Each due timer once: a timer that re-arms itself as due runs in the next turn. */
    struct timer *timer;
    uint32_t budget = loop->timers.count;
    for (; budget > 0 && (timer = timer_heap_first(&loop->timers)) != NULL; budget--) {
        if (timer->at_us > loop_now_us(loop))
            break;
        timer_heap_remove(&loop->timers, timer);
        timer->on_time(timer->arg);
        fibers_run_ready(loop);
        loop->must_not_wait = true;
    }
}

void loop_add_hook(struct loop *loop, struct turn_hook *hook)
{
    assert(hook->after_turn != NULL);
    hook->next = loop->hooks;
    loop->hooks = hook;
    loop_hurry(loop);
}

void loop_remove_hook(struct loop *loop, struct turn_hook *hook)
{
    struct turn_hook **slot = &loop->hooks;
    while (*slot != NULL && *slot != hook)
        slot = &(*slot)->next;
    if (*slot == NULL)
        return;
    *slot = hook->next;
    if (loop->next_hook == hook)
        loop->next_hook = hook->next;
}

static void run_hooks(struct loop *loop)
{
    assert(loop->phase == PHASE_HOOKS);
    for (struct turn_hook *hook = loop->hooks; hook != NULL; hook = loop->next_hook) {
        loop->next_hook = hook->next;
        hook->after_turn(hook->arg);
    }
    loop->next_hook = NULL;
}

void loop_hurry(struct loop *loop)
{
    if (loop->phase == PHASE_IDLE || loop->phase == PHASE_HOOKS)
        loop->must_not_wait = true;
}

void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    assert(fn != NULL);
    mailbox_post(loop->mailbox, fn, arg);
}

static void on_mail(void *arg)
{
    struct loop *loop = arg;
    mailbox_run(loop->mailbox, after_callback, loop);
}

static void after_callback(void *loop)
{
    fibers_run_ready(loop);
}

void loop_set_offload(struct loop *loop, struct offload *offload)
{
    loop->offload = offload;
}

struct offload *loop_offload(struct loop *loop)
{
    if (loop->offload != NULL)
        return loop->offload;
    if (loop->own_offload == NULL)
        loop->own_offload = offload_new(OWN_OFFLOAD_THREADS, OWN_OFFLOAD_QUEUE);
    return loop->own_offload;
}

void loop_count_offloaded(struct loop *loop, int change)
{
    assert(change >= 0 || loop->offloaded > 0);
    loop->offloaded += (uint32_t)change;
}

struct loop_fibers *loop_fibers(struct loop *loop)
{
    return &loop->fibers;
}

const struct loop_fibers *loop_fibers_const(const struct loop *loop)
{
    return &loop->fibers;
}

/*
 * Watches. The library closes the descriptor that it watches, and fails when the kernel has already
 * closed it (libpq closes its descriptor in the middle of a call). So it gets a duplicate, and the
 * owner's descriptor may be closed at any time. Only if no descriptor is left, it gets the owner's
 * own, which is removed from it before it can be closed.
 */
struct watch *watch_new(struct loop *loop, int fd, WatchFn *on_readable, void *arg)
{
    assert(fd >= 0);
    struct watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        abort();
    int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    *watch = (struct watch){
        .loop = loop, .on_readable = on_readable, .arg = arg, .is_duplicate = own_fd >= 0};
    watch->socket = h2o_evloop_socket_create(loop->native, own_fd >= 0 ? own_fd : fd,
                                             H2O_SOCKET_FLAG_DONT_READ);
    watch->socket->data = watch;
    watch_set_reading(watch, on_readable != NULL);
    loop->watches++;
    return watch;
}

void watch_free(struct watch *watch)
{
    if (watch == NULL)
        return;
    assert(watch->loop->watches > 0);
    watch->loop->watches--;
    if (watch->is_duplicate) {
        h2o_socket_close(watch->socket);
    } else {
        h2o_socket_export_t taken_out;
        watch->socket->_cb.write = NULL; /* a pending write prevents the export */
        h2o_socket_export(watch->socket, &taken_out);
        h2o_buffer_dispose(&taken_out.input);
    }
    free(watch);
}

void watch_writable(struct watch *watch, WatchFn *on_writable)
{
    assert(on_writable != NULL);
    watch->on_writable = on_writable;
    if (!h2o_socket_is_writing(watch->socket))
        h2o_socket_notify_write(watch->socket, on_socket_writable);
}

void watch_set_reading(struct watch *watch, bool is_reading)
{
    assert(!is_reading || watch->on_readable != NULL);
    if (is_reading == (h2o_socket_is_reading(watch->socket) != 0))
        return;
    if (is_reading)
        h2o_socket_read_start(watch->socket, on_socket_readable);
    else
        h2o_socket_read_stop(watch->socket);
}

/* The callback may free the watch: do not access it afterwards. */
static void on_socket_readable(h2o_socket_t *socket, const char *err)
{
    (void)err; /* the owner gets the same error when it reads */
    struct watch *watch = socket->data;
    struct loop *loop = watch->loop;
    (void)loop_now_us(loop); /* the time of the turn is that of its first event */
    watch->on_readable(watch->arg);
    fibers_run_ready(loop);
}

static void on_socket_writable(h2o_socket_t *socket, const char *err)
{
    (void)err;
    struct watch *watch = socket->data;
    struct loop *loop = watch->loop;
    WatchFn *on_writable = watch->on_writable;
    watch->on_writable = NULL;
    if (on_writable != NULL)
        on_writable(watch->arg);
    fibers_run_ready(loop);
}
