/*
 * Updating: one row, rows by keys, rows by query, rows each with its own change.
 */
#include "content/items/write.h"

#include <assert.h>

static bool is_empty(const struct payload *payload)
{
    for (uint32_t i = 0; i < payload->count; i++) {
        if (payload->cells[i].field != NULL)
            return false;
    }
    return true;
}

static Err missing(struct writer *w, const struct write_scope *scope, const struct payload *payload)
{
    return scope->access.is_full ? OK : write_forbidden(w->ctx, scope, payload);
}

/* One or many rows get the same change. *run has no rows when nothing was there to change. */
static fiber_fn Err apply(struct writer *w, const struct write_scope *scope,
                          const struct payload *payload, const Str *keys, uint32_t count,
                          bool is_many, const struct query *query, struct run *run)
{
    struct write_shape shape = {
        .action = ACTION_UPDATE, .is_many = is_many, .access = scope->access, .query = query};
    write_columns(w->ctx, payload, &shape);
    const struct plan *plan;
    if (is_many)
        run->keys = array_literal(w->ctx->arena, keys, count);
    else
        TRY(key_parse(w->ctx, scope->collection, keys[0], &run->key));
    TRY(write_plan(w, scope->collection, &shape, &plan));
    TRY(write_run(w, plan, &shape, payload, payload_json(w->ctx, payload), run));
    return run->rows.count < count ? missing(w, scope, payload) : OK;
}

Err update_one(struct writer *w, const struct write_scope *scope, Str key, const struct json *body,
               const struct query *query, struct run *run)
{
    if (w->rows >= ITEMS_WRITE_MAX)
        return fail(w->ctx, ERR_INVALID_PAYLOAD, "More than %d rows in one request",
                    ITEMS_WRITE_MAX);
    struct payload payload;
    TRY(write_before(w, ITEMS_UPDATE, scope->collection, &key, 1, body, &body));
    TRY(payload_make(scope, body, &payload));
    TRY(nested_before(w, scope, &payload));
    if (!is_empty(&payload))
        TRY(apply(w, scope, &payload, &key, 1, false, query, run));
    return nested_after(w, scope, &payload, key);
}

static fiber_fn Err update_nested(struct writer *w, const struct write_scope *scope, Str key,
                                  const struct json *body)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(w->ctx, &tx));
    w->tx = &tx;
    struct run run = {.ctx = w->ctx};
    TRY(update_one(w, scope, key, body, NULL, &run));
    w->tx = NULL;
    return db_commit(&tx);
}

static fiber_fn Err answer_row(struct writer *w, struct run *run, struct buf *out,
                               bool *ret_has_body)
{
    *ret_has_body = run->rows.count > 0 && run_may_read(run, 0);
    if (!*ret_has_body)
        return OK;
    TRY(run_branches(run, run->plan->root, &run->rows));
    buf_put(out, STR("{\"data\":"));
    run_write_row(run, 0, out);
    buf_put_char(out, '}');
    return buf_check(w->ctx, out, "the answer");
}

static fiber_fn Err update_object(struct writer *w, const struct write_scope *scope, Str key,
                                  const struct json *body, const struct query *query,
                                  struct buf *out, bool *ret_has_body)
{
    struct run run = {.ctx = w->ctx};
    TRY(key_parse(w->ctx, scope->collection, key, &run.key));
    if (nested_is_in(scope->collection, body))
        TRY(update_nested(w, scope, key, body));
    else
        TRY(update_one(w, scope, key, body, query, &run));
    write_announce(w);
    if (run.plan != NULL)
        return answer_row(w, &run, out, ret_has_body);
    return read_back(w, scope->collection, &key, 1, false, query, out, ret_has_body);
}

Err items_update(struct ctx *ctx, struct items_target target, Str key, const struct json *body,
                 const struct query *query, struct buf *out, bool *ret_has_body)
{
    assert(query != NULL && out != NULL && ret_has_body != NULL);
    struct writer w = {.ctx = ctx};
    const struct collection *collection;
    struct write_scope scope;
    *ret_has_body = false;
    TRY(schema_current(ctx, &w.schema));
    TRY(plan_collection(ctx, w.schema, target, ACTION_UPDATE, &collection));
    TRY(write_scope_open(ctx, w.schema, collection, ACTION_UPDATE, &scope));
    return update_object(&w, &scope, key, body, query, out, ret_has_body);
}

static fiber_fn Err update_keys_now(struct writer *w, const struct write_scope *scope,
                                    const struct payload *payload, const Str *keys, uint32_t count)
{
    struct run run = {.ctx = w->ctx};
    return apply(w, scope, payload, keys, count, true, NULL, &run);
}

/* Where one forbidden row forbids all, the statement must be able to be taken back. */
static fiber_fn Err update_keys(struct writer *w, const struct write_scope *scope,
                                const struct json *data, const Str *keys, uint32_t count)
{
    if (nested_is_in(scope->collection, data))
        return fail(w->ctx, ERR_INVALID_PAYLOAD,
                    "Nested rows can only be written with one item at a time");
    struct payload payload;
    TRY(write_before(w, ITEMS_UPDATE, scope->collection, keys, count, data, &data));
    TRY(payload_make(scope, data, &payload));
    if (count == 0 || is_empty(&payload))
        return OK;
    if (scope->access.is_full)
        return update_keys_now(w, scope, &payload, keys, count);
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(w->ctx, &tx));
    w->tx = &tx;
    TRY(update_keys_now(w, scope, &payload, keys, count));
    w->tx = NULL;
    return db_commit(&tx);
}

static fiber_fn Err update_each(struct writer *w, const struct write_scope *scope,
                                const struct json *body, Str *keys)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(w->ctx, &tx));
    w->tx = &tx;
    const struct field *key = scope->collection->key;
    for (uint32_t i = 0; i < json_len(body); i++) {
        const struct json *item = json_at(body, i);
        const struct json *given = json_get(item, key->name);
        if (given == NULL || json_is_null(given))
            return fail(w->ctx, ERR_INVALID_PAYLOAD, "Item in update misses primary key");
        if (!key_of_json(w->ctx->arena, key, given, &keys[i]))
            return fail_plain(w->ctx, ERR_FORBIDDEN);
        struct run run = {.ctx = w->ctx};
        TRY(update_one(w, scope, keys[i], item, NULL, &run));
    }
    w->tx = NULL;
    return db_commit(&tx);
}

Err keys_by_query(struct writer *w, const struct collection *collection, const struct json *text,
                  const Str **ret, uint32_t *ret_count)
{
    struct query query;
    TRY(query_from_json(w->ctx, text, &query));
    struct plan_request request = {PLAN_ONLY_KEYS, collection, &query, STR_NONE,
                                   NULL,           NULL,       NULL,   NULL};
    struct run run = {.ctx = w->ctx};
    TRY(plan_get(w->ctx, w->schema, &request, &run.plan));
    TRY(run_plan(&run));
    if (run.rows.count > ITEMS_WRITE_MAX)
        return fail(w->ctx, ERR_INVALID_PAYLOAD, "The query names more than %d rows",
                    ITEMS_WRITE_MAX);
    Str *keys = arena_array(w->ctx->arena, Str, run.rows.count + 1);
    for (uint32_t i = 0; i < run.rows.count; i++)
        keys[i] = key_text(w->ctx->arena, &run.rows, i, run.plan->root->shape->key);
    *ret = keys;
    *ret_count = run.rows.count;
    return OK;
}

static fiber_fn Err update_selected(struct writer *w, const struct write_scope *scope,
                                    const struct json *body, const Str **keys, uint32_t *count)
{
    const struct json *data = json_get(body, STR("data"));
    const struct json *by_keys = json_get(body, STR("keys"));
    const struct json *by_query = json_get(body, STR("query"));
    if (data == NULL)
        return fail(w->ctx, ERR_INVALID_PAYLOAD, "\"data\" is required");
    if (json_kind(data) != JSON_OBJECT)
        return fail(w->ctx, ERR_INVALID_PAYLOAD, "\"data\" must be of type object");
    if (by_keys == NULL && by_query == NULL)
        return fail(w->ctx, ERR_INVALID_PAYLOAD,
                    "\"value\" must contain at least one of [query, keys]");
    if (by_keys != NULL && by_query != NULL)
        return fail(w->ctx, ERR_INVALID_PAYLOAD,
                    "\"value\" contains a conflict between exclusive peers [query, keys]");
    if (by_keys != NULL)
        TRY(write_take_keys(w->ctx, scope->collection, by_keys, keys, count));
    else
        TRY(keys_by_query(w, scope->collection, by_query, keys, count));
    return update_keys(w, scope, data, *keys, *count);
}

/* The body is the row: its first row is changed, or made. */
static fiber_fn Err update_singleton(struct writer *w, const struct write_scope *scope,
                                     const struct json *body, const struct query *query,
                                     struct buf *out, bool *ret_has_body)
{
    const Str *keys;
    uint32_t count;
    const struct json *first;
    TRY(json_parse(w->ctx, STR("{\"limit\":1}"), JSON_LIMITS_DEFAULT, &first));
    TRY(keys_by_query(w, scope->collection, first, &keys, &count));
    if (count > 0)
        return update_object(w, scope, keys[0], body, query, out, ret_has_body);
    struct write_scope creating;
    TRY(write_scope_open(w->ctx, w->schema, scope->collection, ACTION_CREATE, &creating));
    return create_object(w, &creating, body, query, out, ret_has_body);
}

Err items_update_many(struct ctx *ctx, struct items_target target, const struct json *body,
                      const struct query *query, struct buf *out, bool *ret_has_body)
{
    assert(query != NULL && out != NULL && ret_has_body != NULL);
    struct writer w = {.ctx = ctx};
    const struct collection *collection;
    struct write_scope scope;
    *ret_has_body = false;
    TRY(schema_current(ctx, &w.schema));
    TRY(plan_collection(ctx, w.schema, target, ACTION_UPDATE, &collection));
    TRY(write_scope_open(ctx, w.schema, collection, ACTION_UPDATE, &scope));
    if (collection->is_singleton)
        return update_singleton(&w, &scope, body, query, out, ret_has_body);
    const Str *keys = NULL;
    uint32_t count = json_len(body);
    if (json_kind(body) != JSON_ARRAY) {
        TRY(update_selected(&w, &scope, body, &keys, &count));
    } else {
        if (count > ITEMS_WRITE_MAX)
            return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d rows in one request",
                        ITEMS_WRITE_MAX);
        Str *each = arena_array(ctx->arena, Str, count + 1);
        if (count > 0)
            TRY(update_each(&w, &scope, body, each));
        keys = each;
    }
    write_announce(&w);
    return read_back(&w, collection, keys, count, true, query, out, ret_has_body);
}
