/* The loop: timers, descriptors, posts from other threads, hooks. */
#include "io/fiber/loop.h"
#include "io/fiber/timer_heap.h"
#include "io_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void heap_gives_timers_in_order_whatever_is_taken_out(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    struct timer *timers = calloc(COUNT, sizeof(*timers));
    struct timer_heap heap = {0};
    for (int i = 0; i < COUNT; i++) {
        timers[i].at_us = (int64_t)i * 7919 % COUNT;
        timer_heap_put(&heap, &timers[i]);
    }
    for (int i = 0; i < COUNT; i += 3)
        timer_heap_remove(&heap, &timers[i]);
    for (int i = 0; i < COUNT; i += 3)
        timer_heap_remove(&heap, &timers[i]);
    for (int i = 1; i < COUNT; i += 3) { /* moved while armed */
        timers[i].at_us = COUNT - timers[i].at_us;
        timer_heap_put(&heap, &timers[i]);
    }
    int64_t last = INT64_MIN;
    int seen = 0;
    for (struct timer *timer; (timer = timer_heap_first(&heap)) != NULL; seen++) {
        assert_true(timer->at_us >= last);
        last = timer->at_us;
        timer_heap_remove(&heap, timer);
    }
    assert_int_equal(seen, COUNT - (COUNT + 2) / 3);
    timer_heap_finish(&heap);
    free(timers);
}

struct ticker {
    struct loop *loop;
    struct timer timer;
    int count;
};

static void tick_at_once(void *arg)
{
    struct ticker *t = arg;
    t->count++;
    timer_start(t->loop, &t->timer, 0);
}

static void timer_that_arms_itself_leaves_the_turn(void **state)
{
    struct fixture *f = *state;
    struct ticker t = {.loop = f->loop, .timer = {.on_time = tick_at_once, .arg = &t}};
    timer_start(f->loop, &t.timer, 0);
    for (int i = 1; i <= 5; i++) {
        loop_turn(f->loop, 1000);
        assert_int_equal(t.count, i);
    }
    timer_stop(f->loop, &t.timer);
    timer_stop(f->loop, &t.timer);
    loop_turn(f->loop, 0);
    assert_int_equal(t.count, 5);
}

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

static void timer_never_fires_early(void **state)
{
    struct fixture *f = *state;
    bool fired = false;
    struct timer timer = {.on_time = set_flag, .arg = &fired};
    for (int64_t wait_us = 100; wait_us < 5000; wait_us += 900) {
        int64_t at = clock_now_us() + wait_us;
        fired = false;
        timer_start(f->loop, &timer, at);
        while (!fired)
            loop_turn(f->loop, 1000);
        assert_true(clock_now_us() >= at);
    }
}

struct pipe_end {
    struct loop *loop;
    struct watch *watch;
    int fds[2];
    int readable;
    int writable;
    char last;
};

static void read_one(void *arg)
{
    struct pipe_end *p = arg;
    p->readable++;
    if (read(p->fds[0], &p->last, 1) != 1)
        p->last = 0;
}

static void count_writable(void *arg)
{
    ((struct pipe_end *)arg)->writable++;
}

static struct pipe_end pipe_end(struct fixture *f)
{
    struct pipe_end p = {.loop = f->loop};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p.fds), 0);
    return p;
}

static void watch_tells_as_long_as_there_is_something(void **state)
{
    struct fixture *f = *state;
    struct pipe_end p = pipe_end(f);
    p.watch = watch_new(f->loop, p.fds[0], read_one, &p);
    loop_turn(f->loop, 0);
    assert_int_equal(p.readable, 0);
    assert_int_equal(write(p.fds[1], "ab", 2), 2);
    loop_turn(f->loop, 1000);
    loop_turn(f->loop, 1000);
    assert_int_equal(p.readable, 2);
    assert_int_equal(p.last, 'b');

    watch_set_reading(p.watch, false);
    assert_int_equal(write(p.fds[1], "c", 1), 1);
    loop_turn(f->loop, 0);
    assert_int_equal(p.readable, 2);
    watch_set_reading(p.watch, true);
    loop_turn(f->loop, 1000);
    assert_int_equal(p.last, 'c');
    watch_free(p.watch);

    assert_int_equal(write(p.fds[1], "d", 1), 1); /* the descriptors are still ours */
    assert_int_equal(read(p.fds[0], &p.last, 1), 1);
    close(p.fds[0]);
    close(p.fds[1]);
}

static void writable_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct pipe_end p = pipe_end(f);
    p.watch = watch_new(f->loop, p.fds[0], NULL, &p);
    watch_writable(p.watch, count_writable);
    watch_writable(p.watch, count_writable);
    loop_turn(f->loop, 1000);
    loop_turn(f->loop, 0);
    assert_int_equal(p.writable, 1);
    watch_writable(p.watch, count_writable);
    loop_turn(f->loop, 1000);
    assert_int_equal(p.writable, 2);
    watch_writable(p.watch, count_writable);
    watch_free(p.watch);
    loop_turn(f->loop, 0);
    assert_int_equal(p.writable, 2);
    close(p.fds[0]);
    close(p.fds[1]);
}

struct pair {
    struct watch *watches[2];
    int calls;
};

static void free_both(void *arg)
{
    struct pair *pair = arg;
    pair->calls++;
    watch_free(pair->watches[0]);
    watch_free(pair->watches[1]);
}

static void watch_may_be_freed_in_its_own_callback_and_a_neighbours(void **state)
{
    struct fixture *f = *state;
    struct pipe_end a = pipe_end(f), b = pipe_end(f);
    struct pair pair = {0};
    pair.watches[0] = watch_new(f->loop, a.fds[0], free_both, &pair);
    pair.watches[1] = watch_new(f->loop, b.fds[0], free_both, &pair);
    assert_int_equal(write(a.fds[1], "x", 1) + write(b.fds[1], "x", 1), 2);
    loop_turn(f->loop, 1000); /* both are readable, the first one frees both */
    loop_turn(f->loop, 0);
    assert_int_equal(pair.calls, 1);
    for (int i = 0; i < 2; i++) {
        close(a.fds[i]);
        close(b.fds[i]);
    }
}

static void descriptor_may_be_closed_before_its_watch(void **state)
{
    struct fixture *f = *state;
    struct pipe_end p = pipe_end(f);
    p.watch = watch_new(f->loop, p.fds[0], read_one, &p);
    loop_turn(f->loop, 0);
    close(p.fds[0]);
    struct pipe_end q = pipe_end(f); /* likely gets the same number */
    q.watch = watch_new(f->loop, q.fds[0], read_one, &q);
    loop_turn(f->loop, 0);
    watch_free(p.watch);
    assert_int_equal(write(q.fds[1], "x", 1), 1);
    loop_turn(f->loop, 1000);
    assert_int_equal(q.last, 'x');
    watch_free(q.watch);
    close(p.fds[1]);
    close(q.fds[0]);
    close(q.fds[1]);
}

static void watch_needs_no_descriptor_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct pipe_end p = pipe_end(f);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    p.watch = watch_new(f->loop, p.fds[0], read_one, &p);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

    assert_int_equal(write(p.fds[1], "ab", 2), 2);
    watch_writable(p.watch, count_writable);
    loop_turn(f->loop, 1000);
    assert_int_equal(p.last, 'a');
    watch_writable(p.watch, count_writable);
    watch_free(p.watch);
    loop_turn(f->loop, 0);
    assert_int_equal(p.writable, 1);
    assert_int_equal(read(p.fds[0], &p.last, 1), 1); /* not closed */
    close(p.fds[0]);
    close(p.fds[1]);
}

enum { POSTERS = 4, POSTS = 5000 };

struct post_test {
    struct loop *loop;
    int seen; /* the loop's own: no lock */
};

static void count_post(void *arg)
{
    struct post_test *t = arg;
    if (++t->seen == POSTERS * POSTS)
        loop_stop(t->loop);
}

static void *post_many(void *arg)
{
    struct post_test *t = arg;
    for (int i = 0; i < POSTS; i++)
        loop_post(t->loop, count_post, t);
    return NULL;
}

static void posts_of_other_threads_all_arrive(void **state)
{
    struct fixture *f = *state;
    struct post_test t = {.loop = f->loop};
    pthread_t threads[POSTERS];
    for (int i = 0; i < POSTERS; i++)
        pthread_create(&threads[i], NULL, post_many, &t);
    loop_run(f->loop);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(t.seen, POSTERS * POSTS);
}

static struct loop *signalled;

static void on_signal(int number)
{
    (void)number;
    loop_stop(signalled);
}

static void signal_handler_may_stop_the_loop(void **state)
{
    struct fixture *f = *state;
    signalled = f->loop;
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    loop_run(f->loop); /* returns */
    signal(SIGUSR1, SIG_DFL);
}

struct hooked {
    struct loop *loop;
    struct turn_hook a, b;
    int calls;
};

static void remove_both(void *arg)
{
    struct hooked *h = arg;
    h->calls++;
    loop_remove_hook(h->loop, &h->a);
    loop_remove_hook(h->loop, &h->b);
}

static void hook_may_remove_hooks(void **state)
{
    struct fixture *f = *state;
    struct hooked h = {.loop = f->loop,
                       .a = {.after_turn = remove_both, .arg = &h},
                       .b = {.after_turn = remove_both, .arg = &h}};
    loop_add_hook(f->loop, &h.a);
    loop_add_hook(f->loop, &h.b);
    loop_turn(f->loop, 0);
    assert_int_equal(h.calls, 1);
    loop_turn(f->loop, 0);
    assert_int_equal(h.calls, 1);
}

struct chain {
    struct wait *wait;
    int calls;
};

static void wake_in_hook(void *arg)
{
    struct chain *c = arg;
    c->calls++;
    if (c->wait != NULL && !c->wait->is_done)
        wait_end(c->wait, OK);
}

static Err wait_for_hook(struct ctx *ctx, void *arg)
{
    struct chain *c = arg;
    for (int i = 0; i < 3; i++) {
        struct wait wait = wait_begin();
        c->wait = &wait;
        TRY(fiber_wait(ctx, &wait));
        c->wait = NULL;
    }
    return OK;
}

/* Each wake is the work of a hook: a turn that waited for a descriptor would last a minute. */
static void turn_does_not_wait_when_a_hook_woke_a_fiber(void **state)
{
    struct fixture *f = *state;
    struct chain c = {0};
    struct turn_hook hook = {.after_turn = wake_in_hook, .arg = &c};
    loop_add_hook(f->loop, &hook);
    struct in_fiber run = in_fiber_make(f, wait_for_hook, &c);
    run.ctx.deadline_us = 0;
    fiber_spawn(f->loop, "chain", in_fiber_main, &run);
    while (fiber_count(f->loop) > 0)
        loop_turn(f->loop, 60000);
    loop_remove_hook(f->loop, &hook);
    assert_int_equal(run.result, OK);
    assert_in_range(c.calls, 3, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap_gives_timers_in_order_whatever_is_taken_out),
        io_test(timer_that_arms_itself_leaves_the_turn),
        io_test(timer_never_fires_early),
        io_test(watch_tells_as_long_as_there_is_something),
        io_test(writable_is_told_once),
        io_test(watch_may_be_freed_in_its_own_callback_and_a_neighbours),
        io_test(descriptor_may_be_closed_before_its_watch),
        io_test(watch_needs_no_descriptor_of_its_own),
        io_test(posts_of_other_threads_all_arrive),
        io_test(signal_handler_may_stop_the_loop),
        io_test(hook_may_remove_hooks),
        io_test(turn_does_not_wait_when_a_hook_woke_a_fiber),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
