/*
 * Deleting: by key, keys or query. What is not there is deleted already, for administrators; for
 * others it is a row they have no right to.
 */
#include "content/items/write.h"

#include <assert.h>

fiber_fn Err write_delete_keys(struct writer *w, const struct write_scope *scope, const Str *keys,
                               uint32_t count)
{
    assert(scope->action == ACTION_DELETE);
    if (count == 0)
        return OK;
    const struct json *none;
    TRY(write_before(w, ITEMS_DELETE, scope->collection, keys, count, NULL, &none));
    struct write_shape shape = {.action = ACTION_DELETE, .is_many = true, .access = scope->access};
    const struct plan *plan;
    struct run run = {.ctx = w->ctx, .keys = run_array_literal(w->ctx->arena, keys, count)};
    TRY(write_plan(w, scope->collection, &shape, &plan));
    TRY(write_run(w, plan, &shape, NULL, STR_NONE, &run));
    if (run.rows.count < count && !scope->access.is_full)
        return write_forbidden(w->ctx, scope, NULL);
    return OK;
}

struct deletion {
    const struct write_scope *scope;
    const Str *keys;
    uint32_t count;
};

static fiber_fn Err delete_steps(struct writer *w, void *arg)
{
    const struct deletion *deletion = arg;
    return write_delete_keys(w, deletion->scope, deletion->keys, deletion->count);
}

/* One forbidden row forbids all: then the deletion of the others is taken back. */
static fiber_fn Err delete_all(struct writer *w, const struct write_scope *scope, const Str *keys,
                               uint32_t count)
{
    assert(w->tx == NULL);
    struct deletion deletion = {scope, keys, count};
    if (scope->access.is_full || count == 1)
        TRY(delete_steps(w, &deletion));
    else
        TRY(writer_in_tx(w, delete_steps, &deletion));
    write_announce(w);
    return OK;
}

fiber_fn Err items_delete(struct ctx *ctx, struct items_target target, Str key)
{
    struct writer w;
    struct write_scope scope;
    TRY(write_open(ctx, target, ACTION_DELETE, &w, &scope));
    if (!key_is_valid(scope.collection->key, key))
        return fail_plain(ctx, ERR_FORBIDDEN);
    return delete_all(&w, &scope, &key, 1);
}

fiber_fn Err items_delete_many(struct ctx *ctx, struct items_target target, const struct json *body)
{
    struct writer w;
    struct write_scope scope;
    TRY(write_open(ctx, target, ACTION_DELETE, &w, &scope));
    const struct json *by_keys = json_kind(body) == JSON_ARRAY ? body : json_get(body, STR("keys"));
    const Str *keys;
    uint32_t count;
    TRY(write_keys_of_body(&w, scope.collection, by_keys, json_get(body, STR("query")), &keys,
                           &count));
    return delete_all(&w, &scope, keys, count);
}
