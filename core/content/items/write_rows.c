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
static fiber_fn Str rows_json(struct ctx *ctx, const struct payload *payloads, uint32_t count,
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

/* The row whose value a constraint refused, if the rows leave no doubt; else NULL. */
static const struct payload *refused(struct ctx *ctx, const struct payload *payloads,
                                     uint32_t count)
{
    const struct field *field = write_refused_field(ctx, payloads[0].collection);
    const struct payload *found = NULL;
    for (uint32_t i = 0; field != NULL && i < count; i++) {
        const struct cell *cell = payload_find(&payloads[i], field);
        if (cell == NULL || cell->text.data == NULL)
            continue;
        if (found != NULL && !str_eq(payload_find(found, field)->text, cell->text))
            return NULL;
        found = &payloads[i];
    }
    return found;
}

fiber_fn Err write_payloads(struct writer *w, const struct write_target *target,
                            const struct payload *payloads, uint32_t count,
                            const struct query *query, struct run *run)
{
    assert(count > 0 && target->action == ACTION_CREATE);
    struct write_shape shape = {.action = ACTION_CREATE,
                                .is_many = true,
                                .has_lineage =
                                    w->tx != NULL && write_has_lineage(target, &payloads[0]),
                                .parent_revision = target->parent_revision,
                                .access = target->access,
                                .query = query};
    write_columns(w->ctx, &payloads[0], &shape);
    mark_given(w->ctx->arena, &payloads[0], &shape);
    const struct plan *plan;
    TRY(write_plan(w, target->collection, &shape, &plan));
    Err err = write_run(w, plan, &shape, NULL, rows_json(w->ctx, payloads, count, &shape), run);
    if (err != OK)
        return write_name_value(w->ctx, err, refused(w->ctx, payloads, count));
    if (run->rows.count != count)
        return fail_plain(w->ctx, ERR_FORBIDDEN);
    if (write_history_waits(&shape))
        write_history_add(w, plan, payloads, target->parent_revision, &run->rows);
    return OK;
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

/* The rows of one statement: keys and revisions, and the rows that point to them. */
static fiber_fn Err create_alike(struct writer *w, struct new_rows *rows, uint32_t first,
                                 uint32_t count)
{
    assert(count > 1 && first + count <= rows->count);
    struct run run = {.ctx = w->ctx};
    struct payload *payloads = &rows->payloads[first];
    TRY(write_payloads(w, rows->target, payloads, count, NULL, &run));
    for (uint32_t i = 0; i < count; i++) {
        /* Rows come back in the order in which they were inserted. */
        Str key = key_of_row(w->ctx->arena, &run.rows, i, run.plan->key_column);
        assert(rows->target->collection->key->type_oid != OID_UUID ||
               str_eq(payloads[i].key, key)); /* other types may spell a key in another way */
        rows->keys[first + i] = key;
        if (run.plan->revision_column != NO_COLUMN)
            rows->revisions[first + i] = row_int(&run.rows, i, run.plan->revision_column);
    }
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
    rows->revisions = arena_array(w->ctx->arena, int64_t, rows->count);
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
