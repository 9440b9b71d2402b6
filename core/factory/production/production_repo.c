#include "access/audit/audit.h"
#include "base/system/counters.h"
#include "factory/production/production.h"
#include "gen/sql.h"

#include <assert.h>
#include <inttypes.h>

/* State */

fiber_fn Err production_find(struct ctx *ctx, Uuid queue, struct production_state *ret)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_PRODUCTION_SHOW, ARGS(db_uuid(ctx->scope.site), db_uuid(queue)), &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such queue.");
    *ret = (struct production_state){
        .campaign = row_uuid(&rows, 0, PRODUCTION_SHOW_CAMPAIGN_ID),
        .status = row_text(&rows, 0, PRODUCTION_SHOW_STATUS),
        .error = row_text(&rows, 0, PRODUCTION_SHOW_ERROR),
        .total = (uint32_t)row_int(&rows, 0, PRODUCTION_SHOW_TOTAL),
        .pending = (uint32_t)row_int(&rows, 0, PRODUCTION_SHOW_PENDING),
        .claimed = (uint32_t)row_int(&rows, 0, PRODUCTION_SHOW_CLAIMED),
        .done = (uint32_t)row_int(&rows, 0, PRODUCTION_SHOW_DONE),
        .failed = (uint32_t)row_int(&rows, 0, PRODUCTION_SHOW_FAILED),
        .published = (uint32_t)row_int(&rows, 0, PRODUCTION_SHOW_PUBLISHED),
        .refused = (uint32_t)row_int(&rows, 0, PRODUCTION_SHOW_REFUSED),
    };
    return OK;
}

static Err refuse_move(struct ctx *ctx, Str status, Str action)
{
    return fail_noted(ctx, ERR_CONFLICT, "status", status,
                      "A queue that is %.*s has no move \"%.*s\".", STR_FMT(status),
                      STR_FMT(action));
}

fiber_fn Err production_lock(struct db_tx *tx, Uuid queue, Str action, struct production_moved *ret)
{
    struct ctx *ctx = tx->ctx;
    assert(ctx->scope.kind == SCOPE_SITE);
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_PRODUCTION_LOCK,
                    ARGS(db_uuid(ctx->scope.site), db_uuid(queue), db_text(action)), &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such queue.");
    *ret = (struct production_moved){
        .campaign = row_uuid(&rows, 0, PRODUCTION_LOCK_CAMPAIGN_ID),
        .before = row_text(&rows, 0, PRODUCTION_LOCK_STATUS),
        .status = row_text(&rows, 0, PRODUCTION_LOCK_TARGET),
    };
    return ret->status.len > 0 ? OK : refuse_move(ctx, ret->before, action);
}

fiber_fn Err production_move(struct db_tx *tx, Uuid queue, Str action, Str why,
                             struct production_moved *ret)
{
    TRY(production_lock(tx, queue, action, ret));
    if (str_eq(ret->before, ret->status))
        return OK;
    return db_tx_query(
        tx, &SQL_PRODUCTION_SET,
        ARGS(db_uuid(tx->ctx->scope.site), db_uuid(queue), db_text(ret->status), db_text_z(why)),
        NULL);
}

static fiber_fn Err log_queue(struct db_tx *tx, Uuid queue, Str action, Str details)
{
    struct audit audit = {
        .action = action,
        .entity_type = STR("production_queue"),
        .entity_id = uuid_text(tx->ctx->arena, queue),
        .details = details,
    };
    return audit_write(tx, &audit);
}

fiber_fn Err production_control(struct ctx *ctx, Uuid queue, Str action,
                                struct production_state *ret)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    struct production_moved moved;
    TRY(production_move(&tx, queue, action, STR_NONE, &moved));
    if (str_eq(action, STR("retry")))
        TRY(db_tx_query(&tx, &SQL_SLOTS_RETRY, ARGS(db_uuid(ctx->scope.site), db_uuid(queue)),
                        NULL));
    Str details = str_printf(ctx->arena, "{\"from\":\"%.*s\",\"to\":\"%.*s\"}",
                             STR_FMT(moved.before), STR_FMT(moved.status));
    TRY(log_queue(&tx, queue, str_printf(ctx->arena, "queue_%.*s", STR_FMT(action)), details));
    TRY(db_commit(&tx));
    return production_find(ctx, queue, ret);
}

/* Test batch */

static fiber_fn Err flag_test(struct ctx *ctx, struct db_tx *tx, Uuid campaign,
                              const struct article_draft *drafts, uint32_t count)
{
    Uuid *ids = arena_array(ctx->arena, Uuid, count);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = drafts[i].id;
    TRY(db_tx_query(tx, &SQL_ARTICLES_FLAG_TEST,
                    ARGS(db_uuid(ctx->scope.site), db_uuid_array(ctx->arena, ids, count)), NULL));
    return db_tx_query(tx, &SQL_CAMPAIGN_TEST_BATCH,
                       ARGS(db_uuid(ctx->scope.site), db_uuid(campaign), db_text(STR("ready"))),
                       NULL);
}

static fiber_fn Err log_test(struct db_tx *tx, Uuid queue, Uuid campaign, uint32_t count)
{
    struct ctx *ctx = tx->ctx;
    Str id = uuid_text(ctx->arena, campaign);
    Str details = str_printf(ctx->arena, "{\"articles\":%" PRIu32 ",\"campaign_id\":\"%.*s\"}",
                             count, STR_FMT(id));
    return log_queue(tx, uuid_is_nil(queue) ? campaign : queue, STR("test_generated"), details);
}

fiber_fn Err production_test_batch(struct ctx *ctx, Uuid queue, Uuid campaign, uint32_t count,
                                   struct article_draft *ret_drafts, uint32_t *ret_count)
{
    struct article_batch batch = {0};
    TRY(article_plan_get(ctx, campaign, &batch.plan));
    TRY(campaign_check_active(ctx, &batch.plan->campaign));
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    struct production_moved moved;
    if (!uuid_is_nil(queue))
        TRY(production_move(&tx, queue, STR("test"), STR_NONE, &moved));
    uint32_t made;
    TRY(articles_make(ctx, &tx, &batch, count, ret_drafts, &made));
    if (made == 0)
        return fail(ctx, ERR_CONFLICT,
                    "The campaign has no free headline to make a test batch from.");
    TRY(flag_test(ctx, &tx, campaign, ret_drafts, made));
    TRY(log_test(&tx, queue, campaign, made));
    TRY(db_commit(&tx));
    articles_count_usage(batch.plan, ret_drafts, made);
    counter_add(COUNTER_articles_generated, made);
    *ret_count = made;
    return OK;
}
