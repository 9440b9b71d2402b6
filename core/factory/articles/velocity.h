/*
 * When a campaign's articles are to appear: exactly `total` instants inside publishing hours and
 * range. Pure; the same plan and seed give the same instants on every machine.
 *
 * Days come as pairs of instants, not as dates, so nothing here knows a time zone. PostgreSQL makes
 * them from the site's zone (statement production_days): the C library's zone is a setting of the
 * whole process, which threads with different sites cannot share, and its own reader would be a
 * second opinion beside the one that the stored stamps are shown with. A day of 23 or 25 hours is
 * then an interval like any other.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

enum velocity_mode { VELOCITY_STEADY, VELOCITY_RAMP_UP, VELOCITY_SPIKES };

/* Also RANDOM_SPIKES and CONSISTENT, as older clients say. Any case. */
bool velocity_mode_parse(Str name, enum velocity_mode *ret);
Str velocity_mode_name(enum velocity_mode mode);

/* Minutes after local midnight. */
struct velocity_hours {
    uint32_t opens;
    uint32_t closes;
    uint32_t peak;
    uint32_t spread; /* standard deviation */
};
/* 9 to 18 o'clock, or the whole day. */
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
    int64_t from_us; /* the range; days are cut to it */
    int64_t until_us;
    struct velocity_hours hours;
    enum velocity_mode mode;
    bool throttles_weekends; /* to a fifth */
    uint32_t jitter_minutes;
    uint32_t total;
    uint64_t seed;
};

/* ret_times: `total` instants, ascending; ret_counts: how many each day has. Both in ctx->arena.
 * ERR_FAILED_VALIDATION when no publishing hour lies in the range. */
fiber_fn Err velocity_schedule(struct ctx *ctx, const struct velocity_plan *plan,
                               int64_t **ret_times, uint32_t **ret_counts);
