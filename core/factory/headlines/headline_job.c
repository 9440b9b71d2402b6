/* Headlines by a worker: in steps, each of which moves the cursor and what an editor sees. */
#include "base/json/json_writer.h"
#include "factory/headlines/headline_write.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>
#include <inttypes.h>

enum { STEP = 20000 };

/* Queueing ---------------------------------------------------------------------------------------
 */

static Err payload_of(struct ctx *ctx, const struct campaign *campaign,
                      const struct headline_run *run, uint64_t offset, Uuid batch, Str *ret)
{
    struct buf *out = buf_in_arena(ctx->arena, JOB_PAYLOAD_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_uuid(&w, "job_id", batch);
    json_field_uuid(&w, "campaign_id", campaign->id);
    json_field_int(&w, "offset", (int64_t)offset);
    json_field_int(&w, "limit", (int64_t)run->max);
    if (run->spintax_root.len > 0)
        json_field_str(&w, "spintax_root", run->spintax_root);
    json_key(&w, STR("patterns"));
    json_array_begin(&w);
    for (uint32_t i = 0; i < run->pattern_count; i++)
        json_put_str(&w, run->patterns[i]);
    json_array_end(&w);
    json_object_end(&w);
    *ret = buf_str(out);
    return buf_check(ctx, out, "job");
}

fiber_fn Err headlines_queue(struct ctx *ctx, const struct campaign *campaign,
                             const struct headline_run *run, Uuid *ret_batch)
{
    struct headline_space space; /* what cannot be run is refused now and not by a worker */
    TRY(headline_space_open(ctx, campaign, run, &space));
    uint64_t offset =
        run->has_offset ? run->offset : (space.is_of_campaign ? campaign->headline_cursor : 0);
    if (offset > space.total)
        offset = space.total;
    uint64_t left = space.total - offset;
    struct headline_run bounded = *run;
    bounded.max = left < run->max ? left : run->max;

    Uuid batch = uuid_make();
    struct job_spec spec = {.kind = STR(HEADLINES_KIND), .priority = JOB_NORMAL};
    TRY(payload_of(ctx, campaign, &bounded, offset, batch, &spec.payload));
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(db_tx_query(&tx, &SQL_HEADLINE_BATCH_CREATE,
                    ARGS(db_uuid(ctx->scope.site), db_uuid(batch), db_uuid(campaign->id),
                         db_uuid(campaign->owner), db_int4((int32_t)bounded.max)),
                    NULL));
    int64_t job;
    TRY(job_enqueue(&tx, &spec, &job));
    TRY(db_commit(&tx));
    *ret_batch = batch;
    return OK;
}

/* The job ----------------------------------------------------------------------------------------
 */

struct payload {
    Uuid batch;
    Uuid campaign;
    int64_t offset;
    int64_t limit;
    struct headline_run run;
};

static Err payload_read(struct ctx *ctx, const struct job *job, struct payload *ret)
{
    *ret = (struct payload){.limit = HEADLINES_RUN_DEFAULT};
    TRY(json_take_uuid(ctx, job->payload, "job_id", &ret->batch));
    TRY(json_take_uuid(ctx, job->payload, "campaign_id", &ret->campaign));
    TRY(json_take_int(ctx, job->payload, "offset", 0, INT64_MAX, &ret->offset));
    TRY(json_take_int(ctx, job->payload, "limit", 0, HEADLINES_RUN_MAX, &ret->limit));
    TRY(json_take_str(ctx, job->payload, "spintax_root", SPIN_TEMPLATE_MAX,
                      &ret->run.spintax_root));
    if (uuid_is_nil(ret->campaign))
        return fail(ctx, ERR_INVALID_PAYLOAD, "The job names no campaign_id");
    const struct json *patterns = json_get(job->payload, STR("patterns"));
    Str *keys = arena_array(ctx->arena, Str, HEADLINE_PATTERNS_MAX);
    for (uint32_t i = 0; i < json_len(patterns) && i < HEADLINE_PATTERNS_MAX; i++)
        if (json_kind(json_at(patterns, i)) == JSON_STRING)
            keys[ret->run.pattern_count++] = json_str(json_at(patterns, i));
    ret->run.patterns = keys;
    return OK;
}

/* Where an earlier attempt stopped; the numbers before are stored. */
static uint64_t resume_at(struct ctx *ctx, const struct job *job, uint64_t start)
{
    const struct json *json;
    int64_t next = 0;
    if (job->checkpoint.len == 0 ||
        json_parse(ctx, job->checkpoint, JSON_LIMITS_DEFAULT, &json) != OK ||
        json_take_int(ctx, json, "next", 0, INT64_MAX, &next) != OK)
        return start;
    return (uint64_t)next > start ? (uint64_t)next : start;
}

struct work {
    struct job *job;
    struct payload payload;
    struct headline_space space;
    struct headline_result result;
};

static fiber_fn Err step(struct ctx *ctx, struct work *work, uint64_t to)
{
    ArenaMark mark = arena_mark(ctx->arena);
    struct headline_range range = {.from = work->result.next_offset, .to = to, .page = STR_NONE};
    TRY(headline_range_write(ctx, &work->space, &range));
    if (range.done_until == range.from)
        return fail_plain(ctx, ERR_TIMEOUT);
    work->result.inserted += range.inserted;
    work->result.processed += range.done_until - range.from;
    work->result.next_offset = range.done_until;
    uint64_t done = range.done_until - work->result.offset;
    TRY(headline_cursor_move(ctx, &work->space, range.done_until));
    TRY(db_query(
        ctx, &SQL_HEADLINE_BATCH_ADVANCE,
        ARGS(db_uuid(ctx->scope.site), db_uuid(work->payload.batch), db_int4((int32_t)done)),
        NULL));
    TRY(job_checkpoint(ctx, work->job,
                       str_printf(ctx->arena, "{\"next\":%" PRIu64 "}", range.done_until)));
    TRY(job_progress(ctx, work->job, (int64_t)done, work->payload.limit));
    arena_rewind(ctx->arena, mark);
    return OK;
}

static fiber_fn Err finish(struct ctx *ctx, struct work *work)
{
    const struct headline_result *result = &work->result;
    Str answer = str_printf(ctx->arena,
                            "{\"processed\":%" PRIu64 ",\"inserted\":%" PRIu64
                            ",\"next_offset\":%" PRIu64 "}",
                            result->processed, result->inserted, result->next_offset);
    SCOPED_TX struct db_tx tx = {0};
    TRY(job_finish_begin(ctx, work->job, &tx));
    TRY(db_tx_query(&tx, &SQL_HEADLINE_BATCH_END,
                    ARGS(db_uuid(ctx->scope.site), db_uuid(work->payload.batch),
                         db_int4((int32_t)(result->next_offset - result->offset))),
                    NULL));
    TRY(job_finish_commit(work->job, &tx, answer));
    if (result->inserted == 0)
        return OK;
    err_ignore(headline_log(ctx, work->space.campaign, result), "the headlines are stored");
    err_ignore(db_query(ctx, &SQL_STATISTICS_REFRESH, NO_ARGS, NULL),
               "statistics help whoever comes next; the headlines are stored");
    return OK;
}

fiber_fn Err headlines_job_run(struct ctx *ctx, struct job *job)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    struct work *work = arena_new(ctx->arena, struct work);
    work->job = job;
    TRY(payload_read(ctx, job, &work->payload));
    job->resumes = true; /* from the checkpoint of its last step */
    struct campaign campaign;
    TRY(campaign_find(ctx, work->payload.campaign, &campaign));
    TRY(headline_space_open(ctx, &campaign, &work->payload.run, &work->space));
    uint64_t start = (uint64_t)work->payload.offset;
    uint64_t end = start + (uint64_t)work->payload.limit;
    if (end > work->space.total)
        end = work->space.total;
    work->result.offset = start < end ? start : end;
    work->result.next_offset = resume_at(ctx, job, work->result.offset);
    while (work->result.next_offset < end) {
        uint64_t left = end - work->result.next_offset;
        TRY(step(ctx, work, work->result.next_offset + (left < STEP ? left : STEP)));
    }
    return finish(ctx, work);
}
