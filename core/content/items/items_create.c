/*
 * Creating: one row in one statement; many rows that set the same columns in one statement; rows
 * with nested rows, or with different columns, in one transaction (write_rows.c).
 */
#include "content/items/items_rules.h"
#include "content/items/nested.h"
#include "gen/sql.h"

#include <assert.h>

/* From this many rows on, the statistics of a small table are refreshed. */
enum { STATISTICS_ROWS_MIN = 500 };

/* Passes the item through the filter hooks. */
static fiber_fn Err filter(struct writer *w, const struct write_target *target,
                           const struct json **item)
{
    return write_before(w, ITEMS_CREATE, target->collection, NULL, 0, *item, item);
}

/* A row without nested rows. */
static fiber_fn Err create_at_once(struct writer *w, const struct write_target *target,
                                   const struct write_shape *shape, const struct payload *payload,
                                   struct run *run, Str *ret_key)
{
    assert(payload->first_nested == NULL);
    const struct plan *plan;
    TRY(write_plan(w, target->collection, shape, &plan));
    TRY(write_run(w, plan, shape, payload, payload_json(w->ctx, payload), run));
    if (run->rows.count != 1)
        return fail_plain(w->ctx, ERR_FORBIDDEN);
    *ret_key = key_of_row(w->ctx->arena, &run->rows, 0, plan->key_column);
    return OK;
}

/* The row of a payload whose nested rows before it are written, and the rows that point to it. */
fiber_fn Err write_create_payload(struct writer *w, const struct write_target *target,
                                  const struct payload *payload, const struct query *query,
                                  struct run *run, Str *ret_key)
{
    assert(target->action == ACTION_CREATE);
    struct write_shape shape = {.action = ACTION_CREATE,
                                .has_lineage = write_has_lineage(target, payload),
                                .access = target->access,
                                .query = query};
    struct revision *revision = NULL;
    write_columns(w->ctx, payload, &shape);
    if (!write_history_waits(&shape))
        return create_at_once(w, target, &shape, payload, run, ret_key);
    TRY(write_queue_add(w, target, &shape, payload, 1, ret_key, &revision));
    nested_adopt(w, payload, revision);
    w->revision = revision;
    TRY(nested_after(w, target, payload, *ret_key, true));
    w->revision = revision;
    return OK;
}

static fiber_fn Err create_filtered(struct writer *w, const struct write_target *target,
                                    const struct json *body, const struct query *query,
                                    struct run *run, Str *ret_key)
{
    TRY(write_check_rows(w->ctx, (uint64_t)w->rows + 1));
    /* Its statement may wait until this function has returned. */
    struct payload *payload = arena_new(w->ctx->arena, struct payload);
    TRY(payload_make(target, body, payload));
    TRY(nested_before(w, target, payload, 1));
    TRY(write_create_payload(w, target, payload, query, run, ret_key));
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
    return answers ? write_answer_row(w, &run, query, sink)
                   : write_read_back(w, target->collection, &key, 1, false, query, sink);
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

/* Rows that set the same columns take one statement, without a transaction around it. */
static fiber_fn Err create_bulk(struct writer *w, const struct write_target *target,
                                const struct payload *payloads, uint32_t count,
                                const struct query *query, struct row_sink *sink)
{
    assert(count > 0 && w->tx == NULL);
    bool is_as_written = write_answers_all(query);
    struct run run = {.ctx = w->ctx};
    TRY(write_payloads(w, target, payloads, count, is_as_written ? query : NULL, &run));
    write_announce(w);
    if (count >= STATISTICS_ROWS_MIN)
        refresh_statistics(w->ctx, target->collection);
    if (!is_as_written)
        return read_back_bulk(w, target->collection, &run, query, sink);
    if (run.plan->is_unreadable)
        return OK;
    Err err = run_branches(&run, run.plan->root, &run.rows);
    if (err == ERR_STALE_EPOCH)
        return read_back_bulk(w, target->collection, &run, query, sink);
    return err != OK ? err : run_emit_list(&run, sink);
}

static Err answer_no_rows(struct ctx *ctx, struct row_sink *sink)
{
    sink->begin(sink, &(struct rows_head){.is_list = true});
    return sink->end(sink, ctx);
}

static fiber_fn Err create_rows(struct writer *w, void *arg)
{
    assert(w->tx != NULL);
    return write_create_rows(w, arg);
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
    struct new_rows rows = {
        .target = target, .items = items, .count = count, .is_filtered = !has_rules};
    if (!needs_tx) {
        TRY(write_make_payloads(w, &rows));
        if (write_are_alike(w, rows.payloads, count) == count)
            return create_bulk(w, target, rows.payloads, count, query, sink);
    }
    TRY(writer_in_tx(w, create_rows, &rows));
    write_announce(w);
    return write_read_back(w, target->collection, rows.keys, count, true, query, sink);
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
    struct new_rows rows = {
        .target = target, .items = &body, .count = 1, .is_filtered = !has_rules};
    TRY(writer_in_tx(w, create_rows, &rows));
    write_announce(w);
    return write_read_back(w, target->collection, rows.keys, 1, false, query, sink);
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
