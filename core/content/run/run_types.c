/*
 * Whether rows have the types that their readers expect.
 */
#include "content/plan/compile.h"
#include "content/run/run.h"
#include "content/schema/schema.h"

#include <assert.h>

/* They are read alike. */
static bool is_text(uint32_t oid)
{
    return oid == OID_TEXT || oid == OID_VARCHAR || oid == OID_BPCHAR || oid == OID_NAME;
}

static bool is_expected(uint32_t expected, uint32_t oid)
{
    return oid == expected || expected == 0 || (is_text(oid) && is_text(expected));
}

Err run_check_types(const struct run *run, const struct select *select, const struct rows *rows)
{
    assert(run->ctx != NULL && select != NULL);
    uint32_t count = rows->count == 0 ? 0 : select->column_count;
    for (uint32_t i = 0; i < count && i < rows->columns; i++)
        if (!is_expected(select->columns[i].type_oid, row_oid(rows, i)))
            return fail_plain(run->ctx, ERR_STALE_EPOCH);
    return OK;
}
