/*
 * GET /api/admin/jobs and /api/admin/jobs/:id: state and result of jobs. The payload is not shown:
 * it may contain data of visitors. A site token sees the jobs of its site; the platform sees all,
 * or those of the site it names.
 */
#include "gen/routes/jobs.h"

#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "io/redis/redis.h"
#include "jobs/queue/keys.h"
#include "server/api/listing.h"

enum { JOBS_MAX = 200, PROGRESS_US = 1000 * 1000 };

/* Progress of the running jobs: a Redis reply with an entry for each row, or NULL if Redis does not
 * answer. */
static fiber_fn struct redis_value *progress_of(struct ctx *ctx, const struct rows *rows)
{
    SCOPED_DEADLINE struct fiber_deadline deadline = fiber_deadline_begin(ctx, PROGRESS_US);
    struct redis_value *found = arena_new(ctx->arena, struct redis_value);
    Str words[2 + JOBS_MAX] = {STR("HMGET"), STR(KEY_QUEUE_PROGRESS)};
    for (uint32_t i = 0; i < rows->count; i++)
        words[2 + i] = str_printf(ctx->arena, "%jd", (intmax_t)row_int(rows, i, JOBS_PAGE_ID));
    Err err = rows->count == 0
                  ? ERR_NOT_FOUND
                  : redis_call(ctx, ctx->reactor->redis, words, 2 + rows->count, found);
    if (err != OK || found->kind != REDIS_ARRAY || found->count != rows->count)
        found->count = 0;
    diag_clear(ctx);
    return found;
}

/* A time column, and whether it is set. */
#define ROW_TIME(name_, column)                                                                    \
    .name_ = row_time(rows, i, JOBS_PAGE_##column),                                                \
    .has_##name_ = !row_is_null(rows, i, JOBS_PAGE_##column)

static struct job_row_reply job_of(const struct rows *rows, uint32_t i,
                                   const struct redis_value *progress)
{
    bool is_seen = i < progress->count && progress->items[i].kind == REDIS_STR;
    return (struct job_row_reply){
        .id = row_int(rows, i, JOBS_PAGE_ID),
        .site_id = row_uuid(rows, i, JOBS_PAGE_SITE_ID),
        .kind = row_text(rows, i, JOBS_PAGE_KIND),
        .state = row_text(rows, i, JOBS_PAGE_STATE),
        .attempt = row_int(rows, i, JOBS_PAGE_ATTEMPT),
        .failures = row_int(rows, i, JOBS_PAGE_FAILURES),
        .progress = is_seen ? progress->items[i].text : STR_NONE,
        .result = row_json(rows, i, JOBS_PAGE_RESULT),
        .error = row_text(rows, i, JOBS_PAGE_ERROR),
        ROW_TIME(created_at, CREATED_AT),
        ROW_TIME(run_at, RUN_AT),
        ROW_TIME(started_at, STARTED_AT),
        ROW_TIME(finished_at, FINISHED_AT),
    };
}

fiber_fn Err route_jobs_index(struct ctx *ctx, const struct request *request,
                              const struct jobs_index_input *input, struct reply *reply)
{
    (void)request;
    struct rows rows;
    TRY(db_query(ctx, &SQL_JOBS_PAGE,
                 ARGS(listing_site(ctx), db_int(input->before), db_text_z(input->state),
                      db_text_z(input->kind), db_int(input->limit)),
                 &rows));
    const struct redis_value *progress = progress_of(ctx, &rows);

    struct job_row_reply *jobs = arena_array(ctx->arena, struct job_row_reply, rows.count);
    for (uint32_t i = 0; i < rows.count; i++)
        jobs[i] = job_of(&rows, i, progress);
    bool is_full = rows.count == (uint32_t)input->limit;
    jobs_index_reply_write(&reply->json, &(struct jobs_index_reply){
                                             .jobs = {jobs, rows.count},
                                             .next_before = is_full ? jobs[rows.count - 1].id : 0,
                                             .has_next_before = is_full,
                                         });
    return OK;
}

fiber_fn Err route_jobs_show(struct ctx *ctx, const struct request *request,
                             const struct jobs_show_input *input, struct reply *reply)
{
    int64_t id;
    if (!str_to_i64(request->params[0], &id) || id < 1 || id == INT64_MAX)
        return fail(ctx, ERR_NOT_FOUND, "There is no such job.");
    (void)input;
    struct rows rows;
    TRY(db_query(ctx, &SQL_JOB_OF_PAGE, ARGS(listing_site(ctx), db_int(id)), &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such job.");
    const struct redis_value *progress = progress_of(ctx, &rows);

    jobs_show_reply_write(&reply->json,
                          &(struct jobs_show_reply){.job = job_of(&rows, 0, progress)});
    return OK;
}
