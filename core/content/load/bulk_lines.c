/*
 * The valid rows as lines of COPY's text format: the row's number, then every column of the load.
 */
#include "access/grants/actor.h"
#include "content/load/bulk_internal.h"

#include <assert.h>

/* Values that the server supplies if the row omits them, or overwrites. */
static bool write_filled(struct bulk *bulk, struct bulk_row *row, const struct field *field,
                         const struct json *given, struct buf *out)
{
    struct arena *arena = bulk->ctx->arena;
    if (field == bulk->collection->site && field != bulk->collection->key) {
        buf_put(out, uuid_text(arena, row->site));
        return true;
    }
    if (!json_is_null(given))
        return false;
    if (field == bulk->collection->key && field->type == FIELD_UUID) {
        row->key = uuid_text(arena, uuid_make());
        buf_put(out, row->key);
        return true;
    }
    if ((field->special & SPECIAL_DATE_CREATED) != 0 && !field->has_default) {
        buf_put(out, bulk->now);
        return true;
    }
    const struct actor *actor = bulk->ctx->actor;
    if ((field->special & SPECIAL_USER_CREATED) != 0 && !field->has_default && actor != NULL &&
        !uuid_is_nil(actor->user)) {
        buf_put(out, uuid_text(arena, actor->user));
        return true;
    }
    return false;
}

static fiber_fn bool write_line(struct bulk *bulk, uint32_t index, uint32_t position,
                                struct buf *out)
{
    assert(index < bulk->count && bulk->rows[index].fault.len == 0);
    struct bulk_row *row = &bulk->rows[index];
    const struct bulk_shape *shape = &bulk->shapes[row->shape];
    assert(row->shape < bulk->shape_count);
    buf_put_i64(out, position);
    for (uint32_t i = 0; i < bulk->column_count; i++) {
        const struct field *field = bulk->columns[i];
        buf_put_char(out, '\t');
        if (!shape_has(shape, i)) {
            buf_put_z(out, "\\N");
            continue;
        }
        const struct json *given = json_get(row->json, field->name);
        if (write_filled(bulk, row, field, given, out))
            continue;
        if (!bulk_value_write(bulk->ctx, field, given, out, &row->fault))
            return false;
    }
    buf_put_char(out, '\n');
    return true;
}

fiber_fn Err bulk_lines(struct bulk *bulk, struct buf *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < bulk->order_count; i++) {
        TRY(fiber_breathe(bulk->ctx));
        size_t start = out->len;
        uint32_t index = bulk->order[i];
        if (write_line(bulk, index, kept, out))
            bulk->order[kept++] = index;
        else
            out->len = start;
    }
    assert(kept <= bulk->order_count);
    bulk->order_count = kept;
    return buf_check(bulk->ctx, out, "The load");
}
