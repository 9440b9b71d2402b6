/*
 * Fields: columns, and what has none.
 */
#include "content/catalog/catalog_internal.h"
#include "content/catalog/catalog_system.h"
#include "content/catalog/viewer.h"
#include "gen/sql.h"

#include <assert.h>

struct list {
    struct viewer viewer;
    Str collection; /* empty: all */
    Str field;      /* empty: all */
    struct rows rows;
    bool *written; /* of SYSTEM_FIELD_METAS: it has a row */
};

/* Directus names a geometry by its kind; PostGIS may be there or not, so its types have no fixed
 * numbers. */
static Str type_of(const struct rows *rows, uint32_t row, Str special)
{
    assert(row < rows->count);
    uint32_t oid = (uint32_t)row_int(rows, row, CATALOG_FIELDS_TYPE_OID);
    Str data_type = row_text(rows, row, CATALOG_FIELDS_DATA_TYPE);
    if (oid == 0)
        return STR("alias");
    if (str_eq(data_type, STR("geometry")) || str_eq(data_type, STR("geography")))
        return STR("geometry");
    return str_from_z(field_type_name(field_type_of(oid, field_special_of(special), special)));
}

static void put(struct json_writer *w, Str collection, Str field, Str type, Str schema, Str meta)
{
    assert(collection.len > 0 && field.len > 0);
    json_object_begin(w);
    json_field_str(w, "collection", collection);
    json_field_str(w, "field", field);
    json_field_str(w, "type", type);
    catalog_put_json(w, "schema", schema);
    catalog_put_json(w, "meta", meta);
    json_object_end(w);
}

static uint32_t write_row(struct list *list, uint32_t row, struct json_writer *w)
{
    assert(list->written != NULL && row < list->rows.count);
    const struct rows *rows = &list->rows;
    Str collection = row_text(rows, row, CATALOG_FIELDS_COLLECTION);
    Str field = row_text(rows, row, CATALOG_FIELDS_FIELD);
    Str special = row_text(rows, row, CATALOG_FIELDS_SPECIAL);
    Str meta = row_text(rows, row, CATALOG_FIELDS_META);
    const struct system_field_meta *system = system_field_find(collection, field);
    if (system != NULL)
        list->written[system - SYSTEM_FIELD_METAS] = true;
    if (system != NULL && meta.len == 0) {
        special = system->special;
        meta = system->meta;
    }
    if (!viewer_sees_field(&list->viewer, collection, field))
        return 0;
    put(w, collection, field, type_of(rows, row, special),
        row_text(rows, row, CATALOG_FIELDS_SCHEMA), meta);
    return 1;
}

static bool is_asked(const struct list *list, const struct system_field_meta *meta)
{
    assert(meta != NULL);
    if (list->collection.len > 0 && !str_eq(meta->collection, list->collection))
        return false;
    return list->field.len == 0 || str_eq(meta->field, list->field);
}

/* Dividers and the other sides of relations: nothing in the database tells of them. */
static uint32_t write_aliases(const struct list *list, struct json_writer *w)
{
    assert(list->written != NULL);
    uint32_t count = 0;
    for (uint32_t i = 0; i < SYSTEM_FIELD_META_COUNT; i++) {
        const struct system_field_meta *meta = &SYSTEM_FIELD_METAS[i];
        if (!meta->is_alias || list->written[i] || !is_asked(list, meta) ||
            !viewer_sees_field(&list->viewer, meta->collection, meta->field))
            continue;
        put(w, meta->collection, meta->field, STR("alias"), STR_NONE, meta->meta);
        count++;
    }
    return count;
}

static fiber_fn Err write_all(struct ctx *ctx, struct list *list, struct json_writer *w,
                              uint32_t *ret_count)
{
    assert(list->field.len == 0 || list->collection.len > 0);
    TRY(catalog_query(ctx, &SQL_CATALOG_FIELDS, list->collection, list->field, &list->rows));
    list->written = arena_array(ctx->arena, bool, SYSTEM_FIELD_META_COUNT);
    memset(list->written, 0, SYSTEM_FIELD_META_COUNT * sizeof list->written[0]);
    *ret_count = 0;
    for (uint32_t i = 0; i < list->rows.count; i++) {
        TRY(fiber_breathe(ctx));
        *ret_count += write_row(list, i, w);
    }
    *ret_count += write_aliases(list, w);
    return OK;
}

fiber_fn Err catalog_fields(struct ctx *ctx, Str collection, struct json_writer *w)
{
    struct list list = {.collection = collection};
    uint32_t count;
    TRY(viewer_of(ctx, &list.viewer));
    if (collection.len > 0)
        TRY(viewer_require_known(ctx, &list.viewer, collection));
    if (!list.viewer.is_admin)
        TRY(viewer_require_read(ctx, &list.viewer, STR("directus_fields")));
    if (collection.len > 0 && !viewer_sees(&list.viewer, collection))
        return fail_plain(ctx, ERR_FORBIDDEN);
    json_array_begin(w);
    TRY(write_all(ctx, &list, w, &count));
    json_array_end(w);
    return OK;
}

fiber_fn Err catalog_field(struct ctx *ctx, Str collection, Str field, struct json_writer *w)
{
    assert(collection.len > 0 && field.len > 0);
    struct list list = {.collection = collection, .field = field};
    uint32_t count;
    TRY(viewer_of(ctx, &list.viewer));
    TRY(viewer_require_known(ctx, &list.viewer, collection));
    TRY(viewer_require_read(ctx, &list.viewer, collection));
    TRY(write_all(ctx, &list, w, &count));
    return count > 0 ? OK : fail_plain(ctx, ERR_FORBIDDEN);
}
