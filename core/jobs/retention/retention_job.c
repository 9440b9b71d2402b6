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

/* The drop, its line in the work log and the end of the job are one transaction. */
static fiber_fn Err drop_months(struct ctx *ctx, struct job *job)
{
    struct retention_payload payload;
    TRY(job_payload_read(ctx, &JOB_RETENTION, job, &payload));
    if (payload.older_than == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "older_than, a number of days, is required");
    TRY(retention_table_check(ctx, payload.table));
    SCOPED_TX struct db_tx tx = {0};
    TRY(job_finish_begin(ctx, job, &tx));
    struct rows rows;
    TRY(db_tx_query(&tx, &SQL_PARTITIONS_DROP,
                    ARGS(db_text(payload.table), db_int4((int32_t)payload.older_than)), &rows));
    struct json_writer w = json_writer(buf_in_arena(ctx->arena, RESULT_MAX));
    json_object_begin(&w);
    json_field_str(&w, "table", payload.table);
    json_field_int(&w, "older_than", payload.older_than);
    json_field_int(&w, "dropped", row_int(&rows, 0, PARTITIONS_DROP_DROPPED));
    json_object_end(&w);
    assert(!w.out->is_full); /* the name of a table has at most RETENTION_TABLE_MAX bytes */
    Str result = buf_str(w.out);
    TRY(audit_write(&tx, &(struct audit){.action = STR("retention"),
                                         .entity_type = payload.table,
                                         .details = result}));
    return job_finish_commit(job, &tx, result);
}

const struct job_kind JOB_RETENTION =
    JOB_KIND("retention", drop_months, JOB_OF_PLATFORM, 60, JOB_LOW,
             "Drops the months of a partitioned table that are older than a number of days.",
             JOB_PAYLOAD(struct retention_payload, FIELDS));
