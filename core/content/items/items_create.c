/*
 * Creating: one row in one statement; many rows with the same column set in one statement; rows
 * with nested rows, or with different column sets, in one transaction.
 */
#include "base/json/json_writer.h"
#include "content/items/items_rules.h"
#include "content/items/write_reference.h"
#include "gen/sql.h"

#include <assert.h>

/* From this many rows on, the statistics of a small table are refreshed. */
enum { STATISTICS_ROWS_MIN = 500 };

/* The maximum for one statement; larger than an escaped request body. */
#define BULK_JSON_MAX ((size_t)512 * 1024 * 1024)

/* Passes the item through the filter hooks. */
static fiber_fn Err filter(struct writer *w, const struct write_target *target,
                           const struct json **item)
{
    return write_before(w, ITEMS_CREATE, target->collection, NULL, 0, *item, item);
}

static fiber_fn Err create_filtered(struct writer *w, const struct write_target *target,
                                    const struct json *body, const struct query *query,
                                    struct run *run, Str *ret_key)
{
    assert(target->action == ACTION_CREATE);
    TRY(write_check_rows(w->ctx, (uint64_t)w->rows + 1));
    struct payload payload;
    TRY(payload_make(target, body, &payload));
    TRY(nested_before(w, target, &payload));
    struct write_shape shape = {.action = ACTION_CREATE,
                                .has_lineage = write_has_lineage(target, &payload),
                                .parent_revision = target->parent_revision,
                                .access = target->access,
                                .query = query};
    write_columns(w->ctx, &payload, &shape);
    const struct plan *plan;
    TRY(write_plan(w, target->collection, &shape, &plan));
    TRY(write_run(w, plan, &shape, &payload, payload_json(w->ctx, &payload), run));
    if (run->rows.count != 1)
        return fail_plain(w->ctx, ERR_FORBIDDEN);
    *ret_key = key_of_row(w->ctx->arena, &run->rows, 0, plan->key_column);
    int64_t revision = w->revision;
    TRY(nested_adopt(w, &payload, revision));
    TRY(nested_after(w, target, &payload, *ret_key, true));
    w->revision = revision;
    return write_after(w, ITEMS_CREATE, target->collection, ret_key, 1, body);
}

fiber_fn Err write_create_one(struct writer *w, const struct write_target *target,
                              const struct json *body, const struct query *query, struct run *run,
                              Str *ret_key)
{
    assert(target->action == ACTION_CREATE);
    TRY(filter(w, target, &body));
    return create_filtered(w, target, body, query, run, ret_key);
}

/* The common case: POST of one object takes one database round trip. */
static fiber_fn Err create_alone(struct writer *w, const struct write_target *target,
                                 const struct json *body, const struct query *query,
                                 struct row_sink *sink)
{
    assert(w->tx == NULL);
    struct run run = {.ctx = w->ctx};
    bool answers = write_answers_all(query);
    Str key;
    TRY(create_filtered(w, target, body, answers ? query : NULL, &run, &key));
    write_announce(w);
    return answers ? write_answer_row(w, &run, sink)
                   : write_read_back(w, target->collection, &key, 1, false, query, sink);
}

/* Rows that are written one after the other. */
struct turn {
    const struct write_target *target;
    const struct json *const *items;
    uint32_t count;
    bool is_filtered; /* the items went through the hooks already */
    Str *keys;        /* keys of the rows, set as they are written */
};

static fiber_fn Err create_each(struct writer *w, void *arg)
{
    assert(w->tx != NULL);
    const struct turn *turn = arg;
    for (uint32_t i = 0; i < turn->count; i++) {
        const struct json *item = turn->items[i];
        struct run run = {.ctx = w->ctx};
        if (!turn->is_filtered)
            TRY(filter(w, turn->target, &item));
        TRY(create_filtered(w, turn->target, item, NULL, &run, &turn->keys[i]));
    }
    return OK;
}

static fiber_fn Err create_in_turn(struct writer *w, const struct turn *turn)
{
    assert(turn->count > 0 && turn->keys != NULL);
    return writer_in_tx(w, create_each, (void *)turn);
}

struct bulk {
    struct payload *payloads;
    uint32_t count;
    struct write_shape shape;
};

static bool same_columns(const struct payload *a, const struct payload *b)
{
    assert(a->count == b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        if ((a->cells[i].field == NULL) != (b->cells[i].field == NULL))
            return false;
    }
    return true;
}

/* Whether a row may refer to a row that the same statement creates. */
static bool points_to_own(const struct ctx *ctx, const struct payload *payload)
{
    for (uint32_t i = 0; i < payload->count; i++) {
        const struct cell *cell = &payload->cells[i];
        if (cell->field != NULL && cell->text.data != NULL && reference_is_to_own(ctx, cell->field))
            return true;
    }
    return false;
}

/* The rows as one JSON array, with values in the text form of their columns. */
static fiber_fn Str bulk_json(struct ctx *ctx, const struct bulk *bulk)
{
    assert(bulk->count > 0 && bulk->shape.field_count > 0);
    struct buf *out = buf_in_arena(ctx->arena, BULK_JSON_MAX);
    struct json_writer json = json_writer(out);
    json_array_begin(&json);
    for (uint32_t i = 0; i < bulk->count; i++) {
        fiber_pause();
        json_object_begin(&json);
        for (uint32_t n = 0; n < bulk->shape.field_count; n++) {
            const struct cell *cell = payload_find(&bulk->payloads[i], bulk->shape.fields[n]);
            json_key(&json, cell->field->name);
            bool is_json = cell->field->type_oid == OID_JSON || cell->field->type_oid == OID_JSONB;
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

/* Reads all bodies; *ret_is_uniform: one statement can write them. */
static fiber_fn Err bulk_make(struct writer *w, const struct write_target *target,
                              const struct json *const *items, uint32_t count, struct bulk *ret,
                              bool *ret_is_uniform)
{
    assert(count > 0);
    ret->count = count;
    ret->payloads = arena_array(w->ctx->arena, struct payload, ret->count);
    *ret_is_uniform = true;
    for (uint32_t i = 0; i < ret->count; i++) {
        TRY(fiber_breathe(w->ctx));
        TRY(payload_make(target, items[i], &ret->payloads[i]));
        *ret_is_uniform &= same_columns(&ret->payloads[0], &ret->payloads[i]) &&
                           !points_to_own(w->ctx, &ret->payloads[i]);
    }
    write_columns(w->ctx, &ret->payloads[0], &ret->shape);
    *ret_is_uniform &= ret->shape.field_count > 0;
    return OK;
}

/* Failures are ignored: the rows are already committed. */
static fiber_fn void refresh_statistics(struct ctx *ctx, const struct collection *collection)
{
    if (db_query(ctx, &SQL_STATISTICS_OF_COLLECTION, ARGS(db_text(collection->name)), NULL) != OK)
        diag_clear(ctx);
}

/* In an order of the caller's, or only some of them. */
static fiber_fn Err read_back_bulk(struct writer *w, const struct collection *collection,
                                   const struct run *run, const struct query *query,
                                   struct row_sink *sink)
{
    Str *keys = arena_array(w->ctx->arena, Str, (size_t)run->rows.count + 1);
    for (uint32_t i = 0; i < run->rows.count; i++)
        keys[i] = key_of_row(w->ctx->arena, &run->rows, i, run->plan->key_column);
    return write_read_back(w, collection, keys, run->rows.count, true, query, sink);
}

static fiber_fn Err create_bulk(struct writer *w, const struct write_target *target,
                                struct bulk *bulk, const struct query *query, struct row_sink *sink)
{
    assert(bulk->count > 0 && bulk->shape.field_count > 0);
    assert(w->tx == NULL);
    bulk->shape.action = ACTION_CREATE;
    bulk->shape.is_many = true;
    bulk->shape.access = target->access;
    bool is_as_written = write_answers_all(query);
    bulk->shape.query = is_as_written ? query : NULL;
    const struct plan *plan;
    struct run run = {.ctx = w->ctx};
    TRY(write_plan(w, target->collection, &bulk->shape, &plan));
    TRY(write_run(w, plan, &bulk->shape, NULL, bulk_json(w->ctx, bulk), &run));
    write_announce(w);
    if (bulk->count >= STATISTICS_ROWS_MIN)
        refresh_statistics(w->ctx, target->collection);
    if (!is_as_written)
        return read_back_bulk(w, target->collection, &run, query, sink);
    if (plan->is_unreadable)
        return OK;
    TRY(run_branches(&run, plan->root, &run.rows));
    return run_emit_list(&run, sink);
}

static Err answer_no_rows(struct ctx *ctx, struct row_sink *sink)
{
    sink->begin(sink, &(struct rows_head){.is_list = true});
    return sink->end(sink, ctx);
}

static fiber_fn Err create_list(struct writer *w, const struct write_target *target,
                                const struct json *body, const struct query *query,
                                struct row_sink *sink)
{
    assert(json_kind(body) == JSON_ARRAY);
    uint32_t count = json_len(body);
    if (count == 0)
        return answer_no_rows(w->ctx, sink);
    TRY(write_check_rows(w->ctx, count));
    const struct json **items = arena_array(w->ctx->arena, const struct json *, count);
    bool has_rules = items_rules_find(target->collection) != NULL;
    bool needs_tx = has_rules;
    for (uint32_t i = 0; i < count; i++) {
        TRY(fiber_breathe(w->ctx));
        items[i] = json_at(body, i);
        if (!has_rules)
            TRY(filter(w, target, &items[i]));
        needs_tx |= nested_is_in(target->collection, items[i]);
    }
    if (!needs_tx) {
        struct bulk bulk = {0};
        bool is_uniform;
        TRY(bulk_make(w, target, items, count, &bulk, &is_uniform));
        if (is_uniform)
            return create_bulk(w, target, &bulk, query, sink);
    }
    struct turn turn = {target, items, count, !has_rules, arena_array(w->ctx->arena, Str, count)};
    TRY(create_in_turn(w, &turn));
    write_announce(w);
    return write_read_back(w, target->collection, turn.keys, count, true, query, sink);
}

fiber_fn Err write_create_object(struct writer *w, const struct write_target *target,
                                 const struct json *body, const struct query *query,
                                 struct row_sink *sink)
{
    assert(target->action == ACTION_CREATE && sink != NULL);
    bool has_rules = items_rules_find(target->collection) != NULL;
    if (!has_rules)
        TRY(filter(w, target, &body));
    if (!has_rules && !nested_is_in(target->collection, body))
        return create_alone(w, target, body, query, sink);
    Str key;
    TRY(create_in_turn(w, &(struct turn){target, &body, 1, !has_rules, &key}));
    write_announce(w);
    return write_read_back(w, target->collection, &key, 1, false, query, sink);
}

fiber_fn Err items_create(struct ctx *ctx, struct items_target target, const struct json *body,
                          const struct query *query, struct row_sink *sink)
{
    assert(query != NULL && sink != NULL);
    struct writer w;
    struct write_target write_target;
    TRY(write_open(ctx, target, ACTION_CREATE, &w, &write_target));
    TRY(write_refuse_singleton(ctx, write_target.collection, STR_NONE));
    if (json_kind(body) == JSON_ARRAY)
        return create_list(&w, &write_target, body, query, sink);
    return write_create_object(&w, &write_target, body, query, sink);
}
