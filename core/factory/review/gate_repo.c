#include "base/system/clock.h"
#include "factory/review/review.h"
#include "gen/sql.h"
#include "io/pg/db_error.h"

#include <assert.h>

static Err refuse(struct ctx *ctx, Str sentence, Str conditions, Str opens_at)
{
    Err err = fail(ctx, ERR_QUALITY_GATE, "%.*s", STR_FMT(sentence));
    if (conditions.len > 0)
        fail_note_json(ctx, "conditions", str_dup(ctx->arena, conditions));
    if (opens_at.len > 0)
        fail_note(ctx, "opens_at", str_dup(ctx->arena, opens_at));
    return err;
}

/* Maps the error that schema/functions/pack_quality_gate.sql raises. */
static Err report_gate(struct ctx *ctx, const struct db_error *error, Err err)
{
    (void)err;
    return refuse(ctx, error->message, error->constraint, error->detail);
}

/* Maps the error for an invalid transition of an article or a schedule. */
static Err report_move(struct ctx *ctx, const struct db_error *error, Err err)
{
    err = fail(ctx, err, "%.*s", STR_FMT(error->message));
    if (error->table.len > 0)
        fail_note(ctx, "collection", str_dup(ctx->arena, error->table));
    if (error->column.len > 0)
        fail_note(ctx, "field", str_dup(ctx->arena, error->column));
    return err;
}

const struct db_error_rule GATE_ERROR = {"SPG01", ERR_QUALITY_GATE, report_gate};
const struct db_error_rule MOVE_ERROR = {"SPM01", ERR_CONFLICT, report_move};

fiber_fn Err gate_ask(struct db_tx *tx, Uuid article, bool *ret_is_open, struct gate_refusal *ret)
{
    struct ctx *ctx = tx->ctx;
    assert(ctx->scope.kind == SCOPE_SITE);
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_GATE_ASK, ARGS(db_uuid(ctx->scope.site), db_uuid(article)), &rows));
    *ret_is_open = rows.count == 0;
    *ret = (struct gate_refusal){0};
    if (*ret_is_open)
        return OK;
    ret->conditions = row_text(&rows, 0, GATE_ASK_CONDITIONS);
    ret->sentence = row_text(&rows, 0, GATE_ASK_SENTENCE);
    ret->has_opening = !row_is_null(&rows, 0, GATE_ASK_OPENS_AT);
    ret->opens_us = ret->has_opening ? row_time(&rows, 0, GATE_ASK_OPENS_AT) : 0;
    return OK;
}

fiber_fn Err gate_require(struct db_tx *tx, Uuid article)
{
    bool is_open;
    struct gate_refusal refusal;
    TRY(gate_ask(tx, article, &is_open, &refusal));
    if (is_open)
        return OK;
    Str opens = refusal.has_opening ? clock_iso(tx->ctx->arena, refusal.opens_us) : STR_NONE;
    return refuse(tx->ctx, refusal.sentence, refusal.conditions, opens);
}
