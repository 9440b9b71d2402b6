#include "server/api/jobs/queue_counts.h"

#include "base/system/clock.h"
#include "base/system/range.h"
#include "content/schema/schema.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum { REACTORS_MAX = 64, SCOPES_MAX = 64, COST_FACTOR = 20 };
/* Slightly below the poll interval of a stream, so that a poll does not get an old result. */
enum { AGE_MIN_US = 900 * 1000 };

struct entry {
    Scope scope;
    int64_t epoch;
    int64_t due_us; /* 0: never counted */
    struct queue_counts_reply counts;
};

/* One per thread; accessed only by that thread. */
struct thread {
    bool is_made;
    struct gate counting;
    struct entry entries[SCOPES_MAX];
};

static struct thread threads[REACTORS_MAX];

static fiber_fn Err count(struct ctx *ctx, struct queue_counts_reply *ret);

static struct thread *thread_of(const struct ctx *ctx)
{
    assert(ctx->reactor->index < REACTORS_MAX);
    struct thread *thread = &threads[ctx->reactor->index];
    if (!thread->is_made)
        gate_init(&thread->counting, 1);
    thread->is_made = true;
    return thread;
}

static bool is_same_scope(Scope a, Scope b)
{
    return a.kind == b.kind && (a.kind != SCOPE_SITE || uuid_eq(a.site, b.site));
}

/* A recent count under the same rights, or NULL. */
static const struct entry *entry_fresh(const struct thread *thread, const struct ctx *ctx)
{
    for (uint32_t i = 0; i < SCOPES_MAX; i++) {
        const struct entry *entry = &thread->entries[i];
        if (is_same_scope(entry->scope, ctx->scope) && entry->epoch == ctx->epoch &&
            clock_now_us() < entry->due_us)
            return entry;
    }
    return NULL;
}

/* The entry of the scope, else the one that has been due for longest. */
static struct entry *entry_place(struct thread *thread, const struct ctx *ctx)
{
    struct entry *oldest = &thread->entries[0];
    for (uint32_t i = 0; i < SCOPES_MAX; i++) {
        struct entry *entry = &thread->entries[i];
        if (entry->due_us != 0 && is_same_scope(entry->scope, ctx->scope))
            return entry;
        if (entry->due_us < oldest->due_us)
            oldest = entry;
    }
    return oldest;
}

fiber_fn Err queue_counts_get(struct ctx *ctx, struct queue_counts_reply *ret)
{
    assert(ctx->scope.kind != SCOPE_NONE);
    struct thread *thread = thread_of(ctx);
    const struct entry *fresh = entry_fresh(thread, ctx);
    if (fresh == NULL) {
        struct gate *held SCOPED_GATE = NULL;
        TRY(gate_enter(ctx, &thread->counting));
        held = &thread->counting;
        fresh = entry_fresh(thread, ctx); /* another fiber may have counted meanwhile */
        if (fresh == NULL) {
            int64_t started_us = clock_now_us();
            struct queue_counts_reply counts;
            TRY(count(ctx, &counts));
            int64_t now_us = clock_now_us();
            int64_t rest_us = (now_us - started_us) * COST_FACTOR;
            struct entry *entry = entry_place(thread, ctx);
            *entry = (struct entry){ctx->scope, ctx->epoch, now_us + max_i64(rest_us, AGE_MIN_US),
                                    counts};
            fresh = entry;
        }
    }
    *ret = fresh->counts;
    return OK;
}

static DbArg site_arg(const struct ctx *ctx)
{
    return ctx->scope.kind == SCOPE_SITE ? db_uuid(ctx->scope.site) : db_null();
}

static fiber_fn Err count_articles(struct ctx *ctx, struct queue_counts_reply *counts)
{
    const struct schema *schema;
    TRY(schema_current(ctx, &schema));
    if (schema_find(schema, STR("generated_articles")) == NULL)
        return OK;
    struct rows rows;
    TRY(db_query(ctx, &SQL_QUEUE_ARTICLES, ARGS(site_arg(ctx)), &rows));
    counts->articles = row_int(&rows, 0, QUEUE_ARTICLES_ARTICLES);
    counts->has_articles = true;
    return OK;
}

/* The number of workers is visible to all users of the queue. */
static fiber_fn Err count_workers(struct ctx *ctx, int64_t *ret)
{
    SCOPED_CTX struct ctx machinery = ctx_as_machinery(ctx, "workers are no tenant's rows");
    struct rows rows;
    TRY(db_query_platform(reactor_platform(&machinery), &SQL_QUEUE_WORKERS, NO_ARGS, &rows));
    *ret = row_int(&rows, 0, QUEUE_WORKERS_WORKERS);
    return OK;
}

static fiber_fn Err count(struct ctx *ctx, struct queue_counts_reply *ret)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_QUEUE_JOBS, ARGS(site_arg(ctx)), &rows));
    struct queue_counts_reply counts = {
        .queued = row_int(&rows, 0, QUEUE_JOBS_QUEUED),
        .running = row_int(&rows, 0, QUEUE_JOBS_RUNNING),
        .done_last_hour = row_int(&rows, 0, QUEUE_JOBS_DONE_LAST_HOUR),
        .dead = row_int(&rows, 0, QUEUE_JOBS_DEAD),
        .rate = row_real(&rows, 0, QUEUE_JOBS_RATE),
    };
    TRY(count_articles(ctx, &counts));
    TRY(count_workers(ctx, &counts.workers));
    *ret = counts;
    return OK;
}

bool queue_counts_equal(const struct queue_counts_reply *a, const struct queue_counts_reply *b)
{
    return a->queued == b->queued && a->running == b->running &&
           a->done_last_hour == b->done_last_hour && a->dead == b->dead &&
           a->workers == b->workers && a->has_articles == b->has_articles &&
           a->articles == b->articles && (int64_t)(a->rate * 10) == (int64_t)(b->rate * 10);
}
