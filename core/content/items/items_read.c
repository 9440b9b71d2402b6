/*
 * Reading: lists, single rows, singletons.
 */
#include "access/grants/actor.h"
#include "content/items/items.h"
#include "content/run/run.h"
#include "gen/sql.h"

#include <assert.h>

struct reading {
    const struct schema *schema;
    struct plan_request request;
    struct run run;
};

/* The first step of every read. `ret` must not move: the request points into it. */
static fiber_fn Err read_open(struct ctx *ctx, struct items_target target, enum plan_op op,
                              const struct query *query, struct reading *ret)
{
    assert(query != NULL);
    *ret = (struct reading){
        .request = {.op = op, .query = query, .ret_values = &ret->run.values},
        .run = {.ctx = ctx},
    };
    TRY(schema_current(ctx, &ret->schema));
    return plan_collection(ctx, ret->schema, target, ACTION_READ, &ret->request.collection);
}

static Err read_plan(struct reading *r)
{
    assert(r->request.collection != NULL && r->run.plan == NULL);
    return plan_get(r->run.ctx, r->schema, &r->request, &r->run.plan);
}

fiber_fn Err items_list(struct ctx *ctx, struct items_target target, const struct query *query,
                        struct row_sink *sink)
{
    assert(sink != NULL);
    struct reading r;
    TRY(read_open(ctx, target, PLAN_LIST, query, &r));
    TRY(read_plan(&r));
    TRY(run_plan(&r.run));
    if (!r.request.collection->is_singleton)
        return run_emit_list(&r.run, sink);
    if (r.run.rows.count > 0)
        return run_emit_row(&r.run, 0, sink);
    TRY(db_query(ctx, &SQL_CONTENT_DEFAULTS, ARGS(db_text(r.request.collection->name)),
                 &r.run.defaults));
    return run_emit_nothing(&r.run, sink);
}

fiber_fn Err items_are_singleton(struct ctx *ctx, struct items_target target, bool *ret)
{
    const struct query all = {0};
    struct reading r;
    TRY(read_open(ctx, target, PLAN_LIST, &all, &r));
    *ret = r.request.collection->is_singleton;
    return OK;
}

fiber_fn Err items_read(struct ctx *ctx, struct items_target target, Str key,
                        const struct query *query, struct row_sink *sink)
{
    assert(sink != NULL);
    struct reading r;
    TRY(read_open(ctx, target, PLAN_ONE, query, &r));
    TRY(read_plan(&r));
    TRY(key_parse(ctx, r.request.collection, key, &r.run.key));
    TRY(run_plan(&r.run));
    TRY(run_check_keys(&r.run));
    if (r.run.rows.count == 0)
        return fail_plain(ctx, ERR_FORBIDDEN);
    return run_emit_row(&r.run, 0, sink);
}

Err items_keys_read(struct ctx *ctx, const struct json *list, const Str **ret, uint32_t *ret_count)
{
    uint32_t count = json_len(list);
    if (json_kind(list) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"keys\" must be an array");
    if (count > ITEMS_WRITE_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d keys", ITEMS_WRITE_MAX);
    Str *keys = arena_array(ctx->arena, Str, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct json *key = json_at(list, i);
        if (json_kind(key) == JSON_STRING)
            keys[i] = json_str(key);
        else if (json_kind(key) == JSON_INT)
            keys[i] = json_text(ctx->arena, key);
        else
            return fail(ctx, ERR_INVALID_PAYLOAD, "\"keys[%u]\" must be one of [string, number]",
                        i);
    }
    *ret = keys;
    *ret_count = count;
    return OK;
}

fiber_fn Err items_read_many(struct ctx *ctx, struct items_target target, const Str *keys,
                             uint32_t count, const struct query *query, struct row_sink *sink)
{
    assert(sink != NULL);
    struct reading r;
    TRY(read_open(ctx, target, PLAN_KEYS, query, &r));
    if (count > ITEMS_WRITE_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d keys", ITEMS_WRITE_MAX);
    for (uint32_t i = 0; i < count; i++) {
        DbArg checked;
        TRY(key_parse(ctx, r.request.collection, keys[i], &checked));
    }
    r.run.keys = keys_arg(ctx->arena, r.request.collection->key, keys, count);
    TRY(read_plan(&r));
    TRY(run_plan(&r.run));
    TRY(run_check_keys(&r.run));
    return run_emit_list(&r.run, sink);
}
