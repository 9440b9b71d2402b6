/*
 * Creating: one row in one statement; many rows of one shape in one statement; rows with nested
 * ones, or of several shapes, in one transaction.
 */
#include "base/json/json_writer.h"
#include "content/items/write_reference.h"
#include "gen/sql.h"

#include <assert.h>

/* So many rows at once may have made a young table another one. */
enum { STATISTICS_ROWS_MIN = 500 };

/* The item as filters leave it. */
static fiber_fn Err filter(struct writer *w, const struct write_scope *scope,
                           const struct json **item)
{
    return write_before(w, ITEMS_CREATE, scope->collection, NULL, 0, *item, item);
}

static fiber_fn Err create_filtered(struct writer *w, const struct write_scope *scope,
                                    const struct json *body, const struct query *query,
                                    struct run *run, Str *ret_key)
{
    if (w->rows >= ITEMS_WRITE_MAX)
        return fail(w->ctx, ERR_INVALID_PAYLOAD, "More than %d rows in one request",
                    ITEMS_WRITE_MAX);
    struct payload payload;
    TRY(payload_make(scope, body, &payload));
    TRY(nested_before(w, scope, &payload));
    struct write_shape shape = {.action = ACTION_CREATE, .access = scope->access, .query = query};
    write_columns(w->ctx, &payload, &shape);
    const struct plan *plan;
    TRY(write_plan(w, scope->collection, &shape, &plan));
    TRY(write_run(w, plan, &shape, &payload, payload_json(w->ctx, &payload), run));
    if (run->rows.count != 1)
        return fail_plain(w->ctx, ERR_FORBIDDEN);
    *ret_key = key_text(w->ctx->arena, &run->rows, 0, plan->key_column);
    return nested_after(w, scope, &payload, *ret_key);
}

Err create_one(struct writer *w, const struct write_scope *scope, const struct json *body,
               const struct query *query, struct run *run, Str *ret_key)
{
    TRY(filter(w, scope, &body));
    return create_filtered(w, scope, body, query, run, ret_key);
}

/* The common case: POST of one object is one message to the database. */
static fiber_fn Err create_alone(struct writer *w, const struct write_scope *scope,
                                 const struct json *body, const struct query *query,
                                 struct buf *out, bool *ret_has_body)
{
    struct run run = {.ctx = w->ctx};
    Str key;
    TRY(create_filtered(w, scope, body, query, &run, &key));
    write_announce(w);
    *ret_has_body = run_may_read(&run, 0);
    if (!*ret_has_body)
        return OK;
    TRY(run_branches(&run, run.plan->root, &run.rows));
    buf_put(out, STR("{\"data\":"));
    run_write_row(&run, 0, out);
    buf_put_char(out, '}');
    return buf_check(w->ctx, out, "the answer");
}

static fiber_fn Err create_in_turn(struct writer *w, const struct write_scope *scope,
                                   const struct json *const *items, uint32_t count, Str *keys)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(w->ctx, &tx));
    w->tx = &tx;
    for (uint32_t i = 0; i < count; i++) {
        struct run run = {.ctx = w->ctx};
        TRY(create_filtered(w, scope, items[i], NULL, &run, &keys[i]));
    }
    w->tx = NULL;
    return db_commit(&tx);
}

struct bulk {
    struct payload *payloads;
    uint32_t count;
    struct write_shape shape;
};

static bool same_columns(const struct payload *a, const struct payload *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if ((a->cells[i].field == NULL) != (b->cells[i].field == NULL))
            return false;
    }
    return true;
}

/* Whether a row may point to one that the same statement makes. */
static bool points_to_own(const struct ctx *ctx, const struct payload *payload)
{
    for (uint32_t i = 0; i < payload->count; i++) {
        const struct cell *cell = &payload->cells[i];
        if (cell->field != NULL && cell->text.data != NULL && reference_is_to_own(ctx, cell->field))
            return true;
    }
    return false;
}

/* Rows as one JSON array, values as their columns read them. */
static fiber_fn Str bulk_json(struct ctx *ctx, const struct bulk *bulk)
{
    struct buf *out = buf_in_arena(ctx->arena, (size_t)512 * 1024 * 1024);
    struct json_writer json = json_writer(out);
    json_array_begin(&json);
    for (uint32_t i = 0; i < bulk->count; i++) {
        fiber_pause();
        json_object_begin(&json);
        for (uint32_t n = 0; n < bulk->shape.field_count; n++) {
            const struct cell *cell = payload_find(&bulk->payloads[i], bulk->shape.fields[n]);
            json_key(&json, cell->field->name);
            bool is_json = cell->field->type_oid == 114 || cell->field->type_oid == 3802;
            if (cell->text.data == NULL)
                json_put_null(&json);
            else if (is_json)
                json_put_raw(&json, cell->text);
            else
                json_put_str(&json, cell->text);
        }
        json_object_end(&json);
    }
    json_array_end(&json);
    return buf_str(out);
}

/* Reads all bodies; *ret_is_uniform when one statement can write them. */
static fiber_fn Err bulk_make(struct writer *w, const struct write_scope *scope,
                              const struct json *const *items, uint32_t count, struct bulk *ret,
                              bool *ret_is_uniform)
{
    ret->count = count;
    ret->payloads = arena_array(w->ctx->arena, struct payload, ret->count);
    *ret_is_uniform = true;
    for (uint32_t i = 0; i < ret->count; i++) {
        TRY(fiber_breathe(w->ctx));
        TRY(payload_make(scope, items[i], &ret->payloads[i]));
        *ret_is_uniform &= same_columns(&ret->payloads[0], &ret->payloads[i]) &&
                           !points_to_own(w->ctx, &ret->payloads[i]);
    }
    write_columns(w->ctx, &ret->payloads[0], &ret->shape);
    *ret_is_uniform &= ret->shape.field_count > 0;
    return OK;
}

static fiber_fn void write_rows(const struct run *run, struct buf *out)
{
    bool is_first = true;
    buf_put(out, STR("{\"data\":["));
    for (uint32_t i = 0; i < run->rows.count; i++) {
        if (!run_may_read(run, i))
            continue;
        if (!is_first)
            buf_put_char(out, ',');
        is_first = false;
        run_write_row(run, i, out);
    }
    buf_put(out, STR("]}"));
}

/* The rows are committed, whatever becomes of this. */
static fiber_fn void take_statistics(struct ctx *ctx, const struct collection *collection)
{
    if (db_query(ctx, &SQL_STATISTICS_OF_COLLECTION, ARGS(db_text(collection->name)), NULL) != OK)
        diag_clear(ctx);
}

static fiber_fn Err create_bulk(struct writer *w, const struct write_scope *scope,
                                struct bulk *bulk, const struct query *query, struct buf *out,
                                bool *ret_has_body)
{
    bulk->shape.action = ACTION_CREATE;
    bulk->shape.is_many = true;
    bulk->shape.access = scope->access;
    bulk->shape.query = query;
    const struct plan *plan;
    struct run run = {.ctx = w->ctx};
    TRY(write_plan(w, scope->collection, &bulk->shape, &plan));
    TRY(write_run(w, plan, &bulk->shape, NULL, bulk_json(w->ctx, bulk), &run));
    write_announce(w);
    if (bulk->count >= STATISTICS_ROWS_MIN)
        take_statistics(w->ctx, scope->collection);
    *ret_has_body = !plan->is_mute;
    if (plan->is_mute)
        return OK;
    TRY(run_branches(&run, plan->root, &run.rows));
    write_rows(&run, out);
    return buf_check(w->ctx, out, "the answer");
}

static fiber_fn Err create_list(struct writer *w, const struct write_scope *scope,
                                const struct json *body, const struct query *query, struct buf *out,
                                bool *ret_has_body)
{
    uint32_t count = json_len(body);
    if (count == 0) {
        buf_put(out, STR("{\"data\":[]}"));
        *ret_has_body = true;
        return OK;
    }
    if (count > ITEMS_WRITE_MAX)
        return fail(w->ctx, ERR_INVALID_PAYLOAD, "More than %d rows in one request",
                    ITEMS_WRITE_MAX);
    const struct json **items = arena_array(w->ctx->arena, const struct json *, count);
    bool has_nested = false;
    for (uint32_t i = 0; i < count; i++) {
        TRY(fiber_breathe(w->ctx));
        items[i] = json_at(body, i);
        TRY(filter(w, scope, &items[i]));
        has_nested |= nested_is_in(scope->collection, items[i]);
    }
    if (!has_nested) {
        struct bulk bulk = {0};
        bool is_uniform;
        TRY(bulk_make(w, scope, items, count, &bulk, &is_uniform));
        if (is_uniform)
            return create_bulk(w, scope, &bulk, query, out, ret_has_body);
    }
    Str *keys = arena_array(w->ctx->arena, Str, count);
    TRY(create_in_turn(w, scope, items, count, keys));
    write_announce(w);
    return read_back(w, scope->collection, keys, count, true, query, out, ret_has_body);
}

Err create_object(struct writer *w, const struct write_scope *scope, const struct json *body,
                  const struct query *query, struct buf *out, bool *ret_has_body)
{
    TRY(filter(w, scope, &body));
    if (!nested_is_in(scope->collection, body))
        return create_alone(w, scope, body, query, out, ret_has_body);
    Str key;
    TRY(create_in_turn(w, scope, &body, 1, &key));
    write_announce(w);
    return read_back(w, scope->collection, &key, 1, false, query, out, ret_has_body);
}

Err items_create(struct ctx *ctx, struct items_target target, const struct json *body,
                 const struct query *query, struct buf *out, bool *ret_has_body)
{
    assert(query != NULL && out != NULL && ret_has_body != NULL);
    struct writer w = {.ctx = ctx};
    const struct collection *collection;
    struct write_scope scope;
    *ret_has_body = false;
    TRY(schema_current(ctx, &w.schema));
    TRY(plan_collection(ctx, w.schema, target, ACTION_CREATE, &collection));
    TRY(write_scope_open(ctx, w.schema, collection, ACTION_CREATE, &scope));
    if (json_kind(body) == JSON_ARRAY)
        return create_list(&w, &scope, body, query, out, ret_has_body);
    return create_object(&w, &scope, body, query, out, ret_has_body);
}
