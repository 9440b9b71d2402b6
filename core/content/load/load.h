/*
 * Loading many rows at once by COPY: what POST /god/data/bulk-insert and imports use.
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
 * Rows for one collection on the platform lane, after every row's site was checked. At most
 * BULK_ROWS_MAX. A row of a tenant-owned collection names its site; null means the library, and is
 * good where the library's rows are readable by every site.
 *
 * atomic: all or none; the Err tells of the first bad rows. Otherwise a bad row is left out and
 * noted in *ret, and the others are stored. Either way it is one transaction.
 */
fiber_fn Err bulk_insert(struct platform platform, Str collection, const struct json *items,
                         bool atomic, struct bulk_result *ret);
