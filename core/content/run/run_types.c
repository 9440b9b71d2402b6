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

static bool is_expected(const struct column *column, uint32_t oid)
{
    const struct field *field = column->operand.field;
    bool is_value = column->kind == COLUMN_OPERAND || column->kind == COLUMN_AGGREGATE;
    if (!is_value || column->as_text || field == NULL ||
        column->operand.function != FUNCTION_NONE || field->type_oid == 0)
        return true;
    return oid == field->type_oid || (is_text(oid) && is_text(field->type_oid));
}

Err run_check_types(const struct run *run, const struct select *select, const struct rows *rows)
{
    assert(run->ctx != NULL && select != NULL);
    uint32_t count = rows->count == 0 ? 0 : select->column_count;
    for (uint32_t i = 0; i < count && i < rows->columns; i++)
        if (!is_expected(&select->columns[i], row_oid(rows, i)))
            return fail_plain(run->ctx, ERR_STALE_EPOCH);
    return OK;
}
