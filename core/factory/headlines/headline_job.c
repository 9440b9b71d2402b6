/* Generates headlines in a job, in steps; each step moves the cursor and updates the progress of
 * the batch. */
#include "base/json/json_writer.h"
#include "base/system/range.h"
#include "factory/headlines/headline_write.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>
#include <inttypes.h>

enum { STEP = 20000 };

/* Enqueueing */

struct headlines_payload {
    Uuid job_id; /* the id of the batch */
    Uuid campaign_id;
    int64_t offset;
    int64_t limit;
    Str spintax_root; /* empty: the campaign's own */
    const Str *patterns;
    uint32_t patterns_count;
};
static const struct job_field HEADLINES_FIELDS[] = {
    JOB_UUID(struct headlines_payload, job_id, JOB_OPTIONAL),
    JOB_UUID(struct headlines_payload, campaign_id, JOB_REQUIRED),
    JOB_INT(struct headlines_payload, offset, 0, INT64_MAX, 0),
    JOB_INT(struct headlines_payload, limit, 0, HEADLINES_RUN_MAX, HEADLINES_RUN_DEFAULT),
    JOB_TEXT(struct headlines_payload, spintax_root, SPIN_TEMPLATE_MAX, JOB_OPTIONAL),
    JOB_TEXTS(struct headlines_payload, patterns, HEADLINE_PATTERNS_MAX),
};
const struct job_kind JOB_GENERATE_HEADLINES =
    JOB_KIND("generate-headlines", headlines_job_run, JOB_OF_SITE, 600, JOB_NORMAL,
             "Writes a range of a campaign's headlines to its inventory.",
             JOB_PAYLOAD(struct headlines_payload, HEADLINES_FIELDS));

fiber_fn Err headlines_queue(struct ctx *ctx, const struct campaign *campaign,
                             const struct headline_run *run, Uuid *ret_batch)
{
    struct headline_space space; /* refuses an invalid run now and not in the worker */
    TRY(headline_space_open(ctx, campaign, run, &space));
    uint64_t offset =
        run->has_offset ? run->offset : (space.is_of_campaign ? campaign->headline_cursor : 0);
    if (offset > space.total)
        offset = space.total;
    uint64_t left = space.total - offset;
    struct headlines_payload payload = {
        .job_id = uuid_make(),
        .campaign_id = campaign->id,
        .offset = (int64_t)offset,
        .limit = (int64_t)min_u64(left, run->max),
        .spintax_root = run->spintax_root,
        .patterns = run->patterns,
        .patterns_count = run->pattern_count,
    };
    struct job_spec spec;
    TRY(job_spec_make(ctx, &JOB_GENERATE_HEADLINES, &payload, &spec));
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(db_tx_query(&tx, &SQL_HEADLINE_BATCH_CREATE,
                    ARGS(db_uuid(ctx->scope.site), db_uuid(payload.job_id), db_uuid(campaign->id),
                         db_uuid(campaign->owner), db_int4((int32_t)payload.limit)),
                    NULL));
    int64_t job;
    TRY(job_enqueue(&tx, &spec, &job));
    TRY(db_commit(&tx));
    *ret_batch = payload.job_id;
    return OK;
}

/* The job */

/* Where an earlier attempt stopped; all earlier numbers are stored. */
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
    struct headlines_payload payload;
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
        ARGS(db_uuid(ctx->scope.site), db_uuid(work->payload.job_id), db_int4((int32_t)done)),
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
                    ARGS(db_uuid(ctx->scope.site), db_uuid(work->payload.job_id),
                         db_int4((int32_t)(result->next_offset - result->offset))),
                    NULL));
    TRY(job_finish_commit(work->job, &tx, answer));
    if (result->inserted == 0)
        return OK;
    err_ignore(headline_log(ctx, work->space.campaign, result), "the headlines are stored");
    err_ignore(db_query(ctx, &SQL_STATISTICS_REFRESH, NO_ARGS, NULL),
               "statistics only speed up later queries; the headlines are stored");
    return OK;
}

fiber_fn Err headlines_job_run(struct ctx *ctx, struct job *job)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    struct work *work = arena_new(ctx->arena, struct work);
    work->job = job;
    TRY(job_payload_read(ctx, &JOB_GENERATE_HEADLINES, job, &work->payload));
    job->resumes = true; /* the next attempt continues from the last checkpoint */
    struct campaign campaign;
    TRY(campaign_find(ctx, work->payload.campaign_id, &campaign));
    struct headline_run run = {
        .spintax_root = work->payload.spintax_root,
        .patterns = work->payload.patterns,
        .pattern_count = work->payload.patterns_count,
    };
    TRY(headline_space_open(ctx, &campaign, &run, &work->space));
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
