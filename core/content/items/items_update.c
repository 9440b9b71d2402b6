/*
 * Updating: one row, rows by keys, rows by query, several rows with different changes.
 */
#include "content/items/write.h"

#include <assert.h>

/* Of an invalid payload for a row that may not be changed, the row is what is refused. */
static fiber_fn Err make(struct writer *w, const struct write_target *target,
                         const struct json *body, const Str *keys, uint32_t count,
                         struct payload *ret)
{
    Err err = payload_make(target, body, ret);
    if (err != ERR_FAILED_VALIDATION || count == 0)
        return err;
    struct diag story = w->ctx->diag;
    diag_clear(w->ctx);
    TRY(write_check_access(w, target, ret, keys, count));
    w->ctx->diag = story;
    return err;
}

/* A missing row is no fault of an administrator's. */
static Err missing(struct writer *w, const struct write_target *target,
                   const struct payload *payload)
{
    assert(target->action == ACTION_UPDATE);
    return write_ignores_missing(w->ctx, target) ? OK : write_forbidden(w->ctx, target, payload);
}

/* Applies one change to one or many rows. *run has no rows when none matched. An empty change still
 * needs grants and leaves activity. */
static fiber_fn Err apply(struct writer *w, const struct write_target *target,
                          const struct payload *payload, const Str *keys, uint32_t count,
                          bool is_many, const struct query *query, struct run *run)
{
    assert(count > 0 && target->action == ACTION_UPDATE);
    assert(is_many || count == 1);
    struct write_shape shape = {.action = ACTION_UPDATE,
                                .is_many = is_many,
                                .has_lineage = write_has_lineage(target, payload),
                                .parent_revision = target->parent_revision,
                                .access = target->access,
                                .query = query};
    write_columns(w->ctx, payload, &shape);
    const struct plan *plan;
    if (is_many)
        run->keys = run_array_literal(w->ctx->arena, keys, count);
    else
        TRY(key_parse(w->ctx, target->collection, keys[0], &run->key));
    TRY(write_plan(w, target->collection, &shape, &plan));
    TRY(write_run(w, plan, &shape, payload, payload_json(w->ctx, payload), run));
    return run->rows.count < count ? missing(w, target, payload) : OK;
}

/* The row of a payload, and the rows that point to it. */
static fiber_fn Err apply_to_one(struct writer *w, const struct write_target *target,
                                 const struct payload *payload, Str key, const struct query *query,
                                 struct run *run)
{
    TRY(apply(w, target, payload, &key, 1, false, query, run));
    int64_t revision = w->revision;
    TRY(nested_adopt(w, payload, revision));
    TRY(nested_after(w, target, payload, key, false));
    w->revision = revision;
    return OK;
}

fiber_fn Err write_update_one(struct writer *w, const struct write_target *target, Str key,
                              const struct json *body, const struct query *query, struct run *run)
{
    assert(target->action == ACTION_UPDATE);
    TRY(write_check_rows(w->ctx, (uint64_t)w->rows + 1));
    struct payload payload;
    TRY(write_before(w, ITEMS_UPDATE, target->collection, &key, 1, body, &body));
    TRY(make(w, target, body, &key, 1, &payload));
    if (payload.first_nested != NULL)
        TRY(write_check_access(w, target, &payload, &key, 1));
    TRY(nested_before(w, target, &payload));
    TRY(apply_to_one(w, target, &payload, key, query, run));
    return write_after(w, ITEMS_UPDATE, target->collection, &key, 1, body);
}

struct update {
    const struct write_target *target;
    Str key;
    const struct json *body;
};

static fiber_fn Err update_nested(struct writer *w, void *arg)
{
    assert(w->tx != NULL);
    const struct update *update = arg;
    struct run run = {.ctx = w->ctx};
    return write_update_one(w, update->target, update->key, update->body, NULL, &run);
}

static fiber_fn Err update_object(struct writer *w, const struct write_target *target, Str key,
                                  const struct json *body, const struct query *query,
                                  struct row_sink *sink)
{
    assert(w->tx == NULL && sink != NULL);
    struct run run = {.ctx = w->ctx};
    struct update update = {target, key, body};
    TRY(key_parse(w->ctx, target->collection, key, &run.key));
    if (write_needs_tx(target->collection, body))
        TRY(writer_in_tx(w, update_nested, &update));
    else
        TRY(write_update_one(w, target, key, body, query, &run));
    write_announce(w);
    if (run.plan != NULL)
        return write_answer_row(w, &run, sink);
    return write_read_back(w, target->collection, &key, 1, false, query, sink);
}

fiber_fn Err items_update(struct ctx *ctx, struct items_target target, Str key,
                          const struct json *body, const struct query *query, struct row_sink *sink)
{
    assert(query != NULL && sink != NULL);
    struct writer w;
    struct write_target write_target;
    TRY(write_open(ctx, target, ACTION_UPDATE, &w, &write_target));
    TRY(write_refuse_singleton(ctx, write_target.collection, key));
    return update_object(&w, &write_target, key, body, query, sink);
}

/* Rows that get the same change. */
struct change {
    const struct write_target *target;
    const struct json *data;
    const Str *keys;
    uint32_t count;
};

/* Rows with nested rows are written one by one; what they point to is written once. */
static fiber_fn Err apply_in_turn(struct writer *w, const struct write_target *target,
                                  struct payload *payload, const Str *keys, uint32_t count)
{
    assert(payload->first_nested != NULL);
    TRY(nested_before(w, target, payload));
    for (uint32_t i = 0; i < count; i++) {
        struct run run = {.ctx = w->ctx};
        TRY(write_check_rows(w->ctx, (uint64_t)w->rows + 1));
        TRY(apply_to_one(w, target, payload, keys[i], NULL, &run));
        nested_forget(payload);
    }
    return OK;
}

fiber_fn Err write_update_keys(struct writer *w, const struct write_target *target, const Str *keys,
                               uint32_t count, const struct json *body)
{
    assert(target->action == ACTION_UPDATE);
    struct payload payload;
    struct run run = {.ctx = w->ctx};
    TRY(write_before(w, ITEMS_UPDATE, target->collection, keys, count, body, &body));
    TRY(make(w, target, body, keys, count, &payload));
    if (count == 0)
        return OK;
    if (payload.first_nested != NULL)
        TRY(write_check_access(w, target, &payload, keys, count));
    if (payload.first_nested != NULL)
        TRY(apply_in_turn(w, target, &payload, keys, count));
    else
        TRY(apply(w, target, &payload, keys, count, true, NULL, &run));
    return write_after(w, ITEMS_UPDATE, target->collection, keys, count, body);
}

static fiber_fn Err update_rows(struct writer *w, void *arg)
{
    const struct change *change = arg;
    return write_update_keys(w, change->target, change->keys, change->count, change->data);
}

/* If one forbidden row forbids all, the statement needs a transaction that can be rolled back. */
static fiber_fn Err update_keys(struct writer *w, const struct write_target *target,
                                const struct json *data, const Str *keys, uint32_t count)
{
    assert(w->tx == NULL);
    struct change change = {target, data, keys, count};
    if (write_ignores_missing(w->ctx, target) && !write_needs_tx(target->collection, data))
        return update_rows(w, &change);
    return writer_in_tx(w, update_rows, &change);
}

/* Rows with a different change each. */
struct changes {
    const struct write_target *target;
    const struct json *list;
    Str *keys; /* keys of the rows, set as they are read */
};

static fiber_fn Err update_each(struct writer *w, void *arg)
{
    assert(w->tx != NULL);
    const struct changes *changes = arg;
    const struct field *key = changes->target->collection->key;
    for (uint32_t i = 0; i < json_len(changes->list); i++) {
        const struct json *item = json_at(changes->list, i);
        const struct json *given = json_get(item, key->name);
        if (given == NULL || json_is_null(given))
            return fail(w->ctx, ERR_INVALID_PAYLOAD, "Item in update misses primary key");
        if (!write_key_of_json(w->ctx->arena, key, given, &changes->keys[i]))
            return fail_plain(w->ctx, ERR_FORBIDDEN);
        struct run run = {.ctx = w->ctx};
        TRY(write_update_one(w, changes->target, changes->keys[i], item, NULL, &run));
    }
    return OK;
}

static fiber_fn Err update_selected(struct writer *w, const struct write_target *target,
                                    const struct json *body, const Str **keys, uint32_t *count)
{
    TRY(write_check_batch(w->ctx, body, true));
    TRY(write_keys_of_body(w, target->collection, json_get(body, STR("keys")),
                           json_get(body, STR("query")), keys, count));
    return update_keys(w, target, json_get(body, STR("data")), *keys, *count);
}

static fiber_fn Err update_listed(struct writer *w, const struct write_target *target,
                                  const struct json *list, const Str **ret, uint32_t *ret_count)
{
    assert(json_kind(list) == JSON_ARRAY);
    uint32_t count = json_len(list);
    TRY(write_check_rows(w->ctx, count));
    struct changes changes = {target, list, arena_array(w->ctx->arena, Str, count + 1)};
    if (count > 0)
        TRY(writer_in_tx(w, update_each, &changes));
    *ret = changes.keys;
    *ret_count = count;
    return OK;
}

/* The body is the row: the first row is updated, or created. */
static fiber_fn Err update_singleton(struct writer *w, const struct write_target *target,
                                     const struct json *body, const struct query *query,
                                     struct row_sink *sink)
{
    assert(target->collection->is_singleton);
    const struct query first = {.has_limit = true, .limit = 1};
    const Str *keys;
    uint32_t count;
    TRY(write_keys_by_query(w, target->collection, &first, &keys, &count));
    if (count > 0)
        return update_object(w, target, keys[0], body, query, sink);
    struct write_target creating;
    TRY(write_target_open(w->ctx, w->schema, target->collection, ACTION_CREATE, &creating));
    return write_create_object(w, &creating, body, query, sink);
}

fiber_fn Err items_update_many(struct ctx *ctx, struct items_target target, const struct json *body,
                               const struct query *query, struct row_sink *sink)
{
    assert(query != NULL && sink != NULL);
    struct writer w;
    struct write_target write_target;
    TRY(write_open(ctx, target, ACTION_UPDATE, &w, &write_target));
    if (write_target.collection->is_singleton)
        return update_singleton(&w, &write_target, body, query, sink);
    const Str *keys = NULL;
    uint32_t count = 0;
    if (json_kind(body) == JSON_ARRAY)
        TRY(update_listed(&w, &write_target, body, &keys, &count));
    else
        TRY(update_selected(&w, &write_target, body, &keys, &count));
    write_announce(&w);
    return write_read_back(&w, write_target.collection, keys, count, true, query, sink);
}
