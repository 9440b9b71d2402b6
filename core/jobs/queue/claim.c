#include "jobs/queue/claim.h"

#include "access/audit/audit.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/fault.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum { REDIS_ANSWER_US = 2 * 1000 * 1000, REASON_MAX = 2000 };

/* Only identifies the actor for the audit log: it carries no grants. */
static const struct actor *asker_read(struct ctx *ctx, const struct rows *rows, uint32_t row)
{
    if (row_is_null(rows, row, JOB_CLAIM_ASKED_ACTOR))
        return NULL;
    struct actor *actor = arena_new(ctx->arena, struct actor);
    actor->kind = audit_actor_kind(row_text(rows, row, JOB_CLAIM_ASKED_ACTOR));
    actor->user = row_uuid(rows, row, JOB_CLAIM_ASKED_USER);
    actor->ip = str_dup(ctx->arena, row_text(rows, row, JOB_CLAIM_ASKED_IP));
    return actor;
}

/* Both claim statements return the same columns. */
static void claimed_read(struct ctx *ctx, const struct rows *rows, uint32_t row, Str worker,
                         struct claimed *ret)
{
    Uuid site = row_uuid(rows, row, JOB_CLAIM_SITE_ID);
    bool has_site = !row_is_null(rows, row, JOB_CLAIM_SITE_ID);
    *ret = (struct claimed){
        .job =
            {
                .id = row_int(rows, row, JOB_CLAIM_ID),
                .attempt = (int32_t)row_int(rows, row, JOB_CLAIM_ATTEMPT),
                .failures = (int32_t)row_int(rows, row, JOB_CLAIM_FAILURES),
                .kind = str_dup(ctx->arena, row_text(rows, row, JOB_CLAIM_KIND)),
                .scope = {.kind = has_site ? SCOPE_SITE : SCOPE_PLATFORM, .site = site},
                .payload_text = row_json(rows, row, JOB_CLAIM_PAYLOAD),
                .checkpoint = row_json(rows, row, JOB_CLAIM_CHECKPOINT),
                .worker = worker,
                .asked_by = asker_read(ctx, rows, row),
            },
        .is_quarantined = row_bool(rows, row, JOB_CLAIM_IS_QUARANTINED),
    };
    assert(ret->job.id > 0 && ret->job.attempt > 0);
}

static void claimed_read_all(struct ctx *ctx, const struct rows *rows, Str worker,
                             struct claims *ret)
{
    assert(rows->count <= CLAIM_MAX);
    for (uint32_t i = 0; i < rows->count; i++)
        claimed_read(ctx, rows, i, worker, &ret->jobs[i]);
    ret->count = rows->count;
    counter_add(COUNTER_jobs_claimed, rows->count);
    if (rows->count > 0)
        fault_die(FAULT_worker_after_claim);
}

static fiber_fn Err claim_rows(struct platform platform, const struct statement *statement,
                               struct db_args args, struct rows *ret_rows)
{
    struct db_batch batch = {.lane = DB_WRITE};
    db_batch_add(&batch, &SQL_JOB_CLAIM_RELAXED, NO_ARGS, NULL);
    db_batch_add(&batch, statement, args, ret_rows);
    return db_batch_run_platform(platform, &batch);
}

static bool is_among(const struct claims *claims, int64_t id)
{
    for (uint32_t i = 0; i < claims->count; i++)
        if (claims->jobs[i].job.id == id)
            return true;
    return false;
}

/* Drops the members that PostgreSQL did not claim: they are already claimed, cancelled, expired or
 * not yet due. If one becomes due later, the reconciliation pushes it again. */
static void forget_others(struct ctx *ctx, Str worker, const struct queue_member *members,
                          uint32_t member_count, const struct claims *claims)
{
    assert(member_count <= CLAIM_MAX && claims->count <= member_count);
    if (member_count == claims->count)
        return;
    struct queue_member others[CLAIM_MAX];
    uint32_t other_count = 0;
    for (uint32_t i = 0; i < member_count; i++)
        if (!is_among(claims, members[i].id))
            others[other_count++] = members[i];
    if (other_count > 0)
        queue_done(ctx, worker, others, other_count);
}

static fiber_fn Err claim_members(struct platform platform, Str worker,
                                  const struct queue_member *members, uint32_t member_count,
                                  struct claims *ret)
{
    assert(member_count > 0 && member_count <= CLAIM_MAX);
    struct ctx *ctx = platform.ctx;
    int64_t ids[CLAIM_MAX];
    for (uint32_t i = 0; i < member_count; i++)
        ids[i] = members[i].id;
    struct rows rows;
    TRY(claim_rows(platform, &SQL_JOB_CLAIM,
                   ARGS(db_int_array(ctx->arena, ids, member_count), db_text(worker)), &rows));
    claimed_read_all(ctx, &rows, worker, ret);
    forget_others(ctx, worker, members, member_count, ret);
    return OK;
}

/* A Redis that does not answer in time counts as unavailable. */
static fiber_fn Err ask_redis(struct ctx *ctx, Str worker, struct claim_room room,
                              struct queue_member *members, uint32_t *ret_count,
                              bool *ret_held_back)
{
    SCOPED_DEADLINE struct fiber_deadline deadline = fiber_deadline_begin(ctx, REDIS_ANSWER_US);
    return queue_claim(ctx, worker, room, members, ret_count, ret_held_back);
}

fiber_fn Err jobs_claim(struct platform platform, Str worker, struct claim_room room,
                        struct claims *ret)
{
    assert(room.most > 0 && room.most <= CLAIM_MAX && room.most <= room.slots);
    struct ctx *ctx = platform.ctx;
    struct queue_member *members = arena_array(ctx->arena, struct queue_member, room.most);
    uint32_t member_count = 0;
    ret->count = 0;
    ret->is_held_back = false;
    Err err = ask_redis(ctx, worker, room, members, &member_count, &ret->is_held_back);
    if (err == ERR_CANCELLED)
        return err;
    if (err != OK) {
        if (err == ERR_INTERNAL)
            queue_reload(ctx->reactor->redis);
        diag_clear(ctx);
        return jobs_claim_polling(platform, worker, room, ret);
    }
    if (member_count == 0)
        return OK;
    assert(member_count <= room.most);
    err = claim_members(platform, worker, members, member_count, ret);
    if (err != OK && err != ERR_CANCELLED)
        err_ignore(queue_return(ctx, worker, members, member_count), "the next audit returns them");
    return err;
}

fiber_fn Err jobs_claim_polling(struct platform platform, Str worker, struct claim_room room,
                                struct claims *ret)
{
    assert(room.most > 0 && room.most <= CLAIM_MAX && room.most <= room.slots);
    struct rows rows;
    ret->count = 0;
    ret->is_held_back = false;
    TRY(claim_rows(platform, &SQL_JOB_CLAIM_POLLING,
                   ARGS(db_int(room.most), db_text(worker), db_int(room.slots)), &rows));
    claimed_read_all(platform.ctx, &rows, worker, ret);
    return OK;
}

/* Text that PostgreSQL accepts: valid UTF-8 without NUL. */
static Str storable(Str reason, const struct err_info *info)
{
    if (!str_is_utf8(reason) || str_find_char(reason, '\0') >= 0)
        return str_from_z(info->name);
    return str_cut(reason, REASON_MAX);
}

fiber_fn Err job_fail(struct ctx *ctx, const struct job *job, Err why, Str reason,
                      bool *ret_is_dead_letter)
{
    assert(why != OK && !job->is_finished);
    const struct err_info *info = err_info(why);
    struct rows rows;
    struct db_batch batch = {.lane = DB_SHARED};
    db_batch_add(
        &batch, &SQL_JOB_FAIL,
        job_fail_args(ctx->arena,
                      &(struct job_fail_args){
                          .id = job->id,
                          .attempt = job->attempt,
                          .worker = job->worker,
                          .is_final = info->retry == RETRY_NEVER,
                          .retry_base_ms = (double)ctx->reactor->settings->job_retry_base_ms,
                          .error_class = str_from_z(info->name),
                          .error = storable(reason, info),
                          .retry_after_s = (double)job->retry_after_us / (double)SECOND_US,
                      }),
        &rows);
    TRY(db_batch_run(ctx, &batch));
    assert(rows.count <= 1);
    if (rows.count == 0)
        return ERR_FENCED;
    *ret_is_dead_letter = str_eq(row_text(&rows, 0, JOB_FAIL_STATE), STR("dead"));
    if (*ret_is_dead_letter)
        counter_inc(jobs_dead);
    else
        counter_inc(jobs_retried);
    return OK;
}

fiber_fn Err job_postpone(struct ctx *ctx, const struct job *job, int64_t wait_us, Str reason)
{
    assert(wait_us > 0 && !job->is_finished);
    struct rows rows;
    struct db_batch batch = {.lane = DB_SHARED};
    db_batch_add(&batch, &SQL_JOB_POSTPONE,
                 ARGS(db_int(job->id), db_int4(job->attempt), db_text(job->worker),
                      db_real((double)wait_us / (double)SECOND_US),
                      db_text(str_cut(reason, REASON_MAX))),
                 &rows);
    TRY(db_batch_run(ctx, &batch));
    assert(rows.count <= 1);
    return rows.count == 1 ? OK : ERR_FENCED;
}

fiber_fn Err jobs_hand_back(struct platform platform, Str worker, const int64_t *kept,
                            uint32_t kept_count, uint32_t *ret_count)
{
    assert(kept_count == 0 || kept != NULL);
    struct ctx *ctx = platform.ctx;
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_JOBS_HAND_BACK,
                          ARGS(db_text(worker), db_int_array(ctx->arena, kept, kept_count)),
                          &rows));
    *ret_count = rows.count;
    return OK;
}

/* Moves the members that are not in `kept` to the front and returns how many they are. */
static uint32_t members_not_kept(struct queue_member *members, uint32_t count, const int64_t *kept,
                                 uint32_t kept_count)
{
    uint32_t others = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = 0;
        while (k < kept_count && kept[k] != members[i].id)
            k++;
        if (k == kept_count)
            members[others++] = members[i];
        assert(others <= i + 1);
    }
    return others;
}

fiber_fn Err queue_audit(struct ctx *ctx, Str worker, const int64_t *kept, uint32_t kept_count,
                         uint32_t *ret_count)
{
    struct queue_member *members = arena_array(ctx->arena, struct queue_member, QUEUE_CALL_MAX);
    uint32_t count;
    *ret_count = 0;
    TRY(queue_held(ctx, worker, QUEUE_CALL_MAX, members, &count));
    assert(count <= QUEUE_CALL_MAX);
    count = members_not_kept(members, count, kept, kept_count);
    if (count == 0)
        return OK;
    *ret_count = count;
    return queue_return(ctx, worker, members, count);
}

fiber_fn Err worker_suspects(struct platform platform, Str worker, int64_t job)
{
    assert(worker.len > 0);
    return db_query_platform(platform, &SQL_WORKER_SUSPECTS,
                             ARGS(db_text(worker), job != 0 ? db_int(job) : db_null()), NULL);
}
