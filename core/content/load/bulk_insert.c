#include "base/json/json_writer.h"
#include "content/load/bulk_internal.h"
#include "content/schema/schema.h"
#include "gen/sql.h"

#include <assert.h>

enum { LINES_MAX = 256 * 1024 * 1024, RESULT_MAX = 16 * 1024 * 1024, FAULTS_TOLD = 10 };

static fiber_fn Err open_collection(struct bulk *bulk, Str name)
{
    assert(bulk->collection == NULL && bulk->ctx != NULL);
    TRY(schema_current(bulk->ctx, &bulk->schema));
    bulk->collection = schema_find(bulk->schema, name);
    if (bulk->collection == NULL || bulk->collection->is_system || bulk->collection->is_read_only)
        return schema_forbidden_collection(bulk->ctx, name, STR_NONE);
    if (bulk->collection->key == NULL)
        return fail(bulk->ctx, ERR_INVALID_PAYLOAD, "Collection \"%.*s\" has no primary key",
                    STR_FMT(name));
    return OK;
}

/* All or none: reports the first invalid rows, each as an entry of its own. */
static Err refuse_faults(struct bulk *bulk)
{
    assert(bulk->order_count < bulk->count);
    Err err = OK;
    uint32_t told = 0;
    for (uint32_t i = 0; i < bulk->count && told < FAULTS_TOLD; i++) {
        const struct bulk_row *row = &bulk->rows[i];
        if (row->fault.len == 0)
            continue;
        told++;
        err = fail_also(bulk->ctx, ERR_INVALID_PAYLOAD, "Item %u: %.*s", i, STR_FMT(row->fault));
        fail_note_json(bulk->ctx, "index", str_printf(bulk->ctx->arena, "%u", i));
    }
    return err;
}

static bool is_integer(const struct field *field)
{
    return field->type_oid == OID_INT2 || field->type_oid == OID_INT4 ||
           field->type_oid == OID_INT8;
}

static fiber_fn void write_ids(struct bulk *bulk, struct json_writer *w)
{
    assert(bulk->collection->key != NULL);
    bool is_number = is_integer(bulk->collection->key);
    json_key(w, STR("ids"));
    json_array_begin(w);
    for (uint32_t i = 0; i < bulk->count; i++) {
        fiber_pause();
        if (!bulk->rows[i].is_stored)
            continue;
        if (is_number)
            json_put_raw(w, bulk->rows[i].key);
        else
            json_put_str(w, bulk->rows[i].key);
    }
    json_array_end(w);
}

static fiber_fn void write_failed(struct bulk *bulk, struct json_writer *w)
{
    json_key(w, STR("failed"));
    json_array_begin(w);
    for (uint32_t i = 0; i < bulk->count; i++) {
        fiber_pause();
        if (bulk->rows[i].fault.len == 0)
            continue;
        json_object_begin(w);
        json_field_int(w, "index", i);
        json_field_str(w, "error", bulk->rows[i].fault);
        json_object_end(w);
    }
    json_array_end(w);
}

static fiber_fn Err result_write(struct bulk *bulk, struct bulk_result *ret)
{
    uint64_t inserted = 0;
    for (uint32_t i = 0; i < bulk->count; i++)
        inserted += bulk->rows[i].is_stored;
    assert(inserted <= bulk->order_count);
    struct json_writer w = json_writer(buf_in_arena(bulk->ctx->arena, RESULT_MAX));
    json_object_begin(&w);
    json_field_int(&w, "inserted", (int64_t)inserted);
    write_ids(bulk, &w);
    write_failed(bulk, &w);
    json_object_end(&w);
    TRY(buf_check(bulk->ctx, w.out, "The result"));
    *ret = (struct bulk_result){inserted, buf_str(w.out)};
    return OK;
}

/* Later reads get a plan that accounts for the new rows. The load is committed: a failure here is
 * ignored. */
static fiber_fn void refresh_statistics(struct bulk *bulk)
{
    assert(bulk->collection != NULL);
    Err err = db_query_platform(bulk->platform, &SQL_STATISTICS_OF_COLLECTION,
                                ARGS(db_text(bulk->collection->name)), NULL);
    if (err != OK)
        diag_clear(bulk->ctx);
}

fiber_fn Err bulk_insert(struct platform platform, Str collection, const struct json *items,
                         bool atomic, struct bulk_result *ret)
{
    assert(platform.ctx != NULL);
    struct ctx *ctx = platform.ctx;
    if (json_kind(items) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"items\" must be an array");
    if (json_len(items) > BULK_ROWS_MAX)
        return fail(ctx, ERR_TOO_LARGE, "At most %d items can be loaded at once, not %u.",
                    BULK_ROWS_MAX, json_len(items));

    struct bulk *bulk = arena_new(ctx->arena, struct bulk);
    bulk->platform = platform;
    bulk->ctx = ctx;
    TRY(open_collection(bulk, collection));
    TRY(bulk_read(bulk, items));
    struct buf *lines = buf_in_arena(ctx->arena, LINES_MAX);
    TRY(bulk_lines(bulk, lines));
    if (atomic && bulk->order_count < bulk->count)
        return refuse_faults(bulk);
    TRY(bulk_load(bulk, buf_str(lines), atomic));
    refresh_statistics(bulk);
    bulk_publish(bulk);
    return result_write(bulk, ret);
}
