#include "access/audit/audit.h"
#include "base/system/counters.h"
#include "base/system/fault.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "jobs/queue/job.h"
#include "jobs/queue/queue.h"

#include <assert.h>

enum { MAX_FAILURES_DEFAULT = 3 };

static Err spec_check(struct ctx *ctx, const struct job_spec *spec)
{
    assert(spec->kind.len > 0 && spec->kind.len <= JOB_KIND_MAX);
    assert(spec->dedup_key.len <= JOB_DEDUP_KEY_MAX);
    assert(spec->delay_us >= 0 && spec->max_failures >= 0);
    if (spec->payload.len > JOB_PAYLOAD_MAX)
        return fail(ctx, ERR_TOO_LARGE, "A job's payload may have at most %d bytes, not %zu.",
                    JOB_PAYLOAD_MAX, spec->payload.len);
    return OK;
}

/* Whether to store the actor with the job, for the audit log. A job passes its actor on to the jobs
 * that it enqueues. Visitors are not stored: they have no name, and their IP address must not be in
 * the queue. */
static bool has_asker(const struct ctx *ctx)
{
    const struct actor *actor = audit_doer(ctx);
    return actor != NULL && actor->kind != ACTOR_PUBLIC && actor->kind != ACTOR_MACHINERY;
}

static struct db_args insert_args(struct ctx *ctx, const struct job_spec *spec)
{
    bool is_asked = has_asker(ctx);
    struct job_insert_args args = {
        .site = ctx->scope.kind == SCOPE_SITE ? db_uuid(ctx->scope.site) : db_null(),
        .kind = spec->kind,
        .payload = spec->payload.len > 0 ? spec->payload : STR("{}"),
        .dedup_key = spec->dedup_key,
        .priority = (int32_t)spec->priority,
        .delay_us = (double)spec->delay_us,
        .max_failures = spec->max_failures > 0 ? spec->max_failures : MAX_FAILURES_DEFAULT,
        .trace = ctx->trace,
        .asked_user = is_asked ? audit_user(ctx) : db_null(),
        .asked_actor = is_asked ? audit_actor(ctx) : db_null(),
        .asked_ip = is_asked ? audit_ip(ctx) : db_null(),
    };
    return job_insert_args(ctx->arena, &args);
}

static int64_t inserted_id(const struct rows *rows)
{
    assert(rows->count <= 1);
    return rows->count == 1 ? row_int(rows, 0, JOB_INSERT_ID) : 0;
}

/* Pushes jobs that are due now; the reconciliation pushes later ones when they are due. */
static void push_committed(struct ctx *ctx, void *arg)
{
    assert(arg != NULL);
    counter_inc(jobs_enqueued);
    fault_die(FAULT_enqueue_after_commit);
    if (fault_fires(FAULT_redis_push_fails))
        return;
    queue_push(ctx, arg, 1);
}

static struct queue_member *member_make(struct ctx *ctx, int64_t id)
{
    assert(id > 0);
    struct queue_member *member = arena_new(ctx->arena, struct queue_member);
    member->id = id;
    if (ctx->scope.kind == SCOPE_SITE)
        member->site = ctx->scope.site;
    return member;
}

fiber_fn Err job_enqueue(struct db_tx *tx, const struct job_spec *spec, int64_t *ret_id)
{
    assert(tx->connection != NULL);
    struct ctx *ctx = tx->ctx;
    TRY(spec_check(ctx, spec));
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_JOB_INSERT, insert_args(ctx, spec), &rows));
    int64_t id = inserted_id(&rows);
    if (id != 0 && spec->delay_us == 0)
        db_after_commit(tx, push_committed, member_make(ctx, id));
    fault_die(FAULT_enqueue_before_commit);
    *ret_id = id;
    return OK;
}

fiber_fn Err job_enqueue_now(struct ctx *ctx, const struct job_spec *spec, int64_t *ret_id)
{
    TRY(spec_check(ctx, spec));
    struct rows rows;
    fault_die(FAULT_enqueue_before_commit);
    TRY(db_query(ctx, &SQL_JOB_INSERT, insert_args(ctx, spec), &rows));
    int64_t id = inserted_id(&rows);
    if (id != 0 && spec->delay_us == 0)
        push_committed(ctx, member_make(ctx, id));
    *ret_id = id;
    return OK;
}
