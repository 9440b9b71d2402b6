/*
 * Token buckets as one number each: the time at which the bucket will be full again. A full bucket
 * needs no entry, so the table needs no sweep.
 */
#include "access/limits/login_limit.h"

#include "access/limits/ip_range.h"
#include "base/system/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { SETS = 4096, WAYS = 8, EMAIL_KEY_MAX = 320 };
enum kind { KIND_PAIR, KIND_ADDRESS, KIND_ACCOUNT };

struct bucket {
    uint64_t key; /* 0: free */
    int64_t full_at_us;
};

/* Shared by all threads and held for nanoseconds: a fiber never waits while holding it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct bucket table[SETS][WAYS];

/* str_hash is seeded per process, so an attacker cannot target a set. */
static uint64_t key_of(enum kind kind, Str text)
{
    uint64_t key = str_hash(text) * 4 + (uint64_t)kind;
    return key != 0 ? key : 1;
}

static void place_add(struct login_try *try, enum kind kind, Str text, int64_t window_s,
                      int64_t failures)
{
    assert(try->count < LOGIN_PLACES && failures > 0);
    try->places[try->count].key = key_of(kind, text);
    try->places[try->count].interval_us = window_s * SECOND_US / failures;
    try->count++;
}

/* An address contains no space, so the concatenation of account and address is unambiguous. */
static struct login_try try_make(struct ctx *ctx, const struct login_limits *limits, Str email,
                                 Str ip, bool is_known)
{
    Str account = str_lower(ctx->arena, str_slice(email, 0, EMAIL_KEY_MAX));
    Str address = ip_owner(ctx->arena, ip);
    Str pair = str_printf(ctx->arena, "%.*s %.*s", STR_FMT(address), STR_FMT(account));
    struct login_try try = {.count = 0};
    place_add(&try, KIND_ADDRESS, address, limits->window_s, limits->failures_address);
    place_add(&try, KIND_PAIR, pair, limits->window_s, limits->failures);
    if (!is_known)
        place_add(&try, KIND_ACCOUNT, account, limits->window_s, limits->failures_account);
    return try;
}

/* The entry of `key`, else the one that is nearest to full. */
static struct bucket *bucket_find(uint64_t key)
{
    assert(key != 0);
    struct bucket *set = table[(key >> 16) % SETS];
    struct bucket *harmless = &set[0];
    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].full_at_us < harmless->full_at_us)
            harmless = &set[i];
    }
    return harmless;
}

/* Takes one place. 0: taken; else the time until a place is free. */
static int64_t bucket_take(uint64_t key, int64_t interval_us, int64_t window_us, int64_t now_us)
{
    assert(window_us >= interval_us);
    struct bucket *bucket = bucket_find(key);
    int64_t full_at_us =
        bucket->key == key && bucket->full_at_us > now_us ? bucket->full_at_us : now_us;
    int64_t wait_us = full_at_us + interval_us - now_us - window_us;
    if (wait_us > 0)
        return wait_us;
    *bucket = (struct bucket){key, full_at_us + interval_us};
    return 0;
}

static void bucket_give_back(uint64_t key, int64_t interval_us, int64_t now_us)
{
    struct bucket *bucket = bucket_find(key);
    if (bucket->key == key && bucket->full_at_us > now_us)
        bucket->full_at_us -= interval_us;
}

/* Takes all places or none. */
static int64_t places_take(const struct login_try *try, int64_t window_us, int64_t now_us)
{
    assert(try->count > 0 && try->count <= LOGIN_PLACES);
    int64_t wait_us = 0;
    uint32_t taken = 0;
    pthread_mutex_lock(&lock);
    while (wait_us == 0 && taken < try->count) {
        wait_us =
            bucket_take(try->places[taken].key, try->places[taken].interval_us, window_us, now_us);
        taken += wait_us == 0;
        assert(taken <= try->count);
    }
    for (uint32_t i = 0; wait_us > 0 && i < taken; i++)
        bucket_give_back(try->places[i].key, try->places[i].interval_us, now_us);
    pthread_mutex_unlock(&lock);
    return wait_us;
}

Err login_limit_take(struct ctx *ctx, const struct login_limits *limits, Str email, Str ip,
                     bool is_known, int64_t now_us, struct login_try *ret)
{
    assert(now_us > 0);
    *ret = try_make(ctx, limits, email, ip, is_known);
    int64_t wait_us = places_take(ret, limits->window_s * SECOND_US, now_us);
    if (wait_us == 0)
        return OK;
    int64_t wait_s = (wait_us + SECOND_US - 1) / SECOND_US;
    return fail_noted(ctx, ERR_RATE_LIMITED, "_retry_after",
                      str_printf(ctx->arena, "%jd", (intmax_t)wait_s),
                      "Too many failed logins, try again in %jd s.", (intmax_t)wait_s);
}

void login_limit_give_back(const struct login_try *try, int64_t now_us)
{
    assert(try->count > 0 && try->count <= LOGIN_PLACES);
    pthread_mutex_lock(&lock);
    for (uint32_t i = 0; i < try->count; i++)
        bucket_give_back(try->places[i].key, try->places[i].interval_us, now_us);
    pthread_mutex_unlock(&lock);
}
