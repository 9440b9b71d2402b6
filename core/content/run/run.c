/*
 * Sends the statements of a plan, and passes its rows to a sink.
 */
#include "content/run/branch.h"
#include "content/run/row.h"
#include "gen/sql.h"

#include <assert.h>

static fiber_fn Err flush_in_tx(struct db_tx *tx, const struct db_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        TRY(db_tx_query(tx, batch->commands[i].statement, batch->commands[i].args,
                        batch->commands[i].ret_rows));
    return OK;
}

fiber_fn Err run_flush(struct run *run, struct db_batch *batch)
{
    assert(batch->count <= DB_BATCH_MAX);
    if (batch->count == 0)
        return OK;
    if (run->tx != NULL)
        return flush_in_tx(run->tx, batch);
    if (batch->count == 1)
        return db_query(run->ctx, batch->commands[0].statement, batch->commands[0].args,
                        batch->commands[0].ret_rows);
    return db_batch_run(run->ctx, batch);
}

fiber_fn Err run_send(struct run *run, const struct select *select, struct db_batch *batch,
                      struct rows *ret)
{
    assert(select->statement.sql != NULL);
    struct db_args args;
    if (batch->count == DB_BATCH_MAX) {
        TRY(run_flush(run, batch));
        *batch = (struct db_batch){.lane = batch->lane};
    }
    TRY(run_bind(run, select, &args));
    db_batch_add(batch, &select->statement, args, ret);
    return OK;
}

/* A row by its key that is not granted is as good as none. */
static void drop_unreadable(struct run *run)
{
    assert(run->plan->readable_count == 0 || (run->plan->is_single && run->rows.count <= 1));
    if (run->plan->readable_count > 0 && run->rows.count > 0 && !run_may_read(run, 0))
        run->rows.count = 0;
}

fiber_fn Err run_plan(struct run *run)
{
    assert(run->plan != NULL && run->rows.result == NULL);
    const struct plan *plan = run->plan;
    struct rows total = {0};
    struct rows filtered = {0};
    /* The count statements have the same filter as the rows, so the lane is the same. */
    struct db_batch batch = {.lane = plan->root->statement.lane};
    TRY(run_send(run, plan->root, &batch, &run->rows));
    if (plan->total != NULL)
        TRY(run_send(run, plan->total, &batch, &total));
    if (plan->filter != NULL)
        TRY(run_send(run, plan->filter, &batch, &filtered));
    TRY(run_flush(run, &batch));
    if (plan->total != NULL)
        run->total = row_int(&total, 0, 0);
    if (plan->filter != NULL)
        run->filtered = row_int(&filtered, 0, 0);
    drop_unreadable(run);
    return run_branches(run, plan->root, &run->rows);
}

const struct db_error_rule AMBIGUOUS_KEY_ERROR = {"SPK01", ERR_AMBIGUOUS_KEY, db_error_plain};

Err run_check_keys(const struct run *run)
{
    assert(run->plan != NULL);
    const struct plan *plan = run->plan;
    struct ctx *ctx = run->ctx;
    if (ctx->scope.kind != SCOPE_PLATFORM || !plan->collection->is_keyed_by_site ||
        plan->is_aggregated)
        return OK;
    if (plan->is_single)
        return run->rows.count < 2 ? OK : fail_plain(ctx, ERR_AMBIGUOUS_KEY);
    struct map *seen = map_in_arena(ctx->arena);
    for (uint32_t i = 0; i < run->rows.count; i++) {
        Str key = key_of_row(ctx->arena, &run->rows, i, plan->key_column);
        if (map_put(seen, key, seen) != NULL)
            return fail_plain(ctx, ERR_AMBIGUOUS_KEY);
    }
    return OK;
}

bool run_may_read(const struct run *run, uint32_t row)
{
    assert(row < run->rows.count);
    const struct plan *plan = run->plan;
    bool is_granted = plan->readable_count == 0;
    for (uint32_t i = 0; i < plan->readable_count && !is_granted; i++)
        is_granted = row_bool(&run->rows, row, plan->readable[i]);
    return !plan->is_unreadable && is_granted;
}

static struct row row_at(const struct run *run, uint32_t index)
{
    assert(index < run->rows.count);
    return (struct row){
        .run = run, .shape = run->plan->root->shape, .rows = &run->rows, .index = index};
}

static struct rows_head head_of(const struct run *run, bool is_list)
{
    return (struct rows_head){
        .is_list = is_list,
        .has_total = run->plan->total != NULL,
        .has_filtered = run->plan->filter != NULL,
        .total = run->total,
        .filtered = run->filtered,
    };
}

fiber_fn Err run_emit_row(const struct run *run, uint32_t index, struct row_sink *sink)
{
    assert(sink != NULL);
    struct rows_head head = head_of(run, false);
    struct row row = row_at(run, index);
    sink->begin(sink, &head);
    (void)sink->take_row(sink, &row); /* `end` reports whether the sink was full */
    return sink->end(sink, run->ctx);
}

/* The row of the defaults that holds the value of a member, or NO_COLUMN for the key, which is
 * null; false for all others. */
static bool stands_in(const struct run *run, const struct out *out, uint32_t *ret)
{
    if (out->kind != OUT_VALUE)
        return false;
    const struct operand *operand = &run->plan->root->columns[out->column].operand;
    *ret = NO_COLUMN;
    if (operand->field == NULL || operand->function != FUNCTION_NONE)
        return false;
    if (operand->field->is_key)
        return true;
    for (uint32_t i = 0; i < run->defaults.count; i++)
        if (str_eq(row_text(&run->defaults, i, CONTENT_DEFAULTS_FIELD), operand->field->name))
            *ret = row_is_null(&run->defaults, i, CONTENT_DEFAULTS_VALUE) ? NO_COLUMN : i;
    return *ret != NO_COLUMN;
}

static struct shape *shape_of_nothing(const struct run *run)
{
    const struct shape *shape = run->plan->root->shape;
    struct shape *ret = arena_new(run->ctx->arena, struct shape);
    *ret = *shape;
    ret->outs = arena_array(run->ctx->arena, struct out, shape->count + 1);
    ret->count = 0;
    for (uint32_t i = 0; i < shape->count; i++) {
        struct out out = shape->outs[i];
        if (!stands_in(run, &shape->outs[i], &out.column))
            continue;
        if (ret->count == 0 && i > 0) /* without the comma */
            out.json_key = str_slice(out.json_key, 1, out.json_key.len);
        ret->outs[ret->count++] = out;
    }
    return ret;
}

fiber_fn Err run_emit_nothing(const struct run *run, struct row_sink *sink)
{
    struct rows_head head = head_of(run, false);
    struct row row = {.run = run, .shape = shape_of_nothing(run)};
    assert(run->rows.count == 0);
    sink->begin(sink, &head);
    (void)sink->take_row(sink, &row);
    return sink->end(sink, run->ctx);
}

fiber_fn Err run_emit_list(const struct run *run, struct row_sink *sink)
{
    assert(sink != NULL);
    struct rows_head head = head_of(run, true);
    bool takes_more = true;
    sink->begin(sink, &head);
    for (uint32_t i = 0; i < run->rows.count && takes_more; i++) {
        struct row row = row_at(run, i);
        if (run_may_read(run, i))
            takes_more = sink->take_row(sink, &row);
    }
    return sink->end(sink, run->ctx);
}
