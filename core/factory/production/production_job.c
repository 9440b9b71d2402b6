/* Slots that workers make into articles: handed out, and worked on. */
#include "factory/production/production_internal.h"
#include "gen/sql.h"

/* Queueing */

struct production_payload {
    Uuid queue_id;
};
static const struct job_field PRODUCTION_FIELDS[] = {
    JOB_UUID(struct production_payload, queue_id, JOB_REQUIRED),
};
const struct job_kind JOB_PROCESS_QUEUE =
    JOB_KIND("process-queue", production_run, JOB_OF_SITE, 300, JOB_NORMAL,
             "Generates the articles of the slots that a production schedule has assigned to it.",
             JOB_PAYLOAD(struct production_payload, PRODUCTION_FIELDS));

fiber_fn Err production_hand_out(struct db_tx *tx, Uuid queue, uint32_t slots,
                                 enum job_priority priority, uint32_t *ret_jobs)
{
    struct job_spec spec;
    TRY(job_spec_make(tx->ctx, &JOB_PROCESS_QUEUE, &(struct production_payload){queue}, &spec));
    spec.priority = priority;
    uint32_t jobs = 0;
    for (uint32_t given = 0; given < slots; given += ARTICLE_BATCH_MAX) {
        uint32_t left = slots - given;
        int64_t job;
        TRY(job_enqueue(tx, &spec, &job));
        TRY(production_claim(tx, queue, job, left < ARTICLE_BATCH_MAX ? left : ARTICLE_BATCH_MAX));
        jobs++;
    }
    *ret_jobs = jobs;
    return OK;
}

/* The job */

static fiber_fn Err release(struct db_tx *tx, Uuid queue, int64_t job)
{
    return db_tx_query(tx, &SQL_SLOTS_RELEASE,
                       ARGS(db_uuid(tx->ctx->scope.site), db_uuid(queue), db_int(job)), NULL);
}

/* The fence first, the queue's own row last: its jobs wait for it no longer than a commit takes. */
static fiber_fn Err run_turn(struct ctx *ctx, struct job *job, struct production_turn *turn,
                             bool is_running)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(job_finish_begin(ctx, job, &tx));
    if (is_running)
        TRY(production_turn_run(&tx, turn));
    else
        TRY(release(&tx, turn->queue, job->id));
    TRY(job_finish_commit(job, &tx, STR_NONE));
    if (is_running)
        production_turn_committed(ctx, turn);
    return OK;
}

fiber_fn Err production_run(struct ctx *ctx, struct job *job)
{
    struct production_turn *turn = arena_new(ctx->arena, struct production_turn);
    turn->job = job->id;
    struct production_payload payload;
    TRY(job_payload_read(ctx, &JOB_PROCESS_QUEUE, job, &payload));
    turn->queue = payload.queue_id;
    struct production_state state;
    TRY(production_find(ctx, turn->queue, &state));
    TRY(article_plan_get(ctx, state.campaign, &turn->batch.plan));
    return run_turn(ctx, job, turn, str_eq(state.status, STR("running")));
}
