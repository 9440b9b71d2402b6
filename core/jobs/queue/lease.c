#include "jobs/queue/lease.h"

#include "base/crypto/crypto.h"
#include "base/system/clock.h"
#include "base/system/range.h"
#include "base/system/version.h"
#include "gen/sql.h"
#include "io/fiber/loop.h"
#include "io/fiber/offload.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"
#include "io/setup/setup.h"
#include "jobs/queue/overrun.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct lease {
    struct settings settings; /* reduced pool: this thread needs one connection */
    char incarnation[INCARNATION_MAX];
    char host[64];
    pthread_t thread;
    struct offload *offload;
    struct reactor *reactor;
    struct arena *arena;             /* reset every heartbeat */
    uint32_t fibers;                 /* fibers of the thread that have not ended */
    _Atomic int64_t renewed_boot_us; /* start of the last confirmed renewal; 0: none */
    _Atomic uint32_t running;
    _Atomic bool is_draining;
    _Atomic bool must_stop;
    _Atomic bool has_failed; /* the row is gone: this incarnation is dead */
};

enum {
    BEATS_PER_LEASE = 3,
    SLICE_US = 100 * 1000,     /* how quickly a waiting thread notices a stop */
    REGISTER_US = 1000 * 1000, /* timeout of one attempt */
    AGAIN_US = 200 * 1000,     /* pause after a failed heartbeat */
    LEAVE_US = 1000 * 1000,
};

static int64_t lease_us(const struct lease *lease)
{
    assert(lease->settings.worker_lease_s > 0);
    return lease->settings.worker_lease_s * SECOND_US;
}

/* host:pid:start:random, unique for every start. */
static void incarnation_make(struct ctx *ctx, struct lease *lease)
{
    if (gethostname(lease->host, sizeof lease->host - 1) != 0)
        memcpy(lease->host, "localhost", sizeof "localhost");
    Str text =
        str_printf(ctx->arena, "%s:%d:%jd:%.*s", lease->host, (int)getpid(),
                   (intmax_t)(clock_wall_us() / SECOND_US), STR_FMT(random_token(ctx->arena, 8)));
    assert(text.len < sizeof lease->incarnation);
    memcpy(lease->incarnation, text.data, text.len);
}

static fiber_fn Err lease_register(struct ctx *ctx, struct lease *lease)
{
    TRY(db_wait_ready(ctx, ctx->reactor->db));
    return db_query_platform(reactor_platform(ctx), &SQL_WORKER_REGISTER,
                             ARGS(db_text(lease_incarnation(lease)),
                                  db_text(str_from_z(lease->host)), db_int4((int32_t)getpid()),
                                  db_text(STR(SPARK_VERSION)),
                                  db_real((double)lease->settings.worker_lease_s),
                                  db_int4((int32_t)lease->settings.worker_concurrency)),
                             NULL);
}

/* Its timeout is a third of the lease, so that another attempt fits in before the lease expires. */
static fiber_fn bool beat(struct lease *lease, struct ctx *ctx)
{
    int64_t asked_us = clock_boot_us();
    struct rows rows;
    Err err = db_query_platform(reactor_platform(ctx), &SQL_WORKER_BEAT,
                                ARGS(db_text(lease_incarnation(lease)),
                                     db_real((double)lease->settings.worker_lease_s),
                                     db_int4((int32_t)atomic_load(&lease->running)),
                                     db_bool(atomic_load(&lease->is_draining))),
                                &rows);
    if (err != OK)
        return false;
    assert(rows.count <= 1);
    if (rows.count == 1)
        atomic_store(&lease->renewed_boot_us, asked_us);
    else
        atomic_store(&lease->has_failed, true);
    return true;
}

static fiber_fn void rest(struct lease *lease, int64_t duration_us)
{
    int64_t until_us = clock_now_us() + duration_us;
    struct ctx ctx = {.arena = lease->arena};
    while (!atomic_load(&lease->must_stop) && clock_now_us() < until_us)
        err_ignore(fiber_sleep(&ctx, SLICE_US), "the heartbeat is never cancelled");
}

static fiber_fn void heartbeat_turn(struct lease *lease)
{
    arena_reset(lease->arena);
    if (atomic_load(&lease->renewed_boot_us) != 0) {
        struct ctx ctx =
            reactor_ctx(lease->reactor, lease->arena, lease_us(lease) / BEATS_PER_LEASE);
        rest(lease, beat(lease, &ctx) ? lease_us(lease) / BEATS_PER_LEASE : AGAIN_US);
        return;
    }
    struct ctx ctx = reactor_ctx(lease->reactor, lease->arena, REGISTER_US);
    int64_t asked_us = clock_boot_us();
    if (lease_register(&ctx, lease) == OK)
        atomic_store(&lease->renewed_boot_us, asked_us);
    else
        rest(lease, AGAIN_US);
}

static fiber_fn void leave(struct lease *lease)
{
    arena_reset(lease->arena);
    if (atomic_load(&lease->renewed_boot_us) == 0)
        return;
    struct ctx ctx = reactor_ctx(lease->reactor, lease->arena, LEAVE_US);
    err_ignore(db_query_platform(reactor_platform(&ctx), &SQL_WORKER_LEAVE,
                                 ARGS(db_text(lease_incarnation(lease))), NULL),
               "the steward reaps the expired worker");
}

static void fiber_ended(struct lease *lease)
{
    assert(lease->fibers > 0);
    if (--lease->fibers == 0)
        loop_stop(lease->reactor->loop);
}

static void heartbeat_run(void *arg)
{
    struct lease *lease = arg;
    assert(lease->arena == NULL);
    lease->arena = arena_create();
    while (!atomic_load(&lease->must_stop))
        heartbeat_turn(lease);
    leave(lease);
    arena_destroy(lease->arena);
    fiber_ended(lease);
}

static void watch_run(void *arg)
{
    struct lease *lease = arg;
    overrun_watch(lease->reactor, lease_incarnation(lease), &lease->must_stop);
    fiber_ended(lease);
}

static void *thread_run(void *arg)
{
    struct lease *lease = arg;
    assert(lease->reactor == NULL);
    lease->reactor = reactor_new(&lease->settings, lease->offload, 1, "spark-heartbeat");
    lease->fibers = 2;
    fiber_spawn(lease->reactor->loop, "heartbeat", heartbeat_run, lease);
    fiber_spawn(lease->reactor->loop, "watch", watch_run, lease);
    loop_run(lease->reactor->loop);
    reactor_free(lease->reactor);
    return NULL;
}

struct lease *lease_start(struct ctx *ctx, const struct settings *settings)
{
    struct lease *lease = calloc(1, sizeof *lease);
    assert(lease != NULL);
    lease->settings = *settings;
    lease->settings.database_read_lanes = 1;
    lease->settings.database_write_lanes = 1;
    lease->settings.database_exclusive_lanes = 1;
    lease->offload = offload_new(1, 16);
    incarnation_make(ctx, lease);

    /* The main thread handles signals; they stop its loop. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&lease->thread, NULL, thread_run, lease);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert(error == 0);
    return lease;
}

Str lease_incarnation(const struct lease *lease)
{
    assert(lease->incarnation[0] != '\0');
    return str_from_z(lease->incarnation);
}

bool lease_is_held(const struct lease *lease)
{
    int64_t margin_us = min_i64(lease_us(lease) / 3, 5 * SECOND_US);
    int64_t renewed_us = atomic_load(&lease->renewed_boot_us);
    return !atomic_load(&lease->has_failed) && renewed_us > 0 &&
           clock_boot_us() < renewed_us + lease_us(lease) - margin_us;
}

bool lease_has_failed(const struct lease *lease)
{
    return atomic_load(&lease->has_failed);
}

void lease_report(struct lease *lease, uint32_t running, bool is_draining)
{
    atomic_store(&lease->running, running);
    atomic_store(&lease->is_draining, is_draining);
}

void lease_stop(struct lease *lease)
{
    if (lease == NULL)
        return;
    atomic_store(&lease->must_stop, true);
    pthread_join(lease->thread, NULL);
    offload_free(lease->offload);
    free(lease);
}
