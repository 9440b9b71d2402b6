/*
 * Deleting: by key, keys or query. A missing row counts as deleted for administrators of the
 * platform, and as forbidden for others.
 */
#include "content/items/write.h"

#include <assert.h>

fiber_fn Err write_delete_keys(struct writer *w, const struct write_target *target, const Str *keys,
                               uint32_t count)
{
    assert(target->action == ACTION_DELETE);
    if (count == 0)
        return OK;
    const struct json *none;
    TRY(write_before(w, ITEMS_DELETE, target->collection, keys, count, NULL, &none));
    struct write_shape shape = {.action = ACTION_DELETE, .is_many = true, .access = target->access};
    const struct plan *plan;
    struct run run = {.ctx = w->ctx,
                      .keys = keys_arg(w->ctx->arena, target->collection->key, keys, count)};
    TRY(write_plan(w, target->collection, &shape, &plan));
    TRY(write_run(w, plan, &shape, NULL, STR_NONE, &run));
    if (run.rows.count < count && !write_ignores_missing(w->ctx, target))
        return write_forbidden(w->ctx, target, NULL);
    return write_after(w, ITEMS_DELETE, target->collection, keys, count, NULL);
}

struct deletion {
    const struct write_target *target;
    const Str *keys;
    uint32_t count;
};

static fiber_fn Err delete_steps(struct writer *w, void *arg)
{
    const struct deletion *deletion = arg;
    return write_delete_keys(w, deletion->target, deletion->keys, deletion->count);
}

/* One forbidden row rolls back the deletion of all. */
static fiber_fn Err delete_all(struct writer *w, const struct write_target *target, const Str *keys,
                               uint32_t count)
{
    assert(w->tx == NULL);
    struct deletion deletion = {target, keys, count};
    bool is_one_statement = write_ignores_missing(w->ctx, target) || count == 1;
    if (is_one_statement && !write_needs_tx(target->collection, NULL))
        TRY(delete_steps(w, &deletion));
    else
        TRY(writer_in_tx(w, delete_steps, &deletion));
    write_announce(w);
    return OK;
}

fiber_fn Err items_delete(struct ctx *ctx, struct items_target target, Str key)
{
    struct writer w;
    struct write_target write_target;
    TRY(write_open(ctx, target, ACTION_DELETE, &w, &write_target));
    if (!key_is_valid(write_target.collection->key, key))
        return fail_plain(ctx, ERR_FORBIDDEN);
    return delete_all(&w, &write_target, &key, 1);
}

fiber_fn Err items_delete_many(struct ctx *ctx, struct items_target target, const struct json *body)
{
    struct writer w;
    struct write_target write_target;
    TRY(write_open(ctx, target, ACTION_DELETE, &w, &write_target));
    if (json_kind(body) != JSON_ARRAY)
        TRY(write_check_batch(ctx, body, false));
    const struct json *by_keys = json_kind(body) == JSON_ARRAY ? body : json_get(body, STR("keys"));
    const Str *keys;
    uint32_t count;
    TRY(write_keys_of_body(&w, write_target.collection, by_keys, json_get(body, STR("query")),
                           &keys, &count));
    return delete_all(&w, &write_target, keys, count);
}
