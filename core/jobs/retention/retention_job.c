#include "access/audit/audit.h"
#include "base/json/json_writer.h"
#include "gen/sql.h"
#include "jobs/retention/retention_internal.h"

#include <assert.h>

enum { DAYS_MAX = 36500, RESULT_MAX = 1024 };

struct retention_payload {
    Str table;
    int64_t older_than; /* days */
};
static const struct job_field FIELDS[] = {
    JOB_TEXT(struct retention_payload, table, RETENTION_TABLE_MAX, JOB_REQUIRED),
    JOB_INT(struct retention_payload, older_than, 1, DAYS_MAX, 0),
};

fiber_fn Err retention_enqueue(struct ctx *ctx, Str table, int64_t days)
{
    struct job_spec spec;
    TRY(job_spec_make(ctx, &JOB_RETENTION, &(struct retention_payload){table, days}, &spec));
    spec.dedup_key = job_dedup_key(ctx->arena, &JOB_RETENTION, table);
    SCOPED_CTX struct ctx platform = ctx_for_platform(ctx, "the job belongs to no site");
    int64_t id;
    return job_enqueue_now(&platform, &spec, &id);
}

/* The line in the work log, and the result of the job. */
static Str describe(struct ctx *ctx, const struct retention_payload *payload, const char *what,
                    int64_t count)
{
    struct json_writer w = json_writer(buf_in_arena(ctx->arena, RESULT_MAX));
    json_object_begin(&w);
    json_field_str(&w, "table", payload->table);
    json_field_int(&w, "older_than", payload->older_than);
    json_field_int(&w, what, count);
    json_object_end(&w);
    assert(!w.out->is_full); /* the name of a table has at most RETENTION_TABLE_MAX bytes */
    return buf_str(w.out);
}

static fiber_fn Err finish(struct job *job, struct db_tx *tx, Str table, Str result)
{
    TRY(audit_write(
        tx, &(struct audit){.action = STR("retention"), .entity_type = table, .details = result}));
    return job_finish_commit(job, tx, result);
}

/* The drop, its line in the work log and the end of the job are one transaction. */
static fiber_fn Err drop_months(struct ctx *ctx, struct job *job,
                                const struct retention_payload *payload)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(job_finish_begin(ctx, job, &tx));
    struct rows rows;
    TRY(db_tx_query(&tx, &SQL_PARTITIONS_DROP,
                    ARGS(db_text(payload->table), db_int4((int32_t)payload->older_than)), &rows));
    int64_t dropped = row_int(&rows, 0, PARTITIONS_DROP_DROPPED);
    return finish(job, &tx, payload->table, describe(ctx, payload, "dropped", dropped));
}

static fiber_fn Err delete_rows(struct ctx *ctx, struct job *job,
                                const struct retention_payload *payload,
                                const struct retention_table *table)
{
    int64_t deleted;
    TRY(retention_trim(ctx, table, payload->older_than, &deleted));
    Str result = describe(ctx, payload, "deleted", deleted);
    if (deleted == 0)
        return job_finish(ctx, job, NULL, result);
    SCOPED_TX struct db_tx tx = {0};
    TRY(job_finish_begin(ctx, job, &tx));
    return finish(job, &tx, payload->table, result);
}

static fiber_fn Err retention_run(struct ctx *ctx, struct job *job)
{
    struct retention_payload payload;
    TRY(job_payload_read(ctx, &JOB_RETENTION, job, &payload));
    if (payload.older_than == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "older_than, a number of days, is required");
    const struct retention_table *table;
    TRY(retention_table_find(ctx, payload.table, &table));
    return table->trim == NULL ? drop_months(ctx, job, &payload)
                               : delete_rows(ctx, job, &payload, table);
}

const struct job_kind JOB_RETENTION = JOB_KIND(
    "retention", retention_run, JOB_OF_PLATFORM, 3600, JOB_LOW,
    "Deletes the rows of a table, or drops its months, that are older than a number of days.",
    JOB_PAYLOAD(struct retention_payload, FIELDS));
