/*
 * Loading many rows at once by COPY: used by POST /god/data/bulk-insert and imports.
 */
#pragma once

#include "base/json/json.h"
#include "io/pg/db.h"

enum { BULK_ROWS_MAX = 100000 };

struct bulk_result {
    uint64_t inserted;
    Str json; /* {"inserted":n,"ids":[…],"failed":[{"index","error"}]} */
};
/*
 * Loads rows into one collection in PLATFORM scope, after checking every row's site. At most
 * BULK_ROWS_MAX. A row of a tenant-owned collection names its site; null means the library, and is
 * valid if every site may read the library's rows.
 *
 * atomic: all or none; the Err reports the first invalid rows. Otherwise invalid rows are skipped
 * and listed in *ret, and the others are stored. In both cases it is one transaction.
 */
fiber_fn Err bulk_insert(struct platform platform, Str collection, const struct json *items,
                         bool atomic, struct bulk_result *ret);
