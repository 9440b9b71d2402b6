#include "jobs/retention/retention.h"

#include "access/audit/audit.h"
#include "base/json/json_writer.h"
#include "base/system/clock.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum { TABLE_MAX = 63, DAYS_MAX = 36500, RESULT_MAX = 1024 };

/* Immutable after the threads have started. */
static const struct retention_table *tables[RETENTION_TABLES_MAX];
static uint32_t table_count;

void retention_add(const struct retention_table *table)
{
    assert(table->name.len > 0 && table->name.len <= TABLE_MAX);
    assert(table_count < RETENTION_TABLES_MAX);
    tables[table_count++] = table;
}

struct retention_payload {
    Str table;
    int64_t older_than; /* days */
};
static const struct job_field FIELDS[] = {
    JOB_TEXT(struct retention_payload, table, TABLE_MAX, JOB_REQUIRED),
    JOB_INT(struct retention_payload, older_than, 1, DAYS_MAX, 0),
};

/* The job runs in PLATFORM scope; one live job per table is enough. */
static fiber_fn Err enqueue(struct ctx *ctx, Str table, int64_t days)
{
    struct job_spec spec;
    TRY(job_spec_make(ctx, &JOB_RETENTION, &(struct retention_payload){table, days}, &spec));
    spec.dedup_key = job_dedup_key(ctx->arena, &JOB_RETENTION, table);
    SCOPED_CTX struct ctx platform = ctx_for_platform(ctx, "the job belongs to no site");
    int64_t id;
    return job_enqueue_now(&platform, &spec, &id);
}

static fiber_fn Err look(struct platform platform)
{
    struct ctx *ctx = platform.ctx;
    TRY(db_query_platform(platform, &SQL_PARTITIONS_ENSURE, NO_ARGS, NULL));
    Str names[RETENTION_TABLES_MAX];
    int64_t days[RETENTION_TABLES_MAX];
    for (uint32_t i = 0; i < table_count; i++) {
        names[i] = tables[i]->name;
        days[i] = tables[i]->days != NULL ? tables[i]->days(ctx->reactor->settings) : 0;
    }
    struct rows due;
    TRY(db_query_platform(platform, &SQL_RETENTION_DUE,
                          ARGS(db_text_array(ctx->arena, names, table_count),
                               db_int_array(ctx->arena, days, table_count)),
                          &due));
    for (uint32_t i = 0; i < due.count; i++)
        TRY(enqueue(ctx, row_text(&due, i, RETENTION_DUE_NAME),
                    row_int(&due, i, RETENTION_DUE_DAYS)));
    return OK;
}

/* Partitions are created three months ahead, so a missed run does no harm. */
const struct schedule RETENTION_SCHEDULE = {
    .name = "retention",
    .every_us = INT64_C(6) * 3600 * SECOND_US,
    .retry_us = 60 * SECOND_US,
    .turn = look,
};

static Err table_check(struct ctx *ctx, Str name)
{
    for (uint32_t i = 0; i < table_count; i++)
        if (str_eq(name, tables[i]->name))
            return OK;
    return fail(ctx, ERR_INVALID_PAYLOAD, "table must be one that is partitioned by month");
}

/* The drop, its audit log entry and the completion of the job are one transaction. */
static fiber_fn Err drop_months(struct ctx *ctx, struct job *job)
{
    struct retention_payload payload;
    TRY(job_payload_read(ctx, &JOB_RETENTION, job, &payload));
    if (payload.older_than == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "older_than, a number of days, is required");
    TRY(table_check(ctx, payload.table));
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
    assert(!w.out->is_full); /* a table name has at most TABLE_MAX bytes */
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
