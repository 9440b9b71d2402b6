/*
 * Token buckets as one number each: the time at which the bucket will be full again. A bucket that
 * is full has no entry worth keeping, so the table needs no sweep.
 */
#include "access/login_limit.h"

#include "access/ip_range.h"
#include "base/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { SETS = 4096, WAYS = 8, EMAIL_KEY_MAX = 320 };
enum kind { KIND_ACCOUNT = 1, KIND_ADDRESS = 2 };

struct bucket {
    uint64_t key; /* 0: free */
    int64_t full_at_us;
};

/* Shared by all threads, held for some nanoseconds: a fiber never waits with it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct bucket table[SETS][WAYS];

static int64_t interval_of(enum kind kind)
{
    int64_t failures = kind == KIND_ACCOUNT ? LOGIN_FAILURES_ACCOUNT : LOGIN_FAILURES_ADDRESS;
    return LOGIN_WINDOW_S * SECOND_US / failures;
}

/* str_hash is seeded per process: nobody outside can aim at a set. */
static uint64_t key_of(enum kind kind, Str text)
{
    uint64_t key = str_hash(text) * 4 + (uint64_t)kind;
    return key != 0 ? key : 1;
}

static uint64_t account_key(struct ctx *ctx, Str email)
{
    return key_of(KIND_ACCOUNT, str_lower(ctx->arena, str_slice(email, 0, EMAIL_KEY_MAX)));
}

static uint64_t address_key(struct ctx *ctx, Str ip)
{
    return key_of(KIND_ADDRESS, ip_owner(ctx->arena, ip));
}

/* The entry of `key`, else the one that is nearest to full. */
static struct bucket *bucket_find(uint64_t key)
{
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

/* 0 when a place was free and is taken now, else how long until one is. */
static int64_t bucket_take(enum kind kind, uint64_t key, int64_t now_us)
{
    struct bucket *bucket = bucket_find(key);
    int64_t interval_us = interval_of(kind);
    int64_t window_us = LOGIN_WINDOW_S * SECOND_US;
    int64_t full_at_us =
        bucket->key == key && bucket->full_at_us > now_us ? bucket->full_at_us : now_us;
    int64_t wait_us = full_at_us + interval_us - now_us - window_us;
    if (wait_us > 0)
        return wait_us;
    *bucket = (struct bucket){key, full_at_us + interval_us};
    return 0;
}

static void bucket_give_back(enum kind kind, uint64_t key, int64_t now_us)
{
    struct bucket *bucket = bucket_find(key);
    if (bucket->key == key && bucket->full_at_us > now_us)
        bucket->full_at_us -= interval_of(kind);
}

Err login_limit_take(struct ctx *ctx, Str email, Str ip, int64_t now_us, struct login_try *ret)
{
    assert(now_us > 0);
    struct login_try try = {account_key(ctx, email), address_key(ctx, ip)};
    pthread_mutex_lock(&lock);
    int64_t wait_us = bucket_take(KIND_ADDRESS, try.address, now_us);
    if (wait_us == 0) {
        wait_us = bucket_take(KIND_ACCOUNT, try.account, now_us);
        if (wait_us > 0)
            bucket_give_back(KIND_ADDRESS, try.address, now_us);
    }
    pthread_mutex_unlock(&lock);
    *ret = try;
    if (wait_us == 0)
        return OK;
    int64_t wait_s = (wait_us + SECOND_US - 1) / SECOND_US;
    err_ignore(fail(ctx, ERR_RATE_LIMITED, "Too many failed logins, try again in %jd s.",
                    (intmax_t)wait_s),
               "noted below");
    return fail_note(ctx, "_retry_after", str_printf(ctx->arena, "%jd", (intmax_t)wait_s));
}

void login_limit_give_back(const struct login_try *try, int64_t now_us)
{
    pthread_mutex_lock(&lock);
    bucket_give_back(KIND_ADDRESS, try->address, now_us);
    bucket_give_back(KIND_ACCOUNT, try->account, now_us);
    pthread_mutex_unlock(&lock);
}
