#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "jobs/retention/retention_internal.h"

#include <assert.h>

/* Every statement that trims has these columns. */
static_assert((int)ACTIVITY_TRIM_DELETED == (int)REVISIONS_TRIM_DELETED);
static_assert((int)ACTIVITY_TRIM_LAST == (int)REVISIONS_TRIM_LAST);
static_assert((int)ACTIVITY_TRIM_LAST_ID == (int)REVISIONS_TRIM_LAST_ID);

/*
 * The position moves on whether rows were deleted or not: of a batch some may be locked, and some
 * stay because others hang on them. The next run begins anew.
 */
fiber_fn Err retention_trim(struct ctx *ctx, const struct retention_table *table, int64_t days,
                            int64_t *ret_deleted)
{
    assert(table->trim != NULL && days > 0);
    int64_t most = ctx->reactor->settings->retention_batch;
    int64_t after_us = 0, after_id = 0, deleted = 0;
    for (;;) {
        struct rows rows;
        ArenaMark mark = arena_mark(ctx->arena);
        TRY(db_query(ctx, table->trim,
                     ARGS(db_int(days), db_time(after_us), db_int(after_id), db_int(most)), &rows));
        assert(rows.count == 1);
        deleted += row_int(&rows, 0, ACTIVITY_TRIM_DELETED);
        if (row_is_null(&rows, 0, ACTIVITY_TRIM_LAST))
            break;
        after_us = row_time(&rows, 0, ACTIVITY_TRIM_LAST);
        after_id = row_int(&rows, 0, ACTIVITY_TRIM_LAST_ID);
        arena_rewind(ctx->arena, mark);
        TRY(fiber_check(ctx));
    }
    *ret_deleted = deleted;
    return OK;
}
