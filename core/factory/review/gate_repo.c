#include "base/system/clock.h"
#include "factory/review/review.h"
#include "gen/sql.h"
#include "io/pg/db_error.h"

#include <assert.h>

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
    return db_error_gate(tx->ctx, refusal.sentence, refusal.conditions, opens);
}
