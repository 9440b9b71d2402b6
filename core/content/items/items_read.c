/*
 * Reading: lists, single rows, singletons.
 */
#include "access/grants/actor.h"
#include "content/items/items.h"
#include "content/run/run.h"

#include <assert.h>

static void write_meta(const struct run *run, struct buf *out)
{
    const struct plan *plan = run->plan;
    if (plan->total == NULL && plan->filter == NULL)
        return;
    buf_put(out, STR("\"meta\":{"));
    if (plan->total != NULL) {
        buf_put(out, STR("\"total_count\":"));
        buf_put_i64(out, run->total);
    }
    if (plan->filter != NULL) {
        buf_put(out, plan->total != NULL ? STR(",\"filter_count\":") : STR("\"filter_count\":"));
        buf_put_i64(out, run->filtered);
    }
    buf_put(out, STR("},"));
}

static fiber_fn void write_list(const struct run *run, struct buf *out)
{
    buf_put_char(out, '{');
    write_meta(run, out);
    buf_put(out, STR("\"data\":"));
    run_write_list(run, out);
    buf_put_char(out, '}');
}

/* A singleton answers its one row as an object, one of nulls before there is any. */
static fiber_fn void write_first(const struct run *run, struct buf *out)
{
    buf_put_char(out, '{');
    write_meta(run, out);
    buf_put(out, STR("\"data\":"));
    if (run->rows.count > 0)
        run_write_row(run, 0, out);
    else
        run_write_nothing(run, out);
    buf_put_char(out, '}');
}

Err items_list(struct ctx *ctx, struct items_target target, const struct query *query,
               struct buf *out)
{
    assert(query != NULL && out != NULL);
    const struct schema *schema;
    const struct collection *collection;
    TRY(schema_current(ctx, &schema));
    TRY(plan_collection(ctx, schema, target, ACTION_READ, &collection));
    struct run run = {.ctx = ctx};
    struct plan_request request = {
        .op = PLAN_LIST, .collection = collection, .query = query, .ret_values = &run.values};
    TRY(plan_get(ctx, schema, &request, &run.plan));
    TRY(run_plan(&run));
    if (collection->is_singleton && !run.plan->is_aggregated)
        write_first(&run, out);
    else
        write_list(&run, out);
    return buf_check(ctx, out, "the answer");
}

Err items_read(struct ctx *ctx, struct items_target target, Str key, const struct query *query,
               struct buf *out)
{
    assert(query != NULL && out != NULL);
    const struct schema *schema;
    const struct collection *collection;
    TRY(schema_current(ctx, &schema));
    TRY(plan_collection(ctx, schema, target, ACTION_READ, &collection));
    struct run run = {.ctx = ctx};
    struct plan_request request = {
        .op = PLAN_ONE, .collection = collection, .query = query, .ret_values = &run.values};
    TRY(plan_get(ctx, schema, &request, &run.plan));
    TRY(key_parse(ctx, collection, key, &run.key));
    TRY(run_plan(&run));
    TRY(run_check_keys(&run));
    if (run.rows.count == 0)
        return fail_plain(ctx, ERR_FORBIDDEN);
    buf_put(out, STR("{\"data\":"));
    run_write_row(&run, 0, out);
    buf_put_char(out, '}');
    return buf_check(ctx, out, "the answer");
}

Err items_read_many(struct ctx *ctx, struct items_target target, const Str *keys, uint32_t count,
                    const struct query *query, struct buf *out)
{
    assert(query != NULL && out != NULL);
    const struct schema *schema;
    const struct collection *collection;
    TRY(schema_current(ctx, &schema));
    TRY(plan_collection(ctx, schema, target, ACTION_READ, &collection));
    if (count > ITEMS_WRITE_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d keys", ITEMS_WRITE_MAX);
    for (uint32_t i = 0; i < count; i++) {
        DbArg checked;
        TRY(key_parse(ctx, collection, keys[i], &checked));
    }
    struct plan_request request = {PLAN_KEYS, collection, query, STR_NONE, NULL, NULL, NULL, NULL};
    struct run run = {.ctx = ctx, .keys = array_literal(ctx->arena, keys, count)};
    TRY(plan_get(ctx, schema, &request, &run.plan));
    TRY(run_plan(&run));
    TRY(run_check_keys(&run));
    write_list(&run, out);
    return buf_check(ctx, out, "the answer");
}
