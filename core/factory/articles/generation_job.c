#include "access/audit/audit.h"
#include "base/system/counters.h"
#include "base/system/range.h"
#include "factory/articles/generate.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>
#include <inttypes.h>

/* Queueing */

struct generation_payload {
    Uuid job_id; /* of the batch */
    Uuid campaign_id;
    int64_t offset; /* tells the jobs of a batch apart */
    int64_t limit;
    Uuid avatar_id;
    Str avatar_key;
    Str variant_type;
};
static const struct job_field GENERATION_FIELDS[] = {
    JOB_UUID(struct generation_payload, job_id, JOB_OPTIONAL),
    JOB_UUID(struct generation_payload, campaign_id, JOB_REQUIRED),
    JOB_INT(struct generation_payload, offset, 0, INT32_MAX, 0),
    JOB_INT(struct generation_payload, limit, 1, ARTICLE_BATCH_MAX, 1),
    JOB_UUID(struct generation_payload, avatar_id, JOB_OPTIONAL),
    JOB_TEXT(struct generation_payload, avatar_key, AVATAR_KEY_MAX, JOB_OPTIONAL),
    JOB_TEXT(struct generation_payload, variant_type, AVATAR_KEY_MAX, JOB_OPTIONAL),
};
const struct job_kind JOB_GENERATE_ARTICLES =
    JOB_KIND("generate-articles", generation_run, JOB_OF_SITE, 300, JOB_NORMAL,
             "Assembles and stores articles for free headlines of a campaign.",
             JOB_PAYLOAD(struct generation_payload, GENERATION_FIELDS));

static fiber_fn Err enqueue(struct ctx *ctx, struct db_tx *tx,
                            const struct generation_request *request, Uuid id, uint32_t offset)
{
    struct generation_payload payload = {
        .job_id = id,
        .campaign_id = request->campaign,
        .offset = offset,
        .limit = min_u32(request->total - offset, request->batch_size),
        .avatar_id = request->avatar.id,
        .avatar_key = request->avatar.key,
        .variant_type = request->avatar.variant_type,
    };
    struct job_spec spec;
    TRY(job_spec_make(ctx, &JOB_GENERATE_ARTICLES, &payload, &spec));
    Str batch = uuid_text(ctx->arena, id);
    spec.dedup_key = job_dedup_key(ctx->arena, &JOB_GENERATE_ARTICLES,
                                   str_printf(ctx->arena, "%.*s.%" PRIu32, STR_FMT(batch), offset));
    int64_t job;
    return job_enqueue(tx, &spec, &job);
}

fiber_fn Err generation_start(struct ctx *ctx, const struct generation_request *request,
                              Uuid *ret_id, uint32_t *ret_jobs)
{
    assert(request->batch_size > 0 && request->batch_size <= ARTICLE_BATCH_MAX);
    assert(request->total > 0);
    uint32_t jobs = (request->total + request->batch_size - 1) / request->batch_size;
    if (jobs > GENERATION_JOBS_MAX)
        return fail(ctx, ERR_FAILED_VALIDATION,
                    "%" PRIu32 " articles in batches of %" PRIu32 " are %" PRIu32
                    " jobs; a request may queue %d.",
                    request->total, request->batch_size, jobs, GENERATION_JOBS_MAX);
    struct campaign campaign;
    TRY(campaign_find(ctx, request->campaign, &campaign));
    TRY(campaign_check_active(ctx, &campaign));
    struct avatar avatar;
    if (avatar_is_chosen(&request->avatar))
        TRY(avatar_find(ctx, &request->avatar, &avatar));

    Uuid id = uuid_make();
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(db_tx_query(&tx, &SQL_GENERATION_CREATE,
                    generation_create_args(ctx->arena,
                                           &(struct generation_create_args){
                                               .site = ctx->scope.site,
                                               .id = id,
                                               .campaign = campaign.id,
                                               .campaign_site = campaign.owner,
                                               .batch_size = (int32_t)request->batch_size,
                                               .target_quantity = (int32_t)request->total,
                                               .jobs_total = (int32_t)jobs,
                                           }),
                    NULL));
    for (uint32_t offset = 0; offset < request->total; offset += request->batch_size)
        TRY(enqueue(ctx, &tx, request, id, offset));
    TRY(db_commit(&tx));
    *ret_id = id;
    *ret_jobs = jobs;
    return OK;
}

/* The job */

/* The fence first, the hot row last: a batch's jobs queue for it no longer than a commit takes. */
fiber_fn Err generation_run(struct ctx *ctx, struct job *job)
{
    struct generation_payload payload;
    TRY(job_payload_read(ctx, &JOB_GENERATE_ARTICLES, job, &payload));
    struct article_batch batch = {.generation = payload.job_id};
    struct avatar_choice avatar = {payload.avatar_id, payload.avatar_key, payload.variant_type};
    struct plan_choice choice = {.avatar = &avatar};
    TRY(article_plan_choose(ctx, payload.campaign_id, &choice, &batch.plan));
    struct article_draft *drafts =
        arena_array(ctx->arena, struct article_draft, (size_t)payload.limit);

    SCOPED_TX struct db_tx tx = {0};
    TRY(job_finish_begin(ctx, job, &tx));
    uint32_t made;
    TRY(articles_make(ctx, &tx, &batch, (uint32_t)payload.limit, drafts, &made));
    TRY(db_tx_query(&tx, &SQL_GENERATION_ADVANCE,
                    generation_advance_args(ctx->arena,
                                            &(struct generation_advance_args){
                                                .site = ctx->scope.site,
                                                .id = payload.job_id,
                                                .made = (int32_t)made,
                                                .campaign = payload.campaign_id,
                                                .audit_user = audit_user(ctx),
                                                .audit_actor = audit_actor(ctx),
                                                .audit_ip = audit_ip(ctx),
                                            }),
                    NULL));
    TRY(job_finish_commit(job, &tx, STR_NONE));
    articles_count_usage(batch.plan, drafts, made);
    counter_add(COUNTER_articles_generated, made);
    err_ignore(db_query(ctx, &SQL_STATISTICS_REFRESH, NO_ARGS, NULL),
               "statistics help the next jobs; this one is done");
    return OK;
}
