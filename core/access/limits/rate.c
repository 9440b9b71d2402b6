#include "access/limits/rate.h"

#include "base/crypto/crypto.h"
#include "base/settings/settings.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "gen/embed.h"
#include "io/reactor/reactor.h"
#include "io/redis/redis.h"

#include <arpa/inet.h>
#include <assert.h>

#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)
/* An unresponsive Redis must not delay a visitor. */
#define TIMEOUT_US (500 * MS_US)

static const struct rate_info RATES[RATE_COUNT] = {
    [RATE_NONE] = {"NONE", 0, 0, RATE_OPEN},
#define RATE(name_, per_minute_, per_hour_, outage_, help_)                                        \
    [RATE_##name_] = {#name_, per_minute_, per_hour_, outage_},
#include "access/limits/rates.def"
#undef RATE
};

const struct rate_info *rate_info(enum rate_class class)
{
    assert(class < RATE_COUNT);
    return &RATES[class];
}

/* One IPv6 customer typically has a whole /64 network. */
static Str network_of(struct ctx *ctx, Str ip)
{
    enum { NETWORK_BYTES = 8 };
    struct in6_addr address;
    if (inet_pton(AF_INET6, str_z(ctx->arena, ip), &address) == 1 &&
        !IN6_IS_ADDR_V4MAPPED(&address))
        return hex_text(ctx->arena, address.s6_addr, NETWORK_BYTES);
    return ip;
}

/* One hash tag for both buckets, so that they are on the same cluster node. */
static Str bucket_tag(struct ctx *ctx, enum rate_class class, Str ip)
{
    assert(class != RATE_NONE);
    enum { KEPT_BYTES = 12 };
    Str who = str_printf(ctx->arena, "%.*s %.*s", STR_FMT(uuid_text(ctx->arena, ctx->scope.site)),
                         STR_FMT(network_of(ctx, ip)));
    Sha256 hash = hmac_sha256(ctx->reactor->settings->secret, who);
    return str_printf(ctx->arena, "{r:%.*s}:%s",
                      STR_FMT(hex_text(ctx->arena, hash.bytes, KEPT_BYTES)),
                      rate_info(class)->name);
}

static Str script(void)
{
    Str source = STR_NONE;
    bool is_embedded = embed_find(STR("core/access/limits/rate.lua"), &source);
    assert(is_embedded);
    return source;
}

static fiber_fn Err ask_redis(struct ctx *ctx, enum rate_class class, Str ip,
                              struct redis_value *ret)
{
    SCOPED_DEADLINE struct fiber_deadline deadline = fiber_deadline_begin(ctx, TIMEOUT_US);
    struct arena *arena = ctx->arena;
    const struct rate_info *info = rate_info(class);
    assert(info->per_minute > 0);
    Str tag = bucket_tag(ctx, class, ip);
    Str minute = str_printf(arena, "%.*s:m", STR_FMT(tag));
    Str minute_us = str_printf(arena, "%jd", (intmax_t)MINUTE_US);
    Str token_us = str_printf(arena, "%jd", (intmax_t)(MINUTE_US / info->per_minute));
    if (info->per_hour == 0)
        return REDIS_CALL(ctx, ctx->reactor->redis, ret, STR("EVAL"), script(), STR("1"), minute,
                          minute_us, token_us);
    return REDIS_CALL(ctx, ctx->reactor->redis, ret, STR("EVAL"), script(), STR("2"), minute,
                      str_printf(arena, "%.*s:h", STR_FMT(tag)), minute_us, token_us,
                      str_printf(arena, "%jd", (intmax_t)HOUR_US),
                      str_printf(arena, "%jd", (intmax_t)(HOUR_US / info->per_hour)));
}

static int64_t seconds_of(int64_t us)
{
    return (us + SECOND_US - 1) / SECOND_US;
}

static Err refuse(struct ctx *ctx, int64_t wait_us)
{
    assert(wait_us > 0);
    int64_t wait_s = seconds_of(wait_us);
    counter_inc(rate_limited);
    return fail_noted(ctx, ERR_RATE_LIMITED, "_retry_after",
                      str_printf(ctx->arena, "%jd", (intmax_t)wait_s),
                      "Too many requests, try again in %jd s.", (intmax_t)wait_s);
}

/* If Redis does not answer in time, the class decides whether the request is allowed. */
static Err without_redis(struct ctx *ctx, enum rate_class class, Err err)
{
    assert(class != RATE_NONE);
    if (err == ERR_CANCELLED)
        return err;
    if (rate_info(class)->outage == RATE_CLOSED)
        return fail(ctx, ERR_UNAVAILABLE, "Requests cannot be counted at the moment.");
    diag_clear(ctx);
    return OK;
}

fiber_fn Err rate_take(struct ctx *ctx, enum rate_class class, Str ip, struct rate *ret)
{
    enum { WAIT, LEFT, RESET, COUNT };
    *ret = (struct rate){0};
    bool is_on = ctx->reactor->settings->rate_limiter_enabled;
    if (!is_on || class == RATE_NONE || ctx->scope.kind == SCOPE_PLATFORM)
        return OK;
    struct redis_value reply;
    Err err = ask_redis(ctx, class, ip, &reply);
    if (err != OK || reply.kind != REDIS_ARRAY || reply.count != COUNT)
        return without_redis(ctx, class, err);
    *ret = (struct rate){.is_counted = true,
                         .limit = rate_info(class)->per_minute,
                         .left = reply.items[LEFT].integer,
                         .reset_s = seconds_of(reply.items[RESET].integer)};
    int64_t wait_us = reply.items[WAIT].integer;
    return wait_us > 0 ? refuse(ctx, wait_us) : OK;
}
