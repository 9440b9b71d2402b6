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
    if (spec->payload.len > JOB_PAYLOAD_MAX)
        return fail(ctx, ERR_TOO_LARGE, "A job's payload may have %d bytes, not %zu.",
                    JOB_PAYLOAD_MAX, spec->payload.len);
    return OK;
}

/* Who asked, for the lines that the job will write: handed on by a job to those it makes. A visitor
 * asks for nothing by name, and his address has no business in a queue. */
static void add_asker(const struct ctx *ctx, DbArg list[3])
{
    const struct actor *actor = audit_doer(ctx);
    bool is_known = actor != NULL && actor->kind != ACTOR_PUBLIC && actor->kind != ACTOR_MACHINERY;
    list[0] = is_known ? audit_user(ctx) : db_null();
    list[1] = is_known ? audit_actor(ctx) : db_null();
    list[2] = is_known ? audit_ip(ctx) : db_null();
}

/* The arguments of job_insert, in the arena. */
static struct db_args insert_args(struct ctx *ctx, const struct job_spec *spec)
{
    enum { COUNT = 11 };
    DbArg *list = arena_array(ctx->arena, DbArg, COUNT);
    list[0] = ctx->scope.kind == SCOPE_SITE ? db_uuid(ctx->scope.site) : db_null();
    list[1] = db_text(spec->kind);
    list[2] = db_text(spec->payload.len > 0 ? spec->payload : STR("{}"));
    list[3] = db_text_or_null(spec->dedup_key);
    list[4] = db_int4((int32_t)spec->priority);
    list[5] = db_real((double)spec->delay_us);
    list[6] = db_int4(spec->max_failures > 0 ? spec->max_failures : MAX_FAILURES_DEFAULT);
    list[7] = db_text_or_null(ctx->trace);
    add_asker(ctx, &list[8]);
    return (struct db_args){list, COUNT};
}

static int64_t inserted_id(const struct rows *rows)
{
    return rows->count == 1 ? row_int(rows, 0, JOB_INSERT_ID) : 0;
}

/* A job that is due later is pushed by the reconcile when its time has come. */
static void push_committed(struct ctx *ctx, void *arg)
{
    counter_inc(jobs_enqueued);
    fault_die(FAULT_enqueue_after_commit);
    if (fault_fires(FAULT_redis_push_fails))
        return;
    queue_push(ctx, arg, 1);
}

static struct queue_member *member_make(struct ctx *ctx, int64_t id)
{
    struct queue_member *member = arena_new(ctx->arena, struct queue_member);
    member->id = id;
    if (ctx->scope.kind == SCOPE_SITE)
        member->site = ctx->scope.site;
    return member;
}

fiber_fn Err job_enqueue(struct db_tx *tx, const struct job_spec *spec, int64_t *ret_id)
{
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
