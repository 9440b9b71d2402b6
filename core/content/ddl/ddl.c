#include "content/ddl/ddl.h"

#include "access/audit/audit.h"
#include "access/identity/current.h"
#include "content/ddl/ddl_internal.h"
#include "content/schema/schema.h"
#include "gen/sql.h"

#include <assert.h>

static fiber_fn Err begin_with(struct platform platform, const struct statement *lock,
                               struct db_tx *tx)
{
    assert(platform.ctx != NULL && tx->connection == NULL);
    TRY(db_begin_platform(platform, tx));
    access_pause_release(platform.ctx);
    return db_tx_query(tx, lock, NO_ARGS, NULL);
}

fiber_fn Err ddl_begin(struct platform platform, struct db_tx *tx)
{
    return begin_with(platform, &SQL_DDL_LOCK, tx);
}

fiber_fn Err ddl_begin_reading(struct platform platform, struct db_tx *tx)
{
    return begin_with(platform, &SQL_DDL_LOCK_READING, tx);
}

fiber_fn Err ddl_commit(struct db_tx *tx)
{
    assert(tx->connection != NULL);
    struct ctx *ctx = tx->ctx;
    struct rows rows;
    struct db_batch batch = {.lane = DB_WRITE};
    db_batch_add(&batch, &SQL_DDL_RAISE_EPOCH, NO_ARGS, NULL);
    db_batch_add(&batch, &SQL_DDL_EPOCH, NO_ARGS, &rows);
    TRY(db_tx_batch_run(tx, &batch));
    assert(rows.count == 1);
    int64_t epoch = row_int(&rows, 0, DDL_EPOCH_EPOCH);
    assert(epoch != 0);
    TRY(db_commit(tx));
    /* What this caller does next sees what it has just made; its rights are the platform's. */
    ctx->epoch = epoch;
    schema_invalidate(ctx);
    return OK;
}

fiber_fn Err ddl_audit(struct db_tx *tx, Str action, Str what)
{
    assert(action.len > 0 && what.len > 0);
    return audit_write(
        tx, &(struct audit){.action = action, .entity_type = STR("schema"), .entity_id = what});
}

fiber_fn Err ddl_audit_each(struct db_tx *tx, Str action, const Str *what, uint32_t count)
{
    return audit_write_each(tx, action, STR("schema"), what, count);
}

fiber_fn Err ddl_audit_field(struct db_tx *tx, Str action, Str collection, Str field)
{
    return ddl_audit(tx, action,
                     str_printf(tx->ctx->arena, "%.*s.%.*s", STR_FMT(collection), STR_FMT(field)));
}

Err ddl_at(struct ctx *ctx, Str path, Err err)
{
    if (err == OK || path.len == 0 || err_info(err)->status >= 500 || err == ERR_CANCELLED ||
        err == ERR_TIMEOUT || ctx->diag.first == NULL)
        return err;
    Str said = diag_message(ctx, ctx->diag.first);
    return fail(ctx, err == ERR_CONFLICT ? ERR_CONFLICT : ERR_FAILED_VALIDATION, "%.*s: %.*s",
                STR_FMT(path), STR_FMT(said));
}
