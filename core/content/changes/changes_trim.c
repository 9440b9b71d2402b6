#include "base/settings/settings.h"
#include "content/changes/changes.h"
#include "gen/sql.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

/* A call ends well before the leader's lease expires; the next one follows in ten seconds. */
enum { PAGE = 5000, PAGES_A_TURN = 20 };

fiber_fn Err changes_trim(struct platform platform)
{
    int32_t hours = (int32_t)platform.ctx->reactor->settings->changes_retention_h;
    int64_t removed = PAGE;
    for (int page = 0; page < PAGES_A_TURN && removed == PAGE; page++) {
        struct rows rows;
        TRY(db_query_platform(platform, &SQL_CHANGES_TRIM, ARGS(db_int4(hours)), &rows));
        removed = row_int(&rows, 0, CHANGES_TRIM_REMOVED);
    }
    return OK;
}
