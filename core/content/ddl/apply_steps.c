/*
 * The changes of a diff, one after the other in one transaction. What goes, goes first: relations,
 * fields, collections; then what comes: collections with their fields, fields, relations.
 */
#include "base/json/json_build.h"
#include "base/memory/map.h"
#include "base/system/range.h"
#include "content/ddl/apply_internal.h"
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_rows.h"
#include "gen/sql.h"

#include <assert.h>

typedef Err Step(struct db_tx *tx, const struct change *change);

static bool is_due(const struct change *change, enum change_of of, enum change_kind kind)
{
    return change->of == of && change->kind == kind && change->kept == NULL;
}

static fiber_fn Err each(struct db_tx *tx, const struct diff *diff, enum change_of of,
                         enum change_kind kind, Step *step)
{
    assert(of < CHANGE_OF_COUNT && kind < CHANGE_KIND_COUNT);
    for (uint32_t i = 0; i < diff->count; i++) {
        const struct change *change = &diff->list[i];
        if (is_due(change, of, kind))
            TRY(ddl_at(tx->ctx, change->path, step(tx, change)));
    }
    return OK;
}

static fiber_fn Err drop_field(struct db_tx *tx, const struct change *change)
{
    return ddl_field_delete(tx, change->collection, change->field);
}

static fiber_fn Err drop_collection(struct db_tx *tx, const struct change *change)
{
    assert(change->of == OF_COLLECTION && change->current != NULL);
    return ddl_collection_delete(tx, change->collection);
}

/* A default of JSON stands in a snapshot as the text it has in the table. */
static Err build_default(struct ctx *ctx, struct json_builder *b, const struct change *field,
                         const struct json *value)
{
    const struct json *type = json_get(field->wanted, STR("type"));
    bool is_json = json_kind(type) == JSON_STRING && str_eq(json_str(type), STR("json"));
    if (is_json && json_kind(value) == JSON_STRING)
        return json_build_text(ctx, b, json_str(value), JSON_LIMITS_DEFAULT);
    json_build_value(b, value);
    return OK;
}

/* A field of the snapshot as the body that makes it. */
static Err build_field(struct ctx *ctx, struct json_builder *b, const struct change *field)
{
    assert(field->of == OF_FIELD && field->wanted != NULL);
    const struct json *schema = json_get(field->wanted, STR("schema"));
    json_build_object_begin(b);
    json_build_key(b, STR("collection"));
    json_build_str(b, field->collection);
    json_build_key(b, STR("field"));
    json_build_str(b, field->field);
    json_build_key(b, STR("type"));
    json_build_value(b, json_get(field->wanted, STR("type")));
    json_build_key(b, STR("meta"));
    json_build_value(b, json_get(field->wanted, STR("meta")));
    json_build_key(b, STR("schema"));
    json_build_object_begin(b);
    for (struct json_iter it = json_iter(schema); json_next(&it);) {
        json_build_key(b, it.key);
        if (str_eq(it.key, STR("default_value")))
            TRY(build_default(ctx, b, field, it.value));
        else
            json_build_value(b, it.value);
    }
    json_build_object_end(b);
    json_build_object_end(b);
    return OK;
}

/* A collection that is made, and the fields that are made with it. */
struct born {
    const struct change *collection;
    const struct change **fields;
    uint32_t count;
    uint32_t room;
};

static void born_add(struct arena *arena, struct born *born, const struct change *field)
{
    if (born->count == born->room) {
        uint32_t room = max_u32(16, born->room * 2);
        const struct change **more = arena_array(arena, const struct change *, room);
        for (uint32_t i = 0; i < born->count; i++)
            more[i] = born->fields[i];
        born->fields = more;
        born->room = room;
    }
    born->fields[born->count++] = field;
}

/* By name; *ret_list has them in their order. */
static fiber_fn struct map *births_of(struct arena *arena, const struct diff *diff,
                                      struct born **ret_list, uint32_t *ret_count)
{
    struct map *map = map_in_arena(arena);
    struct born *list = arena_array(arena, struct born, diff->count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < diff->count; i++) {
        const struct change *change = &diff->list[i];
        if (!is_due(change, OF_COLLECTION, CHANGE_CREATE))
            continue;
        list[count].collection = change;
        map_put(map, change->collection, &list[count++]);
    }
    for (uint32_t i = 0; i < diff->count; i++) {
        fiber_pause();
        const struct change *change = &diff->list[i];
        struct born *born = change->of == OF_FIELD ? map_get(map, change->collection) : NULL;
        if (born != NULL)
            born_add(arena, born, change);
    }
    *ret_list = list;
    *ret_count = count;
    return map;
}

static Err build_collection(struct ctx *ctx, struct json_builder *b, const struct born *born)
{
    const struct change *change = born->collection;
    assert(change->of == OF_COLLECTION && change->wanted != NULL);
    json_build_object_begin(b);
    json_build_key(b, STR("collection"));
    json_build_str(b, change->collection);
    json_build_key(b, STR("meta"));
    json_build_value(b, json_get(change->wanted, STR("meta")));
    json_build_key(b, STR("schema"));
    json_build_value(b, json_get(change->wanted, STR("schema")));
    json_build_key(b, STR("fields"));
    json_build_array_begin(b);
    for (uint32_t i = 0; i < born->count; i++)
        TRY(ddl_at(ctx, born->fields[i]->path, build_field(ctx, b, born->fields[i])));
    json_build_array_end(b);
    json_build_object_end(b);
    return OK;
}

static Err birth_of(struct ctx *ctx, const struct born *born, struct ddl_birth *ret)
{
    struct json_builder *measuring = json_builder_measuring(ctx);
    struct json_builder *b;
    Str *paths = arena_array(ctx->arena, Str, born->count);
    for (uint32_t i = 0; i < born->count; i++)
        paths[i] = born->fields[i]->path;
    TRY(build_collection(ctx, measuring, born));
    TRY(json_builder_new(ctx, json_builder_bytes(measuring), &b));
    TRY(build_collection(ctx, b, born));
    *ret = (struct ddl_birth){
        .path = born->collection->path, .field_paths = paths, .is_of_snapshot = true};
    return json_builder_end(ctx, b, &ret->body);
}

static fiber_fn Err make_collections(struct db_tx *tx, const struct born *list, uint32_t count)
{
    struct ctx *ctx = tx->ctx;
    struct ddl_birth *births = arena_array(ctx->arena, struct ddl_birth, count);
    uint32_t fields;
    for (uint32_t i = 0; i < count; i++) {
        TRY(fiber_breathe(ctx));
        TRY(ddl_at(ctx, list[i].collection->path, birth_of(ctx, &list[i], &births[i])));
    }
    return ddl_collections_create(tx, births, count, &fields);
}

static fiber_fn Err alter_collection(struct db_tx *tx, const struct change *change)
{
    assert(change->kind == CHANGE_ALTER);
    const struct json *meta = json_get(change->wanted, STR("meta"));
    if (json_is_null(meta))
        return OK;
    TRY(ddl_audit(tx, STR("collection_changed"), change->collection));
    TRY(db_tx_query(tx, &SQL_APPLY_COLLECTION_META,
                    ARGS(db_text(change->collection), db_text(json_text(tx->ctx->arena, meta))),
                    NULL));
    struct ddl_row row = {.collection = change->collection, .meta = meta};
    return ddl_history(tx, ACTION_UPDATE, &row, 1);
}

static Err field_body(struct ctx *ctx, const struct change *change, const struct json **ret)
{
    assert(change->of == OF_FIELD);
    struct json_builder *measuring = json_builder_measuring(ctx);
    struct json_builder *b;
    TRY(build_field(ctx, measuring, change));
    TRY(json_builder_new(ctx, json_builder_bytes(measuring), &b));
    TRY(build_field(ctx, b, change));
    return json_builder_end(ctx, b, ret);
}

static struct ddl_row row_of(const struct change *change)
{
    assert(change->of == OF_FIELD);
    return (struct ddl_row){.collection = change->collection,
                            .field = change->field,
                            .meta = json_get(change->wanted, STR("meta")),
                            .path = change->path};
}

/* What the making of a field fills in by itself, a place in the order, is as the snapshot says. */
static fiber_fn Err make_field(struct db_tx *tx, const struct change *change)
{
    assert(change->kind == CHANGE_CREATE);
    const struct json *body;
    TRY(field_body(tx->ctx, change, &body));
    TRY(ddl_field_create(tx, body));
    struct ddl_row row = row_of(change);
    int64_t found;
    row.path = STR_NONE; /* who calls this says it */
    return json_is_null(row.meta) ? OK : ddl_fields_describe(tx, &row, 1, &found);
}

/* The fields of a new collection were made with it. */
static fiber_fn Err make_fields(struct db_tx *tx, const struct diff *diff, const struct map *born)
{
    for (uint32_t i = 0; i < diff->count; i++) {
        const struct change *change = &diff->list[i];
        if (is_due(change, OF_FIELD, CHANGE_CREATE) && map_get(born, change->collection) == NULL)
            TRY(ddl_at(tx->ctx, change->path, make_field(tx, change)));
    }
    return OK;
}

/* What is said of the fields that change: all at once. */
static fiber_fn Err describe_fields(struct db_tx *tx, const struct diff *diff)
{
    struct arena *arena = tx->ctx->arena;
    struct ddl_row *rows = arena_array(arena, struct ddl_row, diff->count);
    Str *names = arena_array(arena, Str, diff->count);
    uint32_t changed = 0;
    uint32_t described = 0;
    int64_t found;
    for (uint32_t i = 0; i < diff->count; i++) {
        const struct change *change = &diff->list[i];
        if (!is_due(change, OF_FIELD, CHANGE_ALTER))
            continue;
        names[changed++] =
            str_printf(arena, "%.*s.%.*s", STR_FMT(change->collection), STR_FMT(change->field));
        rows[described] = row_of(change);
        if (change->has_meta && !json_is_null(rows[described].meta))
            described++;
    }
    TRY(ddl_audit_each(tx, STR("field_changed"), names, changed));
    if (described == 0)
        return OK;
    TRY(ddl_fields_describe(tx, rows, described, &found));
    return ddl_history(tx, ACTION_UPDATE, rows, described);
}

static fiber_fn Err alter_column(struct db_tx *tx, const struct change *change)
{
    assert(change->kind == CHANGE_ALTER && (change->has_meta || change->has_schema));
    const struct json *body;
    if (!change->has_schema)
        return OK;
    TRY(field_body(tx->ctx, change, &body));
    return apply_alter_field(tx, change, body);
}

static fiber_fn Err make_relations(struct db_tx *tx, const struct diff *diff)
{
    struct ddl_relation *list = arena_array(tx->ctx->arena, struct ddl_relation, diff->count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < diff->count; i++) {
        const struct change *change = &diff->list[i];
        if (is_due(change, OF_RELATION, CHANGE_CREATE))
            list[count++] = (struct ddl_relation){change->wanted, change->path};
    }
    return ddl_relations_create(tx, list, count);
}

fiber_fn Err apply_steps(struct db_tx *tx, const struct diff *diff)
{
    assert(tx->connection != NULL);
    struct born *births;
    uint32_t count;
    const struct map *born = births_of(tx->ctx->arena, diff, &births, &count);
    TRY(each(tx, diff, OF_RELATION, CHANGE_DELETE, apply_drop_relation));
    TRY(each(tx, diff, OF_FIELD, CHANGE_DELETE, drop_field));
    TRY(each(tx, diff, OF_COLLECTION, CHANGE_DELETE, drop_collection));
    TRY(make_collections(tx, births, count));
    TRY(each(tx, diff, OF_COLLECTION, CHANGE_ALTER, alter_collection));
    TRY(make_fields(tx, diff, born));
    TRY(describe_fields(tx, diff));
    TRY(each(tx, diff, OF_FIELD, CHANGE_ALTER, alter_column));
    TRY(make_relations(tx, diff));
    return each(tx, diff, OF_RELATION, CHANGE_ALTER, apply_alter_relation);
}
