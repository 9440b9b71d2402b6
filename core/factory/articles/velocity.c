#include "factory/articles/velocity.h"

#include "base/crypto/random.h"
#include "base/memory/array.h"
#include "base/system/clock.h"

#include <assert.h>
#include <stdlib.h>

#define MINUTE_US (60 * SECOND_US)

static const double WEEKEND_SHARE = 0.2;
static const double SPIKE_CHANCE = 0.05;
static const double SPIKE_WEIGHT = 3.0;
static const double NOISE_MIN = 0.85;
static const double NOISE_WIDTH = 0.30;

static const struct {
    Str name;
    enum velocity_mode mode;
} NAMES[] = {
    {STR_INIT("STEADY"), VELOCITY_STEADY},        {STR_INIT("RAMP_UP"), VELOCITY_RAMP_UP},
    {STR_INIT("SPIKES"), VELOCITY_SPIKES},        {STR_INIT("CONSISTENT"), VELOCITY_STEADY},
    {STR_INIT("RANDOM_SPIKES"), VELOCITY_SPIKES},
};

bool velocity_mode_parse(Str name, enum velocity_mode *ret)
{
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (!str_eq_nocase(NAMES[i].name, name))
            continue;
        *ret = NAMES[i].mode;
        return true;
    }
    return false;
}

/* The first name of a mode is the canonical one. */
Str velocity_mode_name(enum velocity_mode mode)
{
    size_t i = 0;
    while (NAMES[i].mode != mode)
        i++;
    return NAMES[i].name;
}

struct velocity_hours velocity_hours(bool is_business)
{
    if (is_business)
        return (struct velocity_hours){.opens = 540, .closes = 1080, .peak = 840, .spread = 120};
    return (struct velocity_hours){.opens = 0, .closes = 1440, .peak = 840, .spread = 240};
}

/* Days */

/* The part of a day that lies in the range; empty if from >= until. */
struct window {
    int64_t from_us;
    int64_t until_us;
};

static struct window window_of(const struct velocity_plan *plan, const struct velocity_day *day)
{
    return (struct window){
        .from_us = day->opens_us > plan->from_us ? day->opens_us : plan->from_us,
        .until_us = day->closes_us < plan->until_us ? day->closes_us : plan->until_us,
    };
}

/* A day that is partly in the range is weighted by that part; otherwise the last minutes of today
 * would get a whole day's articles. */
static double weight_of(const struct velocity_plan *plan, uint32_t index, Random *random)
{
    const struct velocity_day *day = &plan->days[index];
    double noise = NOISE_MIN + NOISE_WIDTH * random_unit(random);
    bool is_spike = random_unit(random) < SPIKE_CHANCE;
    struct window window = window_of(plan, day);
    if (window.from_us >= window.until_us)
        return 0;
    double weight =
        (double)(window.until_us - window.from_us) / (double)(day->closes_us - day->opens_us);
    if (plan->mode == VELOCITY_RAMP_UP)
        weight *= 0.2 + 0.8 * ((double)index / (double)plan->day_count);
    if (plan->mode == VELOCITY_SPIKES && is_spike)
        weight *= SPIKE_WEIGHT;
    if (plan->throttles_weekends && day->is_weekend)
        weight *= WEEKEND_SHARE;
    return weight * noise;
}

/* Apportionment */

struct share {
    double rest;
    uint32_t day;
};

static int by_rest(const void *a, const void *b)
{
    const struct share *x = a;
    const struct share *y = b;
    if (x->rest != y->rest)
        return x->rest > y->rest ? -1 : 1;
    return x->day < y->day ? -1 : x->day > y->day;
}

/* Largest remainder method: whole parts first, then one more for each of the largest fractions
 * until the total is reached. Rounding each day on its own would meet the total only on average. */
static void apportion(const double *weights, double sum, const struct velocity_plan *plan,
                      struct share *shares, uint32_t *counts)
{
    assert(plan->day_count > 0 && sum > 0);
    uint32_t given = 0;
    for (uint32_t i = 0; i < plan->day_count; i++) {
        double quota = weights[i] / sum * (double)plan->total;
        uint32_t whole = (uint32_t)quota;
        if (whole > plan->total - given)
            whole = plan->total - given;
        counts[i] = whole;
        given += whole;
        shares[i] = (struct share){.rest = quota - (double)whole, .day = i};
    }
    qsort(shares, plan->day_count, sizeof *shares, by_rest);
    for (uint32_t i = 0; given < plan->total; i = (i + 1) % plan->day_count) {
        if (weights[shares[i].day] <= 0)
            continue;
        counts[shares[i].day]++;
        given++;
    }
}

/* Times */

/* An approximately normal random number with standard deviation 1: the sum of twelve uniform ones.
 * Box-Muller needs a logarithm and a cosine, whose last bits differ between C libraries. */
static double bell(Random *random)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += random_unit(random);
    return sum - 6.0;
}

/* A time around the peak, inside the window; uniform over the window if the peak is too far
 * away. */
static int64_t draw(const struct velocity_plan *plan, const struct velocity_day *day,
                    struct window window, Random *random)
{
    enum { TRIES_MAX = 8 };
    int64_t peak_us = day->opens_us + (int64_t)(plan->hours.peak - plan->hours.opens) * MINUTE_US;
    double spread_us = (double)plan->hours.spread * (double)MINUTE_US;
    for (int i = 0; i < TRIES_MAX; i++) {
        int64_t time_us = peak_us + (int64_t)(bell(random) * spread_us);
        if (time_us >= window.from_us && time_us < window.until_us)
            return time_us;
    }
    uint64_t width_us = (uint64_t)(window.until_us - window.from_us);
    return window.from_us + (int64_t)random_below(random, width_us);
}

/* Jitter that would leave the window is reflected at its edge and then clamped. Clamping alone
 * would cluster times at the edges. */
static int64_t jitter(const struct velocity_plan *plan, struct window window, int64_t time_us,
                      Random *random)
{
    if (plan->jitter_minutes > 0) {
        int64_t most_us = (int64_t)plan->jitter_minutes * MINUTE_US;
        time_us += (int64_t)random_below(random, (uint64_t)(2 * most_us + 1)) - most_us;
    }
    if (time_us < window.from_us)
        time_us = 2 * window.from_us - time_us;
    if (time_us >= window.until_us)
        time_us = 2 * window.until_us - 1 - time_us;
    time_us -= time_us % SECOND_US;
    return time_us < window.from_us ? window.from_us : time_us;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static fiber_fn void fill_day(const struct velocity_plan *plan, uint32_t index, uint32_t count,
                              Random *random, int64_t *times)
{
    const struct velocity_day *day = &plan->days[index];
    struct window window = window_of(plan, day);
    for (uint32_t i = 0; i < count; i++) {
        fiber_pause();
        times[i] = jitter(plan, window, draw(plan, day, window, random), random);
        assert(times[i] >= window.from_us && times[i] < window.until_us);
    }
    qsort(times, count, sizeof *times, by_time); /* about 10 ms for VELOCITY_TOTAL_MAX */
}

fiber_fn Err velocity_schedule(struct ctx *ctx, const struct velocity_plan *plan,
                               int64_t **ret_times, uint32_t **ret_counts)
{
    assert(plan->total > 0 && plan->total <= VELOCITY_TOTAL_MAX);
    assert(plan->day_count <= VELOCITY_DAYS_MAX && plan->jitter_minutes <= VELOCITY_JITTER_MAX);
    Random random = random_seeded(plan->seed);
    double *weights = arena_array(ctx->arena, double, plan->day_count);
    double sum = 0;
    for (uint32_t i = 0; i < plan->day_count; i++)
        sum += weights[i] = weight_of(plan, i, &random);
    if (sum <= 0)
        return fail(ctx, ERR_FAILED_VALIDATION, "No publishing hour lies in the date_range.");

    uint32_t *counts = arena_array(ctx->arena, uint32_t, plan->day_count);
    apportion(weights, sum, plan, arena_array(ctx->arena, struct share, plan->day_count), counts);
    int64_t *times = arena_array(ctx->arena, int64_t, plan->total);
    uint32_t filled = 0;
    for (uint32_t i = 0; i < plan->day_count; i++) {
        fill_day(plan, i, counts[i], &random, times + filled);
        filled += counts[i];
    }
    assert(filled == plan->total);
    *ret_times = times;
    *ret_counts = counts;
    return OK;
}
