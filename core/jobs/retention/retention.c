#include "base/system/clock.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "jobs/retention/retention_internal.h"

#include <assert.h>

/* Immutable once the threads run. */
static const struct retention_table *tables[RETENTION_TABLES_MAX];
static uint32_t table_count;

void retention_add(const struct retention_table *table)
{
    assert(table->name.len > 0 && table->name.len <= RETENTION_TABLE_MAX);
    assert(table_count < RETENTION_TABLES_MAX);
    tables[table_count++] = table;
}

static fiber_fn Err enqueue_due(struct platform platform)
{
    struct ctx *ctx = platform.ctx;
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
        TRY(retention_enqueue(ctx, row_text(&due, i, RETENTION_DUE_NAME),
                              row_int(&due, i, RETENTION_DUE_DAYS)));
    return OK;
}

static fiber_fn Err look(struct platform platform)
{
    TRY(db_query_platform(platform, &SQL_PARTITIONS_ENSURE, NO_ARGS, NULL));
    return enqueue_due(platform);
}

/* Partitions are created three months ahead, so a missed run does no harm. */
const struct schedule RETENTION_SCHEDULE = {
    .name = "retention",
    .every_us = INT64_C(6) * 3600 * SECOND_US,
    .retry_us = 60 * SECOND_US,
    .turn = look,
};

Err retention_table_find(struct ctx *ctx, Str name, const struct retention_table **ret)
{
    for (uint32_t i = 0; i < table_count; i++) {
        if (str_eq(name, tables[i]->name)) {
            *ret = tables[i];
            return OK;
        }
    }
    return fail(ctx, ERR_INVALID_PAYLOAD, "table must be one that has a retention");
}
