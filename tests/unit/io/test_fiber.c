/* Fibers: how they start, wait, are woken, run out of time, are cancelled, and end. */
#include "base/system/counters.h"
#include "io/fiber/fiber.h"
#include "io_test.h"

#include <fenv.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IS_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define IS_TSAN 1
#endif

/* ThreadSanitizer knows at most 8,000 flows. */
#ifdef IS_TSAN
enum { MANY = 2000, ROUNDS = 2000 };
#else
enum { MANY = 10000, ROUNDS = 20000 };
#endif

/* A fiber that waits `times` times on a slot the test can reach. */
struct sleeper {
    struct fiber *fiber; /* NULL when it has ended */
    struct ctx ctx;
    struct wait *open;
    uint32_t times;
    uint32_t waited;
    Err result;
};

static void sleeper_main(void *arg)
{
    struct sleeper *s = arg;
    s->fiber = fiber_self();
    for (s->waited = 0; s->waited < s->times; s->waited++) {
        struct wait wait = wait_begin();
        s->open = &wait;
        s->result = fiber_wait(&s->ctx, &wait);
        s->open = NULL;
        if (s->result != OK)
            break;
    }
    s->fiber = NULL;
}

static struct sleeper sleeper(struct fixture *f, uint32_t times, int64_t deadline_us)
{
    return (struct sleeper){.times = times, .ctx = {.arena = f->arena, .deadline_us = deadline_us}};
}

static void spawn_runs_at_once_and_tells_when_it_has_ended(void **state)
{
    struct fixture *f = *state;
    struct sleeper ends = sleeper(f, 0, 0), parks = sleeper(f, 1, 0);
    assert_null(fiber_self());
    assert_null(fiber_spawn(f->loop, "ends", sleeper_main, &ends));

    struct fiber *fiber = fiber_spawn(f->loop, "parks", sleeper_main, &parks);
    assert_non_null(fiber);
    assert_string_equal(fiber_name(fiber), "parks");
    assert_ptr_equal(fiber_loop(fiber), f->loop);
    assert_int_equal(fiber_count(f->loop), 1);
    assert_null(fiber_self());
    wait_end(parks.open, OK);
    turn_until_empty(f->loop);
}

static void wait_returns_what_the_waker_says(void **state)
{
    struct fixture *f = *state;
    struct sleeper s = sleeper(f, 1, 0);
    fiber_spawn(f->loop, "s", sleeper_main, &s);
    wait_end(s.open, ERR_CONFLICT);
    assert_non_null(s.open); /* it runs in its turn, not inside wait_end */
    turn_until_empty(f->loop);
    assert_int_equal(s.result, ERR_CONFLICT);
}

static void wait_ends_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    struct sleeper s = sleeper(f, 1, clock_now_us() + 2000);
    fiber_spawn(f->loop, "s", sleeper_main, &s);
    turn_until_empty(f->loop);
    assert_int_equal(s.result, ERR_TIMEOUT);
    assert_int_equal(s.ctx.diag.last->err, ERR_TIMEOUT);
    assert_true(clock_now_us() >= s.ctx.deadline_us);
}

static void wait_is_refused_after_the_deadline(void **state)
{
    struct fixture *f = *state;
    struct sleeper s = sleeper(f, 1, clock_now_us() - 1);
    assert_null(fiber_spawn(f->loop, "s", sleeper_main, &s));
    assert_int_equal(s.result, ERR_TIMEOUT);
}

static void deadlines_end_waits_in_their_order(void **state)
{
    enum { COUNT = 200 };
    struct fixture *f = *state;
    struct sleeper list[COUNT];
    int64_t now = clock_now_us();
    for (uint32_t i = 0; i < COUNT; i++) {
        REPLACE(list[i], sleeper(f, 1, now + 3000 + (i * 7919 % COUNT) * 40));
        fiber_spawn(f->loop, "s", sleeper_main, &list[i]);
    }
    /* In no turn may one be left whose deadline lies before that of one that has ended. */
    while (fiber_count(f->loop) > 0) {
        loop_turn(f->loop, 1000);
        int64_t ended_max = 0, left_min = INT64_MAX;
        for (uint32_t i = 0; i < COUNT; i++) {
            int64_t at = list[i].ctx.deadline_us;
            if (list[i].fiber == NULL && at > ended_max)
                ended_max = at;
            if (list[i].fiber != NULL && at < left_min)
                left_min = at;
        }
        assert_true(ended_max <= left_min);
    }
}

static void cancel_ends_the_wait(void **state)
{
    struct fixture *f = *state;
    struct sleeper s = sleeper(f, 1, 0);
    fiber_spawn(f->loop, "s", sleeper_main, &s);
    fiber_cancel(s.fiber);
    fiber_cancel(s.fiber);
    turn_until_empty(f->loop);
    assert_int_equal(s.result, ERR_CANCELLED);
    assert_int_equal(s.ctx.diag.last->err, ERR_CANCELLED);
}

static void cancel_at_the_nth_wait_stops_exactly_there(void **state)
{
    struct fixture *f = *state;
    for (uint32_t n = 0; n <= 5; n++) {
        struct sleeper s = sleeper(f, 5, 0);
        fiber_spawn(f->loop, "s", sleeper_main, &s);
        while (s.fiber != NULL && s.waited < n) {
            wait_end(s.open, OK);
            loop_turn(f->loop, 0);
        }
        if (s.fiber != NULL)
            fiber_cancel(s.fiber);
        turn_until_empty(f->loop);
        assert_int_equal(s.waited, n);
        assert_int_equal(s.result, n < 5 ? ERR_CANCELLED : OK);
    }
}

static void answer_that_comes_with_the_cancel_counts(void **state)
{
    struct fixture *f = *state;
    struct sleeper s = sleeper(f, 2, 0);
    fiber_spawn(f->loop, "s", sleeper_main, &s);
    fiber_cancel(s.fiber);
    wait_end(s.open, OK);
    turn_until_empty(f->loop);
    assert_int_equal(s.waited, 1); /* the first was answered, the second refused */
    assert_int_equal(s.result, ERR_CANCELLED);
}

static Err stubborn(struct ctx *ctx, void *arg)
{
    int *refused = arg;
    fiber_cancel(fiber_self());
    for (int i = 0; i < 3; i++)
        *refused += fiber_sleep(ctx, 0) == ERR_CANCELLED;
    return OK;
}

static void cancellation_is_for_good(void **state)
{
    int refused = 0;
    assert_int_equal(run_in_fiber(*state, stubborn, &refused), OK);
    assert_int_equal(refused, 3);
}

static Err clean_up(struct ctx *ctx, void *arg)
{
    fiber_cancel(fiber_self());
    Err err = fail(ctx, ERR_CONFLICT, "the reason that counts");
    {
        SCOPED_SHIELD struct fiber_shield shield =
            fiber_shield_begin(ctx, clock_now_us() + SECOND_US);
        *(Err *)arg = fiber_sleep(ctx, 100);
        err_ignore(fail(ctx, ERR_INTERNAL, "clean-up failed"), "the shield forgets it");
    }
    assert_int_equal(fiber_sleep(ctx, 0), ERR_CANCELLED);
    return err;
}

static void shielded_clean_up_may_wait_and_keeps_the_story(void **state)
{
    Err slept = ERR_INTERNAL;
    assert_int_equal(run_in_fiber(*state, clean_up, &slept), ERR_CONFLICT);
    assert_int_equal(slept, OK);
}

static Err shielded_too_long(struct ctx *ctx, void *arg)
{
    int64_t deadline_us = ctx->deadline_us;
    {
        SCOPED_SHIELD struct fiber_shield shield = fiber_shield_begin(ctx, clock_now_us() + 1000);
        *(Err *)arg = fiber_sleep(ctx, 60 * SECOND_US);
    }
    assert_true(ctx->deadline_us == deadline_us);
    return fiber_sleep(ctx, 100);
}

static void shield_has_a_deadline_of_its_own(void **state)
{
    Err slept = OK;
    assert_int_equal(run_in_fiber(*state, shielded_too_long, &slept), OK);
    assert_int_equal(slept, ERR_TIMEOUT);
}

static Err answered_early(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct wait wait = wait_begin();
    wait_end(&wait, ERR_NOT_FOUND);
    return fiber_wait(ctx, &wait);
}

static void answer_before_the_wait_is_not_lost(void **state)
{
    assert_int_equal(run_in_fiber(*state, answered_early, NULL), ERR_NOT_FOUND);
}

static Err two_deadlines(struct ctx *ctx, void *arg)
{
    (void)arg;
    struct ctx sooner = *ctx;
    sooner.deadline_us = clock_now_us() + 1000;
    assert_int_equal(fiber_sleep(&sooner, 60 * SECOND_US), ERR_TIMEOUT);
    assert_int_equal(fiber_sleep(ctx, 2000), OK); /* the longer one is armed again */
    struct ctx never = *ctx;
    never.deadline_us = 0;
    return fiber_sleep(&never, 1000);
}

static void each_wait_has_the_deadline_of_its_ctx(void **state)
{
    assert_int_equal(run_in_fiber(*state, two_deadlines, NULL), OK);
}

static Err breather(struct ctx *ctx, void *arg)
{
    uint32_t *turns = arg;
    while (*turns < 3)
        TRY(fiber_breathe(ctx));
    return OK;
}

static void count_turn(void *turns)
{
    ++*(uint32_t *)turns;
}

static void breathing_lets_the_loop_turn(void **state)
{
    struct fixture *f = *state;
    uint32_t turns = 0;
    struct turn_hook hook = {.after_turn = count_turn, .arg = &turns};
    loop_add_hook(f->loop, &hook);
    assert_int_equal(run_in_fiber(f, breather, &turns), OK);
    loop_remove_hook(f->loop, &hook);
}

static Err breathe_for_ever(struct ctx *ctx, void *arg)
{
    *(struct fiber **)arg = fiber_self();
    for (;;)
        TRY(fiber_breathe(ctx));
}

static void breathing_notices_the_cancel(void **state)
{
    struct fixture *f = *state;
    struct fiber *fiber;
    struct in_fiber run = in_fiber_make(f, breathe_for_ever, &fiber);
    fiber_spawn(f->loop, "busy", in_fiber_main, &run);
    fiber_cancel(fiber);
    turn_until_empty(f->loop);
    assert_int_equal(run.result, ERR_CANCELLED);
}

static Err change_rounding(struct ctx *ctx, void *arg)
{
    (void)arg;
    fesetround(FE_UPWARD);
    TRY(fiber_sleep(ctx, 100));
    assert_int_equal(fegetround(), FE_UPWARD);
    return OK;
}

static void rounding_mode_is_a_fibers_own(void **state)
{
    assert_int_equal(run_in_fiber(*state, change_rounding, NULL), OK);
    assert_int_equal(fegetround(), FE_TONEAREST);
}

static void ten_thousand_live_are_cancelled_at_once(void **state)
{
    struct fixture *f = *state;
    struct sleeper *list = calloc(MANY, sizeof(*list));
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < MANY; i++) {
            REPLACE(list[i], sleeper(f, 1, 0));
            fiber_spawn(f->loop, "s", sleeper_main, &list[i]);
        }
        assert_int_equal(fiber_count(f->loop), MANY);
        fiber_cancel_all(f->loop);
        turn_until_empty(f->loop);
        for (uint32_t i = 0; i < MANY; i++)
            assert_int_equal(list[i].result, ERR_CANCELLED);
    }
    free(list);
}

/* A spawns B inside itself: two fibers deep, B parks, A goes on. */
static void nested_main(void *arg)
{
    struct sleeper *inner = arg;
    struct fiber *self = fiber_self();
    assert_non_null(fiber_spawn(fiber_loop(self), "inner", sleeper_main, inner));
    assert_ptr_equal(fiber_self(), self);
}

static void fiber_may_start_fibers(void **state)
{
    struct fixture *f = *state;
    struct sleeper inner = sleeper(f, 1, 0);
    assert_null(fiber_spawn(f->loop, "outer", nested_main, &inner));
    wait_end(inner.open, OK);
    turn_until_empty(f->loop);
    assert_int_equal(inner.result, OK);
}

static void spawn_park_wake_end_over_and_over(void **state)
{
    struct fixture *f = *state;
    enum { AT_ONCE = 50 };
    struct sleeper list[AT_ONCE];
    uint64_t random = 88172645463325252u;
    uint32_t ended = 0;
    memset(list, 0, sizeof(list));
    while (ended < ROUNDS) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        struct sleeper *s = &list[random % AT_ONCE];
        if (s->fiber == NULL) {
            REPLACE(*s, sleeper(f, (uint32_t)(random >> 32) % 4, clock_now_us() + 10 * SECOND_US));
            fiber_spawn(f->loop, "s", sleeper_main, s);
            ended++;
        } else if (s->open != NULL && !s->open->is_done) {
            if ((random >> 40) % 8 == 0)
                fiber_cancel(s->fiber);
            else
                wait_end(s->open, OK);
        }
        if ((random >> 50) % 4 == 0)
            fibers_run_ready(f->loop);
    }
    fiber_cancel_all(f->loop);
    turn_until_empty(f->loop);
}

/* Grows the stack a page at a time, past its end. */
static void overflow_main(void *arg)
{
    volatile char page[4000];
    page[0] = *(char *)arg;
    page[3999] = page[0];
    if (page[3999] == 0)
        overflow_main((void *)(uintptr_t)&page[3999]);
    page[1] = page[3999];
}

static void holder_main(void *arg)
{
    (void)arg;
    fiber_hold(1);
}

struct visit {
    struct wait *wait;
    struct fiber_shown *shown;
    struct arena *arena;
};

static void visit_main(void *arg)
{
    struct visit *visit = arg;
    struct ctx ctx = {.arena = visit->arena};
    struct wait wait = wait_begin();
    visit->wait = &wait;
    fiber_tag(7);
    assert_int_equal(fiber_extension(3), 0);
    assert_int_equal(visit->shown->tag, 7);
    assert_int_equal(visit->shown->extension, 3);
    uint64_t turns = visit->shown->turns;
    assert_int_equal(fiber_wait(&ctx, &wait), OK);
    assert_int_equal(visit->shown->tag, 7);
    assert_int_equal(visit->shown->extension, 3);
    assert_true(visit->shown->turns != turns);
    assert_int_equal(fiber_extension(0), 3);
}

static void what_a_fiber_works_on_shows_while_it_has_the_cpu(void **state)
{
    struct fixture *f = *state;
    struct fiber_shown shown = {0};
    struct visit visit = {.shown = &shown, .arena = f->arena};
    fiber_show(&shown);
    assert_int_equal(fiber_extension(9), 0); /* at the start, when there are no fibers */
    assert_int_equal(shown.extension, 9);
    assert_int_equal(fiber_extension(0), 9);
    fiber_spawn(f->loop, "visit", visit_main, &visit);
    assert_int_equal(shown.tag, 0);
    assert_int_equal(shown.extension, 0);
    wait_end(visit.wait, OK);
    turn_until_empty(f->loop);
    assert_int_equal(shown.tag, 0);
    fiber_show(NULL);
}

/* Computes for so many slices, and writes down whose each was. */
struct computer {
    struct fixture *f;
    char owner;
    uint32_t slices;
    char *log;
};

static void computer_main(void *arg)
{
    struct computer *computer = arg;
    struct ctx ctx = {.arena = computer->f->arena};
    fiber_own((Uuid){.bytes = {(uint8_t)computer->owner}});
    for (uint32_t i = 0; i < computer->slices; i++) {
        computer->log[strlen(computer->log)] = computer->owner;
        int64_t until_us = clock_now_us() + 2100;
        while (clock_now_us() < until_us)
            continue;
        if (i % 2 == 0)
            assert_int_equal(fiber_breathe(&ctx), OK);
        else
            fiber_pause();
    }
}

static void who_computes_takes_turns_with_other_owners(void **state)
{
    struct fixture *f = *state;
    char log[64] = "";
    struct computer a = {f, 'a', 4, log}, b = {f, 'b', 4, log};
    for (int i = 0; i < 5; i++)
        fiber_spawn(f->loop, "a", computer_main, &a);
    fiber_spawn(f->loop, "b", computer_main, &b);
    assert_string_equal(log, "aaaaab");
    turn_until_empty(f->loop);
    assert_memory_equal(log + 6, "abababa", 7); /* one slice of the many, one of the other */
    assert_int_equal(strlen(log), 24);
}

static void a_turn_has_one_slice_and_whoever_was_woken_comes_before_it(void **state)
{
    struct fixture *f = *state;
    char log[64] = "";
    struct computer a = {f, 'a', 3, log};
    for (int i = 0; i < 5; i++)
        fiber_spawn(f->loop, "a", computer_main, &a);
    struct sleeper s = sleeper(f, 3, 0);
    fiber_spawn(f->loop, "s", sleeper_main, &s);
    for (uint32_t turn = 1; turn <= 3; turn++) {
        wait_end(s.open, OK);
        loop_turn(f->loop, 0);
        assert_int_equal(s.waited, turn);
        assert_int_equal(strlen(log), 5 + turn);
    }
    turn_until_empty(f->loop);
}

static void fiber_may_pause_outside_of_fibers(void **state)
{
    (void)state;
    fiber_pause();
    assert_null(fiber_self());
}

static void slow_main(void *arg)
{
    (void)arg;
    fiber_work(STR("POST"), STR("/slow"));
    int64_t until_us = clock_thread_cpu_us() + 12 * MS_US;
    while (clock_thread_cpu_us() < until_us)
        continue;
}

static void slow_main_in_fiber(void *loop)
{
    fiber_spawn(loop, "slow", slow_main, NULL);
}

static void turns_that_take_long_are_counted(void **state)
{
    struct fixture *f = *state;
    loop_set_turn_limit(f->loop, 10 * MS_US);
    loop_turn(f->loop, 0); /* from where the CPU is measured */
    int64_t before = counter_sum(COUNTER_loop_turns_long);
    struct sleeper s = sleeper(f, 1, 0);
    fiber_spawn(f->loop, "s", sleeper_main, &s);
    wait_end(s.open, OK);
    turn_until_empty(f->loop);
    assert_int_equal(counter_sum(COUNTER_loop_turns_long), before);
    loop_post(f->loop, slow_main_in_fiber, f->loop);
    while (counter_sum(COUNTER_loop_turns_long) == before)
        loop_turn(f->loop, 10);
    assert_true(counter_sum(COUNTER_loop_turn_longest_us) >= 12 * MS_US);
}

/* How a process ends that runs `run` in a fiber. */
static int status_of(void (*run)(void *arg))
{
    pid_t pid = fork();
    if (pid == 0) {
        char byte = 0;
        fclose(stderr);
        struct loop *loop = loop_new();
        fiber_spawn(loop, "victim", run, &byte);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    return status;
}

static void overflow_is_a_crash_not_a_corruption(void **state)
{
    (void)state;
    assert_int_not_equal(status_of(overflow_main), 0);
}

static void fiber_that_ends_holding_something_is_a_crash(void **state)
{
    (void)state;
    assert_int_not_equal(status_of(holder_main), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        io_test(spawn_runs_at_once_and_tells_when_it_has_ended),
        io_test(wait_returns_what_the_waker_says),
        io_test(wait_ends_at_the_deadline),
        io_test(wait_is_refused_after_the_deadline),
        io_test(deadlines_end_waits_in_their_order),
        io_test(cancel_ends_the_wait),
        io_test(cancel_at_the_nth_wait_stops_exactly_there),
        io_test(answer_that_comes_with_the_cancel_counts),
        io_test(cancellation_is_for_good),
        io_test(shielded_clean_up_may_wait_and_keeps_the_story),
        io_test(shield_has_a_deadline_of_its_own),
        io_test(answer_before_the_wait_is_not_lost),
        io_test(each_wait_has_the_deadline_of_its_ctx),
        io_test(breathing_lets_the_loop_turn),
        io_test(breathing_notices_the_cancel),
        io_test(rounding_mode_is_a_fibers_own),
        io_test(ten_thousand_live_are_cancelled_at_once),
        io_test(fiber_may_start_fibers),
        io_test(spawn_park_wake_end_over_and_over),
        io_test(what_a_fiber_works_on_shows_while_it_has_the_cpu),
        io_test(who_computes_takes_turns_with_other_owners),
        io_test(a_turn_has_one_slice_and_whoever_was_woken_comes_before_it),
        io_test(fiber_may_pause_outside_of_fibers),
        io_test(turns_that_take_long_are_counted),
        io_test(overflow_is_a_crash_not_a_corruption),
        io_test(fiber_that_ends_holding_something_is_a_crash),
    };
    return cmocka_run_group_tests_name("fiber", tests, NULL, NULL);
}
