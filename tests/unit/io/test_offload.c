/* Offload: blocking calls on threads, with and without fibers. */
#include "io/fiber/offload.h"
#include "io_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct work {
    struct offload *offload;
    pthread_t thread;
    sigset_t mask;
    int in;
    int out;
};

static void square(void *arg)
{
    struct work *work = arg;
    work->thread = pthread_self();
    pthread_sigmask(SIG_BLOCK, NULL, &work->mask);
    work->out = work->in * work->in;
}

static Err run_square(struct ctx *ctx, void *arg)
{
    struct work *work = arg;
    return offload_run(ctx, work->offload, square, work);
}

static void call_runs_on_a_thread_that_takes_no_signals(void **state)
{
    struct work work = {.offload = offload_new(2, 8), .in = 7};
    assert_int_equal(run_in_fiber(*state, run_square, &work), OK);
    assert_int_equal(work.out, 49);
    assert_false(pthread_equal(work.thread, pthread_self()));
    assert_int_equal(sigismember(&work.mask, SIGTERM), 1);
    offload_free(work.offload);
}

static void blocked_until_a_byte_comes(void *arg)
{
    char byte;
    ssize_t got = read(*(int *)arg, &byte, 1);
    (void)got;
}

struct blocked {
    struct offload *offload;
    int fds[2];
    struct fiber *fiber;
};

static Err run_blocked(struct ctx *ctx, void *arg)
{
    struct blocked *b = arg;
    b->fiber = fiber_self();
    int fd = b->fds[0]; /* the thread reads our frame: it must stay until the thread is done */
    return offload_run(ctx, b->offload, blocked_until_a_byte_comes, &fd);
}

static void cancelled_or_late_fiber_waits_for_the_thread_all_the_same(void **state)
{
    struct fixture *f = *state;
    for (int is_late = 0; is_late < 2; is_late++) {
        struct blocked b = {.offload = offload_new(1, 1)};
        assert_int_equal(pipe(b.fds), 0);
        struct in_fiber run = in_fiber_make(f, run_blocked, &b);
        int64_t late_us = clock_now_us() + 1000;
        if (is_late)
            run.ctx.deadline_us = late_us;
        fiber_spawn(f->loop, "blocked", in_fiber_main, &run);
        if (!is_late)
            fiber_cancel(b.fiber);
        while (is_late && clock_now_us() < late_us)
            loop_turn(f->loop, 1);
        loop_turn(f->loop, 0);
        assert_int_equal(fiber_count(f->loop), 1);
        assert_int_equal(write(b.fds[1], "x", 1), 1);
        turn_until_empty(f->loop);
        assert_int_equal(run.result, is_late ? ERR_TIMEOUT : ERR_CANCELLED);
        offload_free(b.offload);
        close(b.fds[0]);
        close(b.fds[1]);
    }
}

static void count_done(void *arg)
{
    ++*(int *)arg;
}

struct plain {
    int fds[2];
    int done;
};

static void plain_blocked(void *arg)
{
    blocked_until_a_byte_comes(&((struct plain *)arg)->fds[0]);
}

static void plain_done(void *arg)
{
    count_done(&((struct plain *)arg)->done);
}

static Err refused_when_full(struct ctx *ctx, void *arg)
{
    return offload_run(ctx, arg, plain_blocked, NULL);
}

static void full_queue_refuses(void **state)
{
    struct fixture *f = *state;
    struct offload *offload = offload_new(1, 1);
    struct plain p = {0};
    assert_int_equal(pipe(p.fds), 0);
    int accepted = 0;
    /* One runs, one is queued; whether the thread has taken the first already is chance. */
    while (accepted < 2)
        accepted += offload_submit(offload, f->loop, plain_blocked, plain_done, &p);
    assert_false(offload_submit(offload, f->loop, plain_blocked, plain_done, &p));
    assert_int_equal(run_in_fiber(f, refused_when_full, offload), ERR_UNAVAILABLE);
    assert_int_equal(write(p.fds[1], "xx", 2), 2);
    while (p.done < accepted)
        loop_turn(f->loop, 1000);
    offload_free(offload);
    close(p.fds[0]);
    close(p.fds[1]);
}

static void loop_that_ends_waits_for_its_answers(void **state)
{
    struct fixture *f = *state;
    struct loop *loop = loop_new();
    struct plain p = {0};
    (void)f;
    assert_int_equal(pipe(p.fds), 0);
    assert_true(offload_submit(loop_offload(loop), loop, plain_blocked, plain_done, &p));
    assert_int_equal(write(p.fds[1], "x", 1), 1);
    loop_free(loop);
    assert_int_equal(p.done, 1);
    close(p.fds[0]);
    close(p.fds[1]);
}

static Err square_often(struct ctx *ctx, void *arg)
{
    for (int i = 0; i < 50; i++) {
        struct work work = {.offload = arg, .in = i};
        TRY(run_square(ctx, &work));
        assert_int_equal(work.out, i * i);
    }
    return OK;
}

static Err many_square(struct ctx *ctx, void *arg)
{
    struct group group;
    group_init(&group, ctx);
    for (int i = 0; i < 40; i++)
        group_spawn(&group, ctx, "square", square_often, arg);
    return group_join(ctx, &group);
}

static void many_fibers_share_few_threads(void **state)
{
    struct offload *offload = offload_new(3, 64);
    assert_int_equal(run_in_fiber(*state, many_square, offload), OK);
    offload_free(offload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        io_test(call_runs_on_a_thread_that_takes_no_signals),
        io_test(cancelled_or_late_fiber_waits_for_the_thread_all_the_same),
        io_test(full_queue_refuses),
        io_test(loop_that_ends_waits_for_its_answers),
        io_test(many_fibers_share_few_threads),
    };
    return cmocka_run_group_tests_name("offload", tests, NULL, NULL);
}
