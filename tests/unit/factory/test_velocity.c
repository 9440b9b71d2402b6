#include "base/system/clock.h"
#include "factory/articles/velocity.h"
#include "support/fixture.h"

enum { DAYS = 28, TOTAL = 97, MINUTE = 60 };
#define MINUTE_US (MINUTE * SECOND_US)
#define HOUR_US (60 * MINUTE_US)

/* A Monday, midnight. */
#define MONDAY_US (INT64_C(1767571200) * SECOND_US)

static struct velocity_day DAY_LIST[VELOCITY_DAYS_MAX];

/* `count` days of UTC; the day `odd` has 23 hours and one later that many too many, as where clocks
 * are changed. -1: none. */
static struct velocity_plan plan_of(uint32_t count, bool is_business, int odd)
{
    struct velocity_hours hours = velocity_hours(is_business);
    int64_t midnight_us = MONDAY_US;
    for (uint32_t i = 0; i < count; i++) {
        int64_t length_us = 24 * HOUR_US;
        if (odd >= 0 && i == (uint32_t)odd)
            length_us -= HOUR_US;
        if (odd >= 0 && i == (uint32_t)odd + 1)
            length_us += HOUR_US;
        DAY_LIST[i] = (struct velocity_day){
            .opens_us = midnight_us + hours.opens * MINUTE_US,
            .closes_us = hours.closes == 1440 ? midnight_us + length_us
                                              : midnight_us + hours.closes * MINUTE_US,
            .is_weekend = i % 7 >= 5,
        };
        midnight_us += length_us;
    }
    return (struct velocity_plan){
        .days = DAY_LIST,
        .day_count = count,
        .from_us = MONDAY_US,
        .until_us = midnight_us,
        .hours = hours,
        .total = TOTAL,
        .jitter_minutes = 120,
        .seed = 7,
    };
}

struct result {
    int64_t *times;
    uint32_t *counts;
};

static struct result must_schedule(struct ctx *ctx, const struct velocity_plan *plan)
{
    struct result result;
    assert_int_equal(velocity_schedule(ctx, plan, &result.times, &result.counts), OK);
    return result;
}

/* Exactly as many as asked for, in order, each in its day's hours and in the range. */
static void expect_fit(const struct velocity_plan *plan, struct result result)
{
    uint32_t n = 0;
    for (uint32_t day = 0; day < plan->day_count; day++)
        for (uint32_t i = 0; i < result.counts[day]; i++, n++) {
            assert_true(result.times[n] >= plan->days[day].opens_us);
            assert_true(result.times[n] < plan->days[day].closes_us);
            assert_true(result.times[n] >= plan->from_us && result.times[n] < plan->until_us);
            assert_true(n == 0 || result.times[n] >= result.times[n - 1]);
        }
    assert_int_equal(n, plan->total);
}

static uint32_t sum_of(const uint32_t *counts, uint32_t from, uint32_t to)
{
    uint32_t sum = 0;
    for (uint32_t i = from; i < to; i++)
        sum += counts[i];
    return sum;
}

static void ninety_seven_are_ninety_seven_in_every_mode(void **state)
{
    struct ctx *ctx = *state;
    for (int mode = VELOCITY_STEADY; mode <= VELOCITY_SPIKES; mode++)
        for (int business = 0; business < 2; business++)
            for (uint64_t seed = 0; seed < 50; seed++) {
                struct velocity_plan plan = plan_of(DAYS, business == 1, -1);
                plan.mode = (enum velocity_mode)mode;
                plan.seed = seed;
                plan.throttles_weekends = seed % 2 == 0;
                expect_fit(&plan, must_schedule(ctx, &plan));
            }
}

static void one_article_and_a_hundred_thousand_fit_too(void **state)
{
    struct ctx *ctx = *state;
    struct velocity_plan plan = plan_of(DAYS, true, -1);
    plan.total = 1;
    expect_fit(&plan, must_schedule(ctx, &plan));
    plan = plan_of(VELOCITY_DAYS_MAX, true, -1);
    plan.total = VELOCITY_TOTAL_MAX;
    expect_fit(&plan, must_schedule(ctx, &plan));
}

static void business_hours_end_before_eighteen_o_clock(void **state)
{
    struct ctx *ctx = *state;
    struct velocity_plan plan = plan_of(DAYS, true, -1);
    plan.total = 5000;
    plan.jitter_minutes = VELOCITY_JITTER_MAX;
    struct result result = must_schedule(ctx, &plan);
    for (uint32_t i = 0; i < plan.total; i++) {
        int64_t minute = (result.times[i] - MONDAY_US) % (24 * HOUR_US) / MINUTE_US;
        assert_true(minute >= 9 * MINUTE && minute < 18 * MINUTE);
    }
}

/* Stopped at the edge, a tenth of all would stand in the first minute. */
static void jitter_makes_no_heap_at_the_edge(void **state)
{
    struct ctx *ctx = *state;
    struct velocity_plan plan = plan_of(1, true, -1);
    plan.total = 5000;
    struct result result = must_schedule(ctx, &plan);
    uint32_t first = 0;
    for (uint32_t i = 0; i < plan.total; i++)
        first += result.times[i] < plan.days[0].opens_us + MINUTE_US;
    assert_true(first < 50);
}

static void days_of_23_and_25_hours_are_whole_days(void **state)
{
    struct ctx *ctx = *state;
    struct velocity_plan plan = plan_of(DAYS, false, 3);
    plan.total = 20000;
    struct result result = must_schedule(ctx, &plan);
    expect_fit(&plan, result);
    for (uint32_t i = 0; i < 7; i++)
        assert_true(result.counts[i] > 500);
}

static void a_cut_day_counts_for_what_is_left(void **state)
{
    struct ctx *ctx = *state;
    struct velocity_plan plan = plan_of(2, true, -1);
    plan.from_us = plan.days[0].closes_us - 6 * MINUTE_US;
    plan.total = 1000;
    struct result result = must_schedule(ctx, &plan);
    expect_fit(&plan, result);
    assert_true(result.counts[0] > 0 && result.counts[0] < 30);
}

static void a_range_without_publishing_hours_is_refused(void **state)
{
    struct ctx *ctx = *state;
    struct velocity_plan plan = plan_of(1, true, -1);
    plan.until_us = plan.days[0].opens_us;
    struct result result;
    assert_int_equal(velocity_schedule(ctx, &plan, &result.times, &result.counts),
                     ERR_FAILED_VALIDATION);
    plan.day_count = 0;
    assert_int_equal(velocity_schedule(ctx, &plan, &result.times, &result.counts),
                     ERR_FAILED_VALIDATION);
}

static void weekends_get_a_fifth_when_throttled(void **state)
{
    struct ctx *ctx = *state;
    struct velocity_plan plan = plan_of(DAYS, true, -1);
    plan.total = 20000;
    uint32_t weekend[2] = {0, 0};
    for (int throttled = 0; throttled < 2; throttled++) {
        plan.throttles_weekends = throttled == 1;
        struct result result = must_schedule(ctx, &plan);
        for (uint32_t i = 0; i < DAYS; i++)
            weekend[throttled] += plan.days[i].is_weekend ? result.counts[i] : 0;
    }
    /* 8 of 28 days; then 8 fifths beside 20 whole ones. */
    assert_in_range(weekend[0], 5200, 6200);
    assert_in_range(weekend[1], 1250, 1720);
}

static void ramp_up_grows_from_week_to_week(void **state)
{
    struct ctx *ctx = *state;
    struct velocity_plan plan = plan_of(DAYS, true, -1);
    plan.mode = VELOCITY_RAMP_UP;
    plan.total = 5000;
    struct result result = must_schedule(ctx, &plan);
    for (uint32_t week = 1; week < 4; week++)
        assert_true(sum_of(result.counts, week * 7, week * 7 + 7) >
                    sum_of(result.counts, week * 7 - 7, week * 7));
}

static void steady_days_differ_only_by_noise_and_spikes_by_more(void **state)
{
    struct ctx *ctx = *state;
    struct velocity_plan plan = plan_of(200, true, -1);
    plan.total = 20000;
    struct result steady = must_schedule(ctx, &plan);
    plan.mode = VELOCITY_SPIKES;
    struct result spikes = must_schedule(ctx, &plan);
    uint32_t high = 0;
    for (uint32_t i = 0; i < plan.day_count; i++) {
        assert_in_range(steady.counts[i], 80, 120);
        high += spikes.counts[i] > 180;
    }
    assert_in_range(high, 3, 25);
}

static void the_same_seed_gives_the_same_plan_and_another_another(void **state)
{
    struct ctx *ctx = *state;
    struct velocity_plan plan = plan_of(DAYS, true, -1);
    struct result first = must_schedule(ctx, &plan);
    struct result again = must_schedule(ctx, &plan);
    assert_memory_equal(first.times, again.times, TOTAL * sizeof *first.times);
    plan.seed++;
    struct result other = must_schedule(ctx, &plan);
    assert_memory_not_equal(first.times, other.times, TOTAL * sizeof *first.times);
}

static void modes_have_one_name_and_older_ones(void **state)
{
    (void)state;
    static const struct {
        Str name;
        enum velocity_mode mode;
        const char *canonical;
    } NAMES[] = {
        {STR_INIT("STEADY"), VELOCITY_STEADY, "STEADY"},
        {STR_INIT("CONSISTENT"), VELOCITY_STEADY, "STEADY"},
        {STR_INIT("ramp_up"), VELOCITY_RAMP_UP, "RAMP_UP"},
        {STR_INIT("SPIKES"), VELOCITY_SPIKES, "SPIKES"},
        {STR_INIT("RANDOM_SPIKES"), VELOCITY_SPIKES, "SPIKES"},
    };
    enum velocity_mode mode;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        assert_true(velocity_mode_parse(NAMES[i].name, &mode));
        assert_int_equal(mode, NAMES[i].mode);
        expect_str(velocity_mode_name(mode), NAMES[i].canonical);
    }
    assert_false(velocity_mode_parse(STR("SOMETIMES"), &mode));
    assert_false(velocity_mode_parse(STR_NONE, &mode));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(ninety_seven_are_ninety_seven_in_every_mode),
        FIXTURE_TEST(one_article_and_a_hundred_thousand_fit_too),
        FIXTURE_TEST(business_hours_end_before_eighteen_o_clock),
        FIXTURE_TEST(jitter_makes_no_heap_at_the_edge),
        FIXTURE_TEST(days_of_23_and_25_hours_are_whole_days),
        FIXTURE_TEST(a_cut_day_counts_for_what_is_left),
        FIXTURE_TEST(a_range_without_publishing_hours_is_refused),
        FIXTURE_TEST(weekends_get_a_fifth_when_throttled),
        FIXTURE_TEST(ramp_up_grows_from_week_to_week),
        FIXTURE_TEST(steady_days_differ_only_by_noise_and_spikes_by_more),
        FIXTURE_TEST(the_same_seed_gives_the_same_plan_and_another_another),
        FIXTURE_TEST(modes_have_one_name_and_older_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
