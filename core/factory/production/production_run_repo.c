#include "access/audit/audit.h"
#include "base/system/counters.h"
#include "factory/production/production_internal.h"
#include "gen/sql.h"

#include <assert.h>
#include <inttypes.h>

static DbArg site_arg(const struct ctx *ctx)
{
    return db_uuid(ctx->scope.site);
}

/* Slots */

fiber_fn Err production_claim(struct db_tx *tx, Uuid queue, int64_t job, uint32_t limit)
{
    struct rows rows;
    return db_tx_query(tx, &SQL_SLOTS_CLAIM,
                       ARGS(site_arg(tx->ctx), db_uuid(queue), db_int(limit), db_int(job)), &rows);
}

static fiber_fn Err take_slots(struct db_tx *tx, struct production_turn *turn)
{
    struct rows rows;
    TRY(db_tx_query(
        tx, &SQL_SLOTS_LOCK,
        ARGS(site_arg(tx->ctx), db_uuid(turn->queue), db_int(turn->job), db_int(ARTICLE_BATCH_MAX)),
        &rows));
    assert(rows.count <= ARTICLE_BATCH_MAX);
    for (uint32_t i = 0; i < rows.count; i++) {
        turn->slots[i] = row_uuid(&rows, i, SLOTS_LOCK_ID);
        turn->publish_us[i] = row_time(&rows, i, SLOTS_LOCK_PUBLISH_DATE);
    }
    turn->batch.publish_us = turn->publish_us;
    turn->slot_count = rows.count;
    return OK;
}

static fiber_fn Err make(struct db_tx *tx, void *arg)
{
    struct production_turn *turn = arg;
    return articles_make(tx->ctx, tx, &turn->batch, turn->slot_count, turn->drafts, &turn->made);
}

/* What another try may mend is the job's to try again, with nothing written. What it may not is
 * the slots' end, with its sentence. */
static fiber_fn Err make_or_fail(struct db_tx *tx, struct production_turn *turn)
{
    struct ctx *ctx = tx->ctx;
    turn->drafts = arena_array(ctx->arena, struct article_draft, turn->slot_count);
    Err failed;
    TRY(db_savepoint(tx, make, turn, &failed));
    if (failed != OK && err_info(failed)->retry == RETRY_LATER)
        return failed;
    if (failed != OK) {
        turn->made = 0;
        turn->why = str_dup(ctx->arena, diag_message(ctx, ctx->diag.last));
        diag_clear(ctx);
    } else if (turn->made < turn->slot_count) {
        turn->why = STR("The campaign has no free headline left.");
    }
    return OK;
}

static fiber_fn Err store_done(struct db_tx *tx, const struct production_turn *turn)
{
    struct ctx *ctx = tx->ctx;
    Uuid *slots = arena_array(ctx->arena, Uuid, turn->made);
    Uuid *articles = arena_array(ctx->arena, Uuid, turn->made);
    for (uint32_t i = 0; i < turn->made; i++) {
        slots[i] = turn->slots[turn->drafts[i].headline.place];
        articles[i] = turn->drafts[i].id;
    }
    return db_tx_query(tx, &SQL_SLOTS_DONE,
                       ARGS(site_arg(ctx), db_uuid_array(ctx->arena, slots, turn->made),
                            db_uuid_array(ctx->arena, articles, turn->made)),
                       NULL);
}

static fiber_fn Err store_failed(struct db_tx *tx, const struct production_turn *turn)
{
    struct ctx *ctx = tx->ctx;
    bool is_done[ARTICLE_BATCH_MAX] = {false};
    for (uint32_t i = 0; i < turn->made; i++)
        is_done[turn->drafts[i].headline.place] = true;
    Uuid *slots = arena_array(ctx->arena, Uuid, turn->slot_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < turn->slot_count; i++)
        if (!is_done[i])
            slots[count++] = turn->slots[i];
    return db_tx_query(
        tx, &SQL_SLOTS_FAIL,
        ARGS(site_arg(ctx), db_uuid_array(ctx->arena, slots, count), db_text(turn->why)), NULL);
}

/* An article belongs to the slot whose day its text was made for. */
static fiber_fn Err store_slots(struct db_tx *tx, const struct production_turn *turn)
{
    if (turn->made > 0)
        TRY(store_done(tx, turn));
    return turn->made < turn->slot_count ? store_failed(tx, turn) : OK;
}

static fiber_fn Err log_turn(struct db_tx *tx, const struct production_turn *turn)
{
    struct ctx *ctx = tx->ctx;
    struct audit audit = {
        .action = STR("batch_generated"),
        .entity_type = STR("production_queue"),
        .entity_id = uuid_text(ctx->arena, turn->queue),
        .details = str_printf(ctx->arena, "{\"generated\":%" PRIu32 ",\"errors\":%" PRIu32 "}",
                              turn->made, turn->slot_count - turn->made),
        .level = turn->why.len > 0 ? "warning" : "success",
    };
    return audit_write(tx, &audit);
}

/* Ends of queues */

static fiber_fn Err lock_status(struct db_tx *tx, Uuid queue, Str *ret)
{
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_PRODUCTION_LOCK,
                    ARGS(site_arg(tx->ctx), db_uuid(queue), db_text(STR(""))), &rows));
    if (rows.count == 0)
        return fail(tx->ctx, ERR_NOT_FOUND, "There is no such queue.");
    *ret = row_text(&rows, 0, PRODUCTION_LOCK_STATUS);
    return OK;
}

/* Under the queue's lock, so that the last of two turns that end together sees both. Progress is
 * counted from the slots, never added up. A queue that was paused or cancelled meanwhile stays
 * so. */
static fiber_fn Err settle(struct db_tx *tx, Uuid queue, Str why)
{
    Str status;
    TRY(lock_status(tx, queue, &status));
    DbArg site = site_arg(tx->ctx);
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_PRODUCTION_SHOW, ARGS(site, db_uuid(queue)), &rows));
    int64_t failed = row_int(&rows, 0, PRODUCTION_SHOW_FAILED);
    int64_t open =
        row_int(&rows, 0, PRODUCTION_SHOW_PENDING) + row_int(&rows, 0, PRODUCTION_SHOW_CLAIMED);
    int64_t done = row_int(&rows, 0, PRODUCTION_SHOW_DONE);
    TRY(db_tx_query(tx, &SQL_PRODUCTION_COUNT, ARGS(site, db_uuid(queue), db_int4((int32_t)done)),
                    NULL));
    if (!str_eq(status, STR("running")))
        return OK;
    if (why.len == 0 && open == 0 && failed > 0)
        why = str_printf(tx->ctx->arena, "%jd slots have failed.", (intmax_t)failed);
    struct production_moved moved;
    if (why.len > 0)
        return production_move(tx, queue, STR("fail"), why, &moved);
    return open == 0 ? production_move(tx, queue, STR("finish"), STR_NONE, &moved) : OK;
}

fiber_fn Err production_turn_run(struct db_tx *tx, struct production_turn *turn)
{
    TRY(take_slots(tx, turn));
    if (turn->slot_count > 0) {
        TRY(make_or_fail(tx, turn));
        TRY(store_slots(tx, turn));
        TRY(log_turn(tx, turn));
    }
    return settle(tx, turn->queue, turn->why);
}

fiber_fn void production_turn_committed(struct ctx *ctx, const struct production_turn *turn)
{
    articles_count_usage(turn->batch.plan, turn->drafts, turn->made);
    counter_add(COUNTER_articles_generated, turn->made);
    err_ignore(db_query(ctx, &SQL_STATISTICS_REFRESH, NO_ARGS, NULL),
               "statistics help the next turns; this one is done");
}

/* The request */

/* The move holds the queue's lock, so requests for one queue follow each other, and what is counted
 * as pending is still there to be claimed. */
static fiber_fn Err start(struct db_tx *tx, Uuid queue, uint32_t limit, uint32_t *ret_slots)
{
    struct production_moved moved;
    TRY(production_move(tx, queue, STR("start"), STR_NONE, &moved));
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_PRODUCTION_SHOW, ARGS(site_arg(tx->ctx), db_uuid(queue)), &rows));
    uint32_t pending = (uint32_t)row_int(&rows, 0, PRODUCTION_SHOW_PENDING);
    *ret_slots = pending < limit ? pending : limit;
    return OK;
}

static fiber_fn Err process(struct ctx *ctx, struct production_turn *turn,
                            const struct production_order *order, struct production_result *result)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    uint32_t slots;
    TRY(start(&tx, turn->queue, order->limit, &slots));
    if (slots > PRODUCTION_SYNC_MAX || (order->is_async && slots > 0)) {
        TRY(production_hand_out(&tx, turn->queue, slots, order->priority, &result->jobs));
        result->queued = slots;
        return db_commit(&tx);
    }
    if (slots > 0)
        TRY(production_claim(&tx, turn->queue, 0, slots));
    TRY(production_turn_run(&tx, turn));
    TRY(db_commit(&tx));
    production_turn_committed(ctx, turn);
    result->generated = turn->made;
    result->errors = turn->slot_count - turn->made;
    return OK;
}

/* Another request may have done the last of it since the queue was looked at. */
static fiber_fn Err process_unless_done(struct ctx *ctx, struct production_turn *turn,
                                        const struct production_order *order,
                                        struct production_result *result)
{
    Err err = process(ctx, turn, order, result);
    struct production_state now;
    if (err != ERR_CONFLICT || production_find(ctx, turn->queue, &now) != OK ||
        !str_eq(now.status, STR("done")))
        return err;
    diag_clear(ctx);
    return OK;
}

fiber_fn Err production_process(struct ctx *ctx, Uuid queue, const struct production_order *order,
                                struct production_result *ret)
{
    assert(order->limit > 0 && order->limit <= PRODUCTION_LIMIT_MAX);
    struct production_result result = {0};
    TRY(production_find(ctx, queue, &result.state));
    if (!str_eq(result.state.status, STR("done"))) {
        struct production_turn *turn = arena_new(ctx->arena, struct production_turn);
        turn->queue = queue;
        TRY(article_plan_get(ctx, result.state.campaign, &turn->batch.plan));
        TRY(campaign_check_active(ctx, &turn->batch.plan->campaign));
        TRY(process_unless_done(ctx, turn, order, &result));
        TRY(production_find(ctx, queue, &result.state));
    }
    *ret = result;
    return OK;
}
