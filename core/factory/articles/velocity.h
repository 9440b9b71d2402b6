/*
 * Computes publication times: exactly `total` instants inside publishing hours and range. Pure; the
 * same plan and seed give the same instants on every machine.
 *
 * Days are given as pairs of instants, so this code needs no time zone. PostgreSQL computes them in
 * the site's zone (statement production_days): the time zone of the C library is a process-wide
 * setting, which threads with different sites cannot share, and its rules could differ from those
 * with which PostgreSQL shows the stored timestamps. A day of 23 or 25 hours is then an interval
 * like any other.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

enum velocity_mode { VELOCITY_STEADY, VELOCITY_RAMP_UP, VELOCITY_SPIKES };

/* Case-insensitive. Accepts the older names RANDOM_SPIKES and CONSISTENT. */
bool velocity_mode_parse(Str name, enum velocity_mode *ret);
Str velocity_mode_name(enum velocity_mode mode);

/* Minutes after local midnight. */
struct velocity_hours {
    uint32_t opens;
    uint32_t closes;
    uint32_t peak;
    uint32_t spread; /* standard deviation */
};
/* 9:00 to 18:00, or the whole day. */
struct velocity_hours velocity_hours(bool is_business);

struct velocity_day {
    int64_t opens_us;
    int64_t closes_us; /* excluded */
    bool is_weekend;
};

enum { VELOCITY_DAYS_MAX = 3660, VELOCITY_TOTAL_MAX = 100000, VELOCITY_JITTER_MAX = 1440 };

struct velocity_plan {
    const struct velocity_day *days; /* in order, without overlap */
    uint32_t day_count;
    int64_t from_us; /* the range; days are clipped to it */
    int64_t until_us;
    struct velocity_hours hours;
    enum velocity_mode mode;
    bool throttles_weekends; /* to a fifth of a weekday */
    uint32_t jitter_minutes;
    uint32_t total;
    uint64_t seed;
};

/* ret_times: `total` instants, ascending; ret_counts: the number of each day. Both in ctx->arena.
 * ERR_FAILED_VALIDATION if the range contains no publishing hour. */
fiber_fn Err velocity_schedule(struct ctx *ctx, const struct velocity_plan *plan,
                               int64_t **ret_times, uint32_t **ret_counts);
