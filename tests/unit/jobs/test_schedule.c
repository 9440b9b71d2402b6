/* Schedules: what is due runs in order, and what fails is due again sooner. */
#include "base/system/clock.h"
#include "jobs/steward/schedule.h"
#include "support/fixture.h"

static int runs_first, runs_second;
static Err second_returns = OK;

static fiber_fn Err first(struct platform platform)
{
    (void)platform;
    runs_first++;
    return OK;
}

static fiber_fn Err second(struct platform platform)
{
    (void)platform;
    runs_second++;
    return second_returns;
}

static const struct schedule FIRST = {.name = "first", .every_us = 1, .turn = first};
static const struct schedule SECOND = {
    .name = "second", .every_us = 3600 * SECOND_US, .retry_us = 60 * SECOND_US, .turn = second};
static const struct schedule THIRD = {.name = "third", .every_us = 1, .turn = first};

static void a_schedule_runs_when_it_is_due(void **state)
{
    (void)state;
    schedule_add(&FIRST);
    schedule_add(&SECOND);
    schedule_add(&THIRD);
    int64_t due_us[SCHEDULES_MAX] = {0};
    assert_int_equal(schedules_run((struct platform){NULL}, due_us), OK);
    assert_int_equal(runs_first, 2);
    assert_int_equal(runs_second, 1);
    assert_true(due_us[1] > clock_now_us() + 3000 * SECOND_US);

    due_us[0] = due_us[2] = 0;
    assert_int_equal(schedules_run((struct platform){NULL}, due_us), OK);
    assert_int_equal(runs_first, 4);
    assert_int_equal(runs_second, 1);
}

static void an_error_ends_the_turn_and_is_tried_again_sooner(void **state)
{
    (void)state;
    int64_t due_us[SCHEDULES_MAX] = {0};
    runs_first = runs_second = 0;
    second_returns = ERR_UNAVAILABLE;
    assert_int_equal(schedules_run((struct platform){NULL}, due_us), ERR_UNAVAILABLE);
    assert_int_equal(runs_first, 1);
    assert_int_equal(runs_second, 1);
    assert_int_equal(due_us[2], 0);
    assert_true(due_us[1] <= clock_now_us() + 60 * SECOND_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schedule_runs_when_it_is_due),
        cmocka_unit_test(an_error_ends_the_turn_and_is_tried_again_sooner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
