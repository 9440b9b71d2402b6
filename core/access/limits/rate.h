/*
 * Rate classes: how often one address may call a group of public endpoints of one site. Token
 * buckets in Redis, so that all threads and processes count together.
 *
 * Keys contain a hash of the address, not the address; an IPv6 /64 network counts as one address.
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
    bool is_counted; /* false: not limited, and the members below are not set */
    int64_t limit;   /* per minute */
    int64_t left;
    int64_t reset_s;
};

/*
 * Takes one token of ctx->scope's site, or of the hosts without one, for `ip`. ERR_RATE_LIMITED with the note "_retry_after" when
 * none is left; *ret is set in that case as well. If Redis does not answer: OK or ERR_UNAVAILABLE,
 * as the class defines. Nothing is counted with RATE_LIMITER_ENABLED=false, or in PLATFORM scope.
 */
fiber_fn Err rate_take(struct ctx *ctx, enum rate_class class, Str ip, struct rate *ret);
