/*
 * GET /api/admin/jobs and /api/admin/jobs/:id: what became of work that was handed to workers. What
 * a job was given is not shown: it may hold what visitors wrote. A site's token sees its site's
 * jobs; the platform sees all, or those of the site it names.
 */
#include "gen/routes/jobs.h"

#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "io/redis/redis.h"
#include "jobs/queue/keys.h"
#include "server/api/listing.h"

enum { JOBS_MAX = 200, PROGRESS_US = 1000 * 1000 };

/* How far the running ones are: a reply of Redis with an entry for each row, or none at all while
 * Redis is away, or as good as away. */
static fiber_fn struct redis_value *progress_of(struct ctx *ctx, const struct rows *rows)
{
    SCOPED_PATIENCE struct fiber_patience patience = fiber_patience_begin(ctx, PROGRESS_US);
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

static void put_time_or_null(struct json_writer *w, const char *key, const struct rows *rows,
                             uint32_t row, uint32_t column)
{
    if (row_is_null(rows, row, column))
        json_field_null(w, key);
    else
        put_time(w, key, row_time(rows, row, column));
}

static void put_raw_or_null(struct json_writer *w, const char *key, Str json)
{
    if (json.len > 0)
        json_field_raw(w, key, json);
    else
        json_field_null(w, key);
}

static void put_job(struct json_writer *w, const struct rows *rows, uint32_t i,
                    const struct redis_value *progress)
{
    bool is_seen = i < progress->count && progress->items[i].kind == REDIS_STR;
    json_object_begin(w);
    json_field_int(w, "id", row_int(rows, i, JOBS_PAGE_ID));
    put_uuid(w, "site_id", row_uuid(rows, i, JOBS_PAGE_SITE_ID));
    put_text(w, "kind", row_text(rows, i, JOBS_PAGE_KIND));
    put_text(w, "state", row_text(rows, i, JOBS_PAGE_STATE));
    json_field_int(w, "attempt", row_int(rows, i, JOBS_PAGE_ATTEMPT));
    json_field_int(w, "failures", row_int(rows, i, JOBS_PAGE_FAILURES));
    put_raw_or_null(w, "progress", is_seen ? progress->items[i].text : STR_NONE);
    put_raw_or_null(w, "result", row_json(rows, i, JOBS_PAGE_RESULT));
    put_text(w, "error", row_text(rows, i, JOBS_PAGE_ERROR));
    put_time_or_null(w, "created_at", rows, i, JOBS_PAGE_CREATED_AT);
    put_time_or_null(w, "run_at", rows, i, JOBS_PAGE_RUN_AT);
    put_time_or_null(w, "started_at", rows, i, JOBS_PAGE_STARTED_AT);
    put_time_or_null(w, "finished_at", rows, i, JOBS_PAGE_FINISHED_AT);
    json_object_end(w);
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

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_key(w, STR("jobs"));
    json_array_begin(w);
    for (uint32_t i = 0; i < rows.count; i++)
        put_job(w, &rows, i, progress);
    json_array_end(w);
    if (rows.count == (uint32_t)input->limit)
        json_field_int(w, "next_before", row_int(&rows, rows.count - 1, JOBS_PAGE_ID));
    else
        json_field_null(w, "next_before");
    json_object_end(w);
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

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_key(w, STR("job"));
    put_job(w, &rows, 0, progress);
    json_object_end(w);
    return OK;
}
