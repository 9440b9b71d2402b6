#include "access/limits/login_known.h"

#include "access/limits/ip_range.h"
#include "base/crypto/crypto.h"
#include "base/memory/array.h"
#include "base/settings/settings.h"
#include "base/system/clock.h"
#include "gen/embed.h"
#include "io/reactor/reactor.h"
#include "io/redis/redis.h"

#include <assert.h>
#include <pthread.h>

#define DAY_S INT64_C(86400)

enum { SETS = 1024, WAYS = 4, EMAIL_KEY_MAX = 320, KEPT_BYTES = 12 };
/* An unresponsive Redis must not delay a login: the minimum duration of a login is longer. */
enum { TIMEOUT_US = 250 * 1000 };

struct entry {
    uint64_t key; /* 0: free */
    int64_t until_us;
};

/* Shared by all threads and held for nanoseconds: a fiber never waits while holding it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry table[SETS][WAYS];

struct names {
    Str account; /* the key in Redis */
    Str address; /* its member */
    uint64_t both;
};

static Str hash_of(struct ctx *ctx, Str text)
{
    Sha256 hash = hmac_sha256(ctx->reactor->settings->secret, text);
    return hex_text(ctx->arena, hash.bytes, KEPT_BYTES);
}

static struct names names_of(struct ctx *ctx, Str email, Str ip)
{
    Str account = str_lower(ctx->arena, str_slice(email, 0, EMAIL_KEY_MAX));
    struct names names = {
        .account = str_printf(ctx->arena, "l:%.*s", STR_FMT(hash_of(ctx, account))),
        .address = hash_of(ctx, ip_owner(ctx->arena, ip)),
    };
    uint64_t both = str_hash(
        str_printf(ctx->arena, "%.*s %.*s", STR_FMT(names.account), STR_FMT(names.address)));
    names.both = both != 0 ? both : 1;
    return names;
}

static bool is_in_table(uint64_t key, int64_t now_us)
{
    assert(key != 0);
    bool is_known = false;
    pthread_mutex_lock(&lock);
    const struct entry *set = table[(key >> 16) % SETS];
    for (int i = 0; i < WAYS; i++)
        is_known = is_known || (set[i].key == key && set[i].until_us > now_us);
    pthread_mutex_unlock(&lock);
    return is_known;
}

/* A full set evicts the entry with the oldest login. */
static void put_in_table(uint64_t key, int64_t until_us)
{
    assert(key != 0);
    pthread_mutex_lock(&lock);
    struct entry *set = table[(key >> 16) % SETS];
    struct entry *place = &set[0];
    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            place = &set[i];
            break;
        }
        if (set[i].until_us < place->until_us)
            place = &set[i];
    }
    *place = (struct entry){key, until_us};
    pthread_mutex_unlock(&lock);
}

static int64_t known_us(const struct ctx *ctx)
{
    return ctx->reactor->settings->login_known_d * DAY_S * SECOND_US;
}

/* The set may outlive one of its members: a later login from another address extends its expiry. */
static fiber_fn bool is_in_redis(struct ctx *ctx, const struct names *names)
{
    SCOPED_DEADLINE struct fiber_deadline deadline = fiber_deadline_begin(ctx, TIMEOUT_US);
    struct redis_value reply;
    struct diag before = ctx->diag;
    Err err =
        REDIS_CALL(ctx, ctx->reactor->redis, &reply, STR("ZSCORE"), names->account, names->address);
    ctx->diag = before;
    double since_ms;
    int64_t oldest_ms = (clock_wall_us() - known_us(ctx)) / MS_US;
    return err == OK && reply.kind == REDIS_STR && str_to_double(reply.text, &since_ms) &&
           since_ms > (double)oldest_ms;
}

fiber_fn bool login_known_find(struct ctx *ctx, Str email, Str ip)
{
    struct names names = names_of(ctx, email, ip);
    return is_in_table(names.both, clock_now_us()) || is_in_redis(ctx, &names);
}

static Str script(void)
{
    Str source = STR_NONE;
    bool is_embedded = embed_find(STR("core/access/limits/login_known.lua"), &source);
    assert(is_embedded);
    return source;
}

void login_known_add(struct ctx *ctx, Str email, Str ip)
{
    struct names names = names_of(ctx, email, ip);
    put_in_table(names.both, clock_now_us() + known_us(ctx));
    Str kept = str_printf(ctx->arena, "%d", LOGIN_KNOWN_ADDRESSES);
    Str life_ms = str_printf(ctx->arena, "%jd", (intmax_t)(known_us(ctx) / MS_US));
    Str words[] = {STR("EVAL"), script(), STR("1"), names.account, names.address, kept, life_ms};
    (void)redis_send(ctx->reactor->redis, words, COUNT_OF(words));
}
