/*
 * Rate classes: how often one address may call a kind of public endpoint of one site. Token
 * buckets in Redis, so that all threads and processes count together.
 *
 * Keys hold a hash of the address, no address; of IPv6 the 2^64 beside it count as one.
 */
#pragma once

#include "base/system/ctx.h"
#include "io/fiber/fiber.h"

enum rate_class {
    RATE_NONE,
#define RATE(name, per_minute, per_hour, outage, help) RATE_##name,
#include "access/limits/rates.def"
#undef RATE
    RATE_COUNT
};

enum rate_outage { RATE_OPEN, RATE_CLOSED };

struct rate_info {
    const char *name;
    int64_t per_minute;
    int64_t per_hour; /* 0: no second limit */
    enum rate_outage outage;
};
const struct rate_info *rate_info(enum rate_class class);

struct rate {
    bool is_counted; /* false: not looked at, and nothing below is set */
    int64_t limit;   /* of a minute */
    int64_t left;
    int64_t reset_s;
};

/*
 * Takes one token of ctx->scope's site for `ip`. ERR_RATE_LIMITED with the note "_retry_after" when
 * there is none; then *ret is set as well. While Redis does not answer: OK or ERR_UNAVAILABLE, as
 * the class says. Nothing is counted with RATE_LIMITER_ENABLED=false, or for no site.
 */
fiber_fn Err rate_take(struct ctx *ctx, enum rate_class class, Str ip, struct rate *ret);
