/*
 * {"table": name, "older_than": days}: drops the months of work_log, pageviews, events, conversions
 * or job_logs that ended more than that many days ago. The drop, its line in the work log and the
 * end of the job are one transaction.
 */
#include "access/audit/audit.h"
#include "base/memory/array.h"
#include "gen/sql.h"
#include "workers/handlers.h"

enum { TABLE_MAX = 63, DAYS_MAX = 36500 };

struct retention {
    Str table;
    int64_t days;
};

static Err payload_read(struct ctx *ctx, const struct job *job, struct retention *ret)
{
    static const Str TABLES[] = {STR_INIT("work_log"), STR_INIT("pageviews"), STR_INIT("events"),
                                 STR_INIT("conversions"), STR_INIT("job_logs")};
    *ret = (struct retention){0};
    TRY(json_take_str(ctx, job->payload, "table", TABLE_MAX, &ret->table));
    TRY(json_take_int(ctx, job->payload, "older_than", 1, DAYS_MAX, &ret->days));
    if (ret->days == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "older_than, a number of days, is required");
    for (size_t i = 0; i < COUNT_OF(TABLES); i++)
        if (str_eq(ret->table, TABLES[i]))
            return OK;
    return fail(ctx, ERR_INVALID_PAYLOAD,
                "table has to be work_log, pageviews, events, conversions or job_logs");
}

fiber_fn Err job_retention(struct ctx *ctx, struct job *job)
{
    if (job->scope.kind != SCOPE_PLATFORM)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Retention is of the platform, not of a site");
    struct retention wanted;
    TRY(payload_read(ctx, job, &wanted));
    SCOPED_TX struct db_tx tx = {0};
    TRY(job_finish_begin(ctx, job, &tx));
    struct rows rows;
    TRY(db_tx_query(&tx, &SQL_PARTITIONS_DROP,
                    ARGS(db_text(wanted.table), db_int4((int32_t)wanted.days)), &rows));
    Str result = str_printf(ctx->arena, "{\"table\":\"%.*s\",\"older_than\":%jd,\"dropped\":%jd}",
                            STR_FMT(wanted.table), (intmax_t)wanted.days,
                            (intmax_t)row_int(&rows, 0, PARTITIONS_DROP_DROPPED));
    TRY(audit_write(&tx, &(struct audit){.action = STR("retention"),
                                         .entity_type = wanted.table,
                                         .details = result}));
    return job_finish_commit(job, &tx, result);
}
