/*
 * New rows that set the same columns are written by one statement.
 */
#include "base/json/json_writer.h"
#include "base/system/range.h"
#include "content/items/items_rules.h"
#include "content/items/nested.h"
#include "content/items/write_reference.h"

#include <assert.h>

/* The maximum for one statement; larger than an escaped request body. */
#define ROWS_JSON_MAX ((size_t)512 * 1024 * 1024)

static bool same_columns(const struct payload *a, const struct payload *b)
{
    assert(a->count == b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        const struct cell *one = &a->cells[i];
        const struct cell *other = &b->cells[i];
        if (one->field != other->field || (one->field != NULL && one->is_given != other->is_given))
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

static bool sets_no_column(const struct payload *payload)
{
    for (uint32_t i = 0; i < payload->count; i++) {
        if (payload->cells[i].field != NULL)
            return false;
    }
    return true;
}

uint32_t write_are_alike(const struct writer *w, const struct payload *payloads, uint32_t count)
{
    assert(count > 0);
    uint32_t alike = 0;
    while (alike < count && same_columns(&payloads[0], &payloads[alike]) &&
           !points_to_own(w->ctx, &payloads[alike]))
        alike++;
    return sets_no_column(&payloads[0]) ? 0 : alike;
}

/* The rows as one JSON array, with values in the text form of their columns. */
fiber_fn Str write_rows_json(struct ctx *ctx, const struct payload *payloads, uint32_t count,
                             const struct write_shape *shape)
{
    assert(count > 0 && shape->field_count > 0);
    struct buf *out = buf_in_arena(ctx->arena, ROWS_JSON_MAX);
    struct json_writer json = json_writer(out);
    json_array_begin(&json);
    for (uint32_t i = 0; i < count; i++) {
        fiber_pause();
        json_object_begin(&json);
        for (uint32_t n = 0; n < shape->field_count; n++)
            cell_put_column(&json, payload_find(&payloads[i], shape->fields[n]));
        json_object_end(&json);
    }
    json_array_end(&json);
    return buf_str(out);
}

/* Of new rows no grant depends on a column: here the supplied ones are those that revisions show.
 */
static void mark_given(struct arena *arena, const struct payload *payload,
                       struct write_shape *shape)
{
    const struct field **given = arena_array(arena, const struct field *, payload->count);
    shape->supplied_count = 0;
    for (uint32_t i = 0; i < payload->count; i++) {
        if (payload->cells[i].field != NULL && payload->cells[i].is_given)
            given[shape->supplied_count++] = payload->cells[i].field;
    }
    shape->supplied = given;
}

static fiber_fn Err run_alike(struct writer *w, const struct write_target *target,
                              const struct write_shape *shape, const struct payload *payloads,
                              uint32_t count, struct run *run)
{
    const struct plan *plan;
    TRY(write_plan(w, target->collection, shape, &plan));
    Str data = write_rows_json(w->ctx, payloads, count, shape);
    Err err = write_run(w, plan, shape, NULL, data, run);
    if (err != OK)
        return write_name_value(w->ctx, err, payloads, count);
    return run->rows.count == count ? OK : fail_plain(w->ctx, ERR_FORBIDDEN);
}

static bool have_lineage(const struct write_target *target, const struct payload *payloads,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (write_has_lineage(target, &payloads[i]))
            return true;
    return false;
}

static void shape_alike(struct writer *w, const struct write_target *target,
                        const struct payload *payloads, uint32_t count, const struct query *query,
                        struct write_shape *ret)
{
    *ret = (struct write_shape){.action = ACTION_CREATE,
                                .is_many = true,
                                .has_lineage = have_lineage(target, payloads, count),
                                .access = target->access,
                                .query = query};
    assert(w->tx != NULL || !ret->has_lineage);
    write_columns(w->ctx, &payloads[0], ret);
    mark_given(w->ctx->arena, &payloads[0], ret);
}

fiber_fn Err write_payloads(struct writer *w, const struct write_target *target,
                            const struct payload *payloads, uint32_t count,
                            const struct query *query, struct run *run)
{
    assert(count > 0 && target->action == ACTION_CREATE && w->tx == NULL);
    struct write_shape shape;
    shape_alike(w, target, payloads, count, query, &shape);
    return run_alike(w, target, &shape, payloads, count, run);
}

fiber_fn Err write_make_payloads(struct writer *w, struct new_rows *rows)
{
    assert(rows->payloads == NULL);
    struct write_target target = *rows->target;
    rows->payloads = arena_array(w->ctx->arena, struct payload, rows->count);
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct json *item = rows->items[i];
        TRY(fiber_breathe(w->ctx));
        if (!rows->is_filtered)
            TRY(write_before(w, ITEMS_CREATE, target.collection, NULL, 0, item, &item));
        target.order_value = rows->target->order_value + i;
        TRY(payload_make(&target, item, &rows->payloads[i]));
    }
    return OK;
}

/* Rows of no lineage leave their history in the statement. */
static fiber_fn Err create_at_once(struct writer *w, struct new_rows *rows,
                                   const struct write_shape *shape, uint32_t first, uint32_t count)
{
    struct run run = {.ctx = w->ctx};
    TRY(run_alike(w, rows->target, shape, &rows->payloads[first], count, &run));
    /* Rows come back in the order in which they were inserted. */
    for (uint32_t i = 0; i < count; i++)
        rows->keys[first + i] = key_of_row(w->ctx->arena, &run.rows, i, run.plan->key_column);
    return OK;
}

/* The rows of one statement, and the rows that point to them. */
static fiber_fn Err create_alike(struct writer *w, struct new_rows *rows, uint32_t first,
                                 uint32_t count)
{
    assert(count > 1 && first + count <= rows->count);
    struct payload *payloads = &rows->payloads[first];
    struct write_shape shape;
    shape_alike(w, rows->target, payloads, count, NULL, &shape);
    if (!write_history_waits(&shape))
        return create_at_once(w, rows, &shape, first, count);
    TRY(write_queue_add(w, rows->target, &shape, payloads, count, &rows->keys[first],
                        &rows->revisions[first]));
    for (uint32_t i = 0; i < count; i++) {
        w->revision = rows->revisions[first + i];
        nested_adopt(w, &payloads[i], w->revision);
        TRY(nested_after(w, rows->target, &payloads[i], rows->keys[first + i], true));
    }
    return OK;
}

/* Directus' own rules may depend on the rows before. */
static fiber_fn Err create_in_turn(struct writer *w, struct new_rows *rows)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        struct run run = {.ctx = w->ctx};
        struct write_target target = *rows->target;
        target.order_value += i;
        assert(!rows->is_filtered || rows->payloads == NULL);
        TRY(write_create_one(w, &target, rows->items[i], NULL, &run, &rows->keys[i]));
        rows->revisions[i] = w->revision;
    }
    return OK;
}

fiber_fn Err write_create_rows(struct writer *w, struct new_rows *rows)
{
    assert(w->tx != NULL && rows->count > 0);
    rows->keys = arena_array(w->ctx->arena, Str, rows->count);
    rows->revisions = arena_array(w->ctx->arena, struct revision *, rows->count);
    memset(rows->revisions, 0, rows->count * sizeof(*rows->revisions));
    TRY(write_check_rows(w->ctx, (uint64_t)w->rows + rows->count));
    if (items_rules_find(rows->target->collection) != NULL)
        return create_in_turn(w, rows);
    if (rows->payloads == NULL)
        TRY(write_make_payloads(w, rows));
    TRY(nested_before(w, rows->target, rows->payloads, rows->count));
    for (uint32_t i = 0, step; i < rows->count; i += step) {
        step = write_are_alike(w, &rows->payloads[i], rows->count - i);
        if (step > 1) {
            TRY(create_alike(w, rows, i, step));
            continue;
        }
        step = 1;
        struct run run = {.ctx = w->ctx};
        TRY(write_create_payload(w, rows->target, &rows->payloads[i], NULL, &run, &rows->keys[i]));
        rows->revisions[i] = w->revision;
    }
    return OK;
}
