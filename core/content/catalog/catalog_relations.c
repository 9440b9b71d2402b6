/*
 * Relations: what Directus' metadata calls one, and foreign keys without such a row.
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
    bool *written; /* of SYSTEM_RELATION_METAS: it has a row */
};

static bool sees_any(const struct viewer *viewer, Str collections)
{
    assert(viewer->schema != NULL);
    Str name;
    while (str_next(&collections, ',', &name))
        if (viewer_sees(viewer, str_trim(name)))
            return true;
    return false;
}

static bool sees(const struct viewer *viewer, Str collection, Str field, Str related, Str allowed)
{
    assert(collection.len > 0);
    if (!viewer_sees_field(viewer, collection, field))
        return false;
    if (related.len > 0)
        return viewer_sees(viewer, related);
    return viewer->is_admin || sees_any(viewer, allowed);
}

static void put(struct json_writer *w, Str collection, Str field, Str related, Str schema, Str meta)
{
    assert(collection.len > 0 && field.len > 0);
    json_object_begin(w);
    json_field_str(w, "collection", collection);
    json_field_str(w, "field", field);
    json_key(w, STR("related_collection"));
    if (related.len > 0)
        json_put_str(w, related);
    else
        json_put_null(w);
    catalog_put_json(w, "schema", schema);
    catalog_put_json(w, "meta", meta);
    json_object_end(w);
}

static uint32_t write_row(struct list *list, uint32_t row, struct json_writer *w)
{
    assert(list->written != NULL && row < list->rows.count);
    const struct rows *rows = &list->rows;
    Str collection = row_text(rows, row, CATALOG_RELATIONS_COLLECTION);
    Str field = row_text(rows, row, CATALOG_RELATIONS_FIELD);
    Str related = row_text(rows, row, CATALOG_RELATIONS_RELATED);
    Str meta = row_text(rows, row, CATALOG_RELATIONS_META);
    uint32_t cursor = 0;
    const struct system_relation_meta *system =
        meta.len == 0 ? system_relation_next(collection, field, &cursor) : NULL;
    if (system != NULL) {
        list->written[system - SYSTEM_RELATION_METAS] = true;
        meta = system->meta;
    }
    if (!sees(&list->viewer, collection, field, related,
              row_text(rows, row, CATALOG_RELATIONS_ALLOWED)))
        return 0;
    put(w, collection, field, related, row_text(rows, row, CATALOG_RELATIONS_SCHEMA), meta);
    return 1;
}

/* Those without a foreign key. */
static uint32_t write_system(const struct list *list, struct json_writer *w)
{
    assert(list->written != NULL);
    uint32_t count = 0;
    for (uint32_t i = 0; i < SYSTEM_RELATION_META_COUNT; i++) {
        const struct system_relation_meta *meta = &SYSTEM_RELATION_METAS[i];
        bool is_asked = (list->collection.len == 0 || str_eq(list->collection, meta->collection)) &&
                        (list->field.len == 0 || str_eq(list->field, meta->field));
        if (!is_asked || list->written[i] ||
            !sees(&list->viewer, meta->collection, meta->field, meta->related, STR_NONE))
            continue;
        put(w, meta->collection, meta->field, meta->related, STR_NONE, meta->meta);
        count++;
    }
    return count;
}

static fiber_fn Err load(struct ctx *ctx, struct list *list)
{
    assert(list->field.len == 0 || list->collection.len > 0);
    TRY(viewer_of(ctx, &list->viewer));
    if (list->collection.len > 0)
        TRY(viewer_require_known(ctx, &list->viewer, list->collection));
    if (!list->viewer.is_admin)
        TRY(viewer_require_read(ctx, &list->viewer, STR("directus_relations")));
    list->written = arena_array(ctx->arena, bool, SYSTEM_RELATION_META_COUNT);
    memset(list->written, 0, SYSTEM_RELATION_META_COUNT * sizeof list->written[0]);
    return catalog_query(ctx, &SQL_CATALOG_RELATIONS, list->collection, list->field, &list->rows);
}

fiber_fn Err catalog_relations(struct ctx *ctx, Str collection, struct json_writer *w)
{
    struct list list = {.collection = collection};
    TRY(load(ctx, &list));
    json_array_begin(w);
    for (uint32_t i = 0; i < list.rows.count; i++) {
        TRY(fiber_breathe(ctx));
        write_row(&list, i, w);
    }
    write_system(&list, w);
    json_array_end(w);
    return OK;
}

/* A field has one: the first. */
fiber_fn Err catalog_relation(struct ctx *ctx, Str collection, Str field, struct json_writer *w)
{
    assert(collection.len > 0 && field.len > 0);
    struct list list = {.collection = collection, .field = field};
    TRY(load(ctx, &list));
    for (uint32_t i = 0; i < list.rows.count; i++)
        if (write_row(&list, i, w) > 0)
            return OK;
    return write_system(&list, w) > 0 ? OK : fail_plain(ctx, ERR_FORBIDDEN);
}
