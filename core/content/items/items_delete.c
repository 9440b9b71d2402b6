/*
 * Deleting: by key, keys or query. What is not there is deleted already, for administrators; for
 * others it is a row they have no right to.
 */
#include "content/items/write.h"

#include <assert.h>

Err delete_keys(struct writer *w, const struct write_scope *scope, const Str *keys, uint32_t count)
{
    if (count == 0)
        return OK;
    const struct json *none;
    TRY(write_before(w, ITEMS_DELETE, scope->collection, keys, count, NULL, &none));
    struct write_shape shape = {.action = ACTION_DELETE, .is_many = true, .access = scope->access};
    const struct plan *plan;
    struct run run = {.ctx = w->ctx, .keys = array_literal(w->ctx->arena, keys, count)};
    TRY(write_plan(w, scope->collection, &shape, &plan));
    TRY(write_run(w, plan, &shape, NULL, STR_NONE, &run));
    if (run.rows.count < count && !scope->access.is_full)
        return write_forbidden(w->ctx, scope, NULL);
    return OK;
}

/* One forbidden row forbids all: then the deletion of the others is taken back. */
static fiber_fn Err delete_all(struct writer *w, const struct write_scope *scope, const Str *keys,
                               uint32_t count)
{
    if (scope->access.is_full || count == 1) {
        TRY(delete_keys(w, scope, keys, count));
    } else {
        SCOPED_TX struct db_tx tx = {0};
        TRY(db_begin(w->ctx, &tx));
        w->tx = &tx;
        TRY(delete_keys(w, scope, keys, count));
        w->tx = NULL;
        TRY(db_commit(&tx));
    }
    write_announce(w);
    return OK;
}

static fiber_fn Err open_delete(struct ctx *ctx, struct items_target target, struct writer *w,
                                struct write_scope *ret)
{
    const struct collection *collection;
    *w = (struct writer){.ctx = ctx};
    TRY(schema_current(ctx, &w->schema));
    TRY(plan_collection(ctx, w->schema, target, ACTION_DELETE, &collection));
    return write_scope_open(ctx, w->schema, collection, ACTION_DELETE, ret);
}

Err items_delete(struct ctx *ctx, struct items_target target, Str key)
{
    struct writer w;
    struct write_scope scope;
    TRY(open_delete(ctx, target, &w, &scope));
    if (!key_is_valid(scope.collection->key, key))
        return fail_plain(ctx, ERR_FORBIDDEN);
    return delete_all(&w, &scope, &key, 1);
}

Err items_delete_many(struct ctx *ctx, struct items_target target, const struct json *body)
{
    struct writer w;
    struct write_scope scope;
    TRY(open_delete(ctx, target, &w, &scope));
    const struct json *by_keys = json_kind(body) == JSON_ARRAY ? body : json_get(body, STR("keys"));
    const struct json *by_query = json_get(body, STR("query"));
    if (by_keys == NULL && by_query == NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "\"value\" must contain at least one of [query, keys]");
    if (by_keys != NULL && by_query != NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "\"value\" contains a conflict between exclusive peers [query, keys]");
    const Str *keys;
    uint32_t count;
    if (by_keys != NULL)
        TRY(write_take_keys(ctx, scope.collection, by_keys, &keys, &count));
    else
        TRY(keys_by_query(&w, scope.collection, by_query, &keys, &count));
    return delete_all(&w, &scope, keys, count);
}
