/*
 * Collections: tables and folders.
 */
#include "base/memory/map.h"
#include "content/catalog/catalog_internal.h"
#include "content/catalog/catalog_system.h"
#include "content/catalog/viewer.h"
#include "gen/sql.h"

#include <assert.h>

enum { GROUPS_MAX = 32 };

struct list {
    struct viewer viewer;
    struct rows rows;
    const struct map *by_name; /* name → &places[row] */
    uint32_t *places;
    bool *shown;
};

static Str name_of(const struct list *list, uint32_t row)
{
    assert(row < list->rows.count);
    return row_text(&list->rows, row, CATALOG_COLLECTIONS_COLLECTION);
}

static bool is_folder(const struct list *list, uint32_t row)
{
    assert(row < list->rows.count);
    return !row_bool(&list->rows, row, CATALOG_COLLECTIONS_IS_TABLE);
}

/* A folder is seen by who sees something in it. */
static void show_groups(struct list *list, uint32_t row)
{
    assert(list->by_name != NULL);
    for (int i = 0; i < GROUPS_MAX; i++) {
        Str group = row_text(&list->rows, row, CATALOG_COLLECTIONS_GROUP_NAME);
        const uint32_t *place = group.len == 0 ? NULL : map_get(list->by_name, group);
        if (place == NULL || (list->shown[*place] && i > 0))
            return;
        row = *place;
        list->shown[row] = list->shown[row] || is_folder(list, row);
    }
}

static fiber_fn Err choose(struct ctx *ctx, struct list *list)
{
    assert(list->viewer.schema != NULL);
    uint32_t count = list->rows.count;
    struct map *by_name = map_in_arena(ctx->arena);
    list->places = arena_array(ctx->arena, uint32_t, (size_t)count + 1);
    list->shown = arena_array(ctx->arena, bool, (size_t)count + 1);
    list->by_name = by_name;
    for (uint32_t i = 0; i < count; i++) {
        list->places[i] = i;
        list->shown[i] = false;
        map_put(by_name, name_of(list, i), &list->places[i]);
    }
    bool sees_all = list->viewer.is_admin && !list->viewer.is_site;
    for (uint32_t i = 0; i < count; i++) {
        TRY(fiber_breathe(ctx));
        if (!sees_all && (is_folder(list, i) || !viewer_sees(&list->viewer, name_of(list, i))))
            continue;
        list->shown[i] = true;
        show_groups(list, i);
    }
    return OK;
}

static void write(struct json_writer *w, const struct list *list, uint32_t row)
{
    assert(row < list->rows.count);
    Str name = name_of(list, row);
    Str meta = row_text(&list->rows, row, CATALOG_COLLECTIONS_META);
    const struct system_collection_meta *system =
        meta.len == 0 ? system_collection_find(name) : NULL;
    json_object_begin(w);
    json_field_str(w, "collection", name);
    catalog_put_json(w, "meta", system != NULL ? system->meta : meta);
    catalog_put_json(w, "schema", row_text(&list->rows, row, CATALOG_COLLECTIONS_SCHEMA));
    json_object_end(w);
}

static fiber_fn Err load(struct ctx *ctx, Str only, struct list *ret)
{
    *ret = (struct list){0};
    TRY(viewer_of(ctx, &ret->viewer));
    TRY(catalog_query_one(ctx, &SQL_CATALOG_COLLECTIONS, only, &ret->rows));
    return choose(ctx, ret);
}

/* Its metadata is items of this collection. */
static Err require_metadata(struct ctx *ctx, const struct viewer *viewer)
{
    if (viewer->is_admin || viewer_sees(viewer, STR("directus_collections")))
        return OK;
    return schema_forbidden_collection(ctx, STR("directus_collections"), STR_NONE);
}

fiber_fn Err catalog_collections(struct ctx *ctx, const struct catalog_names *names,
                                 struct json_writer *w)
{
    assert(names->count == 0 || names->list != NULL);
    static char mark;
    struct list list;
    TRY(load(ctx, names->count == 1 ? names->list[0] : STR_NONE, &list));
    TRY(require_metadata(ctx, &list.viewer));
    struct map *wanted = map_in_arena(ctx->arena);
    for (uint32_t i = 0; i < names->count; i++) {
        const uint32_t *place = map_get(list.by_name, names->list[i]);
        if (place == NULL || !list.shown[*place])
            return fail_plain(ctx, ERR_FORBIDDEN);
        map_put(wanted, names->list[i], &mark);
    }
    json_array_begin(w);
    for (uint32_t i = 0; i < list.rows.count; i++) {
        TRY(fiber_breathe(ctx));
        bool is_wanted = names->count == 0 || map_get(wanted, name_of(&list, i)) != NULL;
        if (list.shown[i] && is_wanted)
            write(w, &list, i);
    }
    json_array_end(w);
    return OK;
}

fiber_fn Err catalog_collection(struct ctx *ctx, Str collection, struct json_writer *w)
{
    assert(w != NULL);
    struct list list;
    TRY(load(ctx, collection, &list));
    if (!list.viewer.is_admin) {
        TRY(viewer_require_read(ctx, &list.viewer, collection));
        TRY(require_metadata(ctx, &list.viewer));
    }
    if (list.rows.count == 0 || !list.shown[0])
        return fail_plain(ctx, ERR_FORBIDDEN);
    write(w, &list, 0);
    return OK;
}
