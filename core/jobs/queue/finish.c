#include "base/json/json_writer.h"
#include "base/memory/array.h"
#include "base/system/clock.h"
#include "base/system/counters.h"
#include "base/system/fault.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "io/redis/redis.h"
#include "jobs/queue/job.h"
#include "jobs/queue/keys.h"

#include <assert.h>

enum { PROGRESS_INTERVAL_US = 100 * 1000, PROGRESS_TEXT_MAX = 128 };

/* Raised by spark.job_fence and by the statements that check the fencing token. */
const struct db_error_rule FENCE_ERROR = {"SPF01", ERR_FENCED, db_error_plain};

/* The parameters that every fenced statement begins with: id, attempt, worker and one text. */
static struct db_args fence_args(struct ctx *ctx, const struct job *job, Str text)
{
    assert(job->id > 0 && job->attempt > 0 && job->worker.len > 0);
    enum { COUNT = 4 };
    DbArg *list = arena_array(ctx->arena, DbArg, COUNT);
    list[0] = db_int(job->id);
    list[1] = db_int4(job->attempt);
    list[2] = db_text(job->worker);
    list[3] = text.len > 0 ? db_text(text) : db_null();
    return (struct db_args){list, COUNT};
}

static Err finished(struct job *job, Err err)
{
    assert(!job->is_finished);
    if (err == OK) {
        job->is_finished = true;
        counter_inc(jobs_done);
        fault_die(FAULT_finish_after_commit);
    } else if (err == ERR_FENCED) {
        counter_inc(jobs_fenced);
    }
    return err;
}

/* The fence is the first statement of the sync group: if it fails, the rest is rolled back. */
fiber_fn Err job_finish(struct ctx *ctx, struct job *job, struct db_batch *effects, Str result)
{
    assert(!job->is_finished);
    assert(effects == NULL || effects->count < DB_BATCH_MAX); /* the fence comes first */
    struct db_batch batch = {.lane = DB_SHARED};
    db_batch_add(&batch, &SQL_JOB_FINISH, fence_args(ctx, job, result), NULL);
    for (uint32_t i = 0; effects != NULL && i < effects->count; i++)
        db_batch_add(&batch, effects->commands[i].statement, effects->commands[i].args,
                     effects->commands[i].ret_rows);
    fault_die(FAULT_finish_before_commit);
    return finished(job, db_batch_run(ctx, &batch));
}

fiber_fn Err job_finish_begin(struct ctx *ctx, struct job *job, struct db_tx *tx)
{
    assert(!job->is_finished);
    assert(tx->connection == NULL);
    TRY(db_begin(ctx, tx));
    /* This locks the row; the result is written with the commit. */
    Err err = db_tx_query(tx, &SQL_JOB_FINISH, fence_args(ctx, job, STR_NONE), NULL);
    if (err == ERR_FENCED)
        counter_inc(jobs_fenced);
    return err;
}

fiber_fn Err job_finish_commit(struct job *job, struct db_tx *tx, Str result)
{
    assert(!job->is_finished && tx->connection != NULL);
    if (result.len > 0)
        TRY(db_tx_query(tx, &SQL_JOB_RESULT, ARGS(db_int(job->id), db_text(result)), NULL));
    fault_die(FAULT_finish_before_commit);
    return finished(job, db_commit(tx));
}

fiber_fn Err job_checkpoint(struct ctx *ctx, struct job *job, Str json)
{
    assert(!job->is_finished);
    struct db_batch batch = {.lane = DB_SHARED};
    db_batch_add(&batch, &SQL_JOB_CHECKPOINT, fence_args(ctx, job, json), NULL);
    return db_batch_run(ctx, &batch);
}

fiber_fn Err job_progress(struct ctx *ctx, struct job *job, int64_t done, int64_t total)
{
    TRY(fiber_breathe(ctx));
    TRY(fiber_check(ctx));
    int64_t now_us = clock_now_us();
    if (now_us - job->progress_us < PROGRESS_INTERVAL_US && done < total)
        return OK;
    job->progress_us = now_us;
    Str id = str_printf(ctx->arena, "%jd", (intmax_t)job->id);
    struct json_writer w = json_writer(buf_in_arena(ctx->arena, PROGRESS_TEXT_MAX));
    json_object_begin(&w);
    json_field_int(&w, "done", done);
    json_field_int(&w, "total", total);
    json_object_end(&w);
    assert(!w.out->is_full);
    const Str words[] = {STR("HSET"), STR(KEY_QUEUE_PROGRESS), id, buf_str(w.out)};
    (void)redis_send(ctx->reactor->redis, words, COUNT_OF(words));
    return OK;
}
