/*
 * Reading a bulk load: the columns, the column set of each row, and the sites.
 */
#include "access/grants/actor.h"
#include "base/system/clock.h"
#include "content/items/items.h"
#include "content/load/bulk_internal.h"
#include "gen/sql.h"

#include <assert.h>

enum { NAME_SHOWN = 255 /* bytes of an unknown name in an error message */ };

void bulk_fault(struct bulk *bulk, uint32_t row, const char *format, ...)
{
    assert(row < bulk->count);
    if (bulk->rows[row].fault.len > 0)
        return;
    va_list args;
    va_start(args, format);
    bulk->rows[row].fault = str_vprintf(bulk->ctx->arena, format, args);
    va_end(args);
}

/* The number of a column, assigned at its first use. */
static Err column_number(struct bulk *bulk, const struct field *field, uint32_t *ret)
{
    assert(bulk->column_count <= BULK_COLUMNS_MAX);
    for (uint32_t i = 0; i < bulk->column_count; i++) {
        if (bulk->columns[i] == field) {
            *ret = i;
            return OK;
        }
    }
    if (bulk->column_count == BULK_COLUMNS_MAX)
        return fail(bulk->ctx, ERR_INVALID_PAYLOAD, "The items name more than %d fields",
                    BULK_COLUMNS_MAX);
    *ret = bulk->column_count;
    bulk->is_unchecked[*ret] = bulk_is_unchecked(field);
    bulk->columns[bulk->column_count++] = field;
    return OK;
}

static Err shape_add(struct bulk *bulk, struct bulk_shape *shape, const struct field *field)
{
    uint32_t number = 0;
    TRY(column_number(bulk, field, &number));
    assert(number < BULK_COLUMNS_MAX);
    shape->columns[number / 64] |= UINT64_C(1) << (number % 64);
    return OK;
}

static Err shape_number(struct bulk *bulk, const struct bulk_shape *shape, uint32_t *ret)
{
    assert(bulk->shape_count <= BULK_SHAPES_MAX);
    for (uint32_t i = bulk->shape_count; i > 0; i--) {
        if (memcmp(&bulk->shapes[i - 1], shape, sizeof *shape) == 0) {
            *ret = i - 1;
            return OK;
        }
    }
    if (bulk->shape_count == BULK_SHAPES_MAX)
        return fail(bulk->ctx, ERR_INVALID_PAYLOAD,
                    "The items have more than %d different sets of fields: give them the same",
                    BULK_SHAPES_MAX);
    bulk->shapes[bulk->shape_count] = *shape;
    *ret = bulk->shape_count++;
    return OK;
}

/* Why a field cannot be loaded, or NULL if it can. */
static const char *obstacle(const struct field *field)
{
    if (field->is_alias)
        return "has no column; load the other side of the relation";
    if (field->is_generated)
        return "is computed by the database";
    if (field->is_hidden_site)
        return "is set by the server";
    if (field->type == FIELD_BINARY)
        return "is binary and cannot be loaded";
    return NULL;
}

static Err read_members(struct bulk *bulk, uint32_t row, struct bulk_shape *shape)
{
    for (struct json_iter it = json_iter(bulk->rows[row].json); json_next(&it);) {
        const struct field *field = collection_field(bulk->collection, it.key);
        if (field == NULL) {
            bulk_fault(bulk, row, "Field \"%.*s\" doesn't exist in collection \"%.*s\"",
                       STR_FMT(str_cut(it.key, NAME_SHOWN)), STR_FMT(bulk->collection->name));
            continue;
        }
        const char *why = obstacle(field);
        if (why != NULL) {
            bulk_fault(bulk, row, "Field \"%.*s\" %s", STR_FMT(it.key), why);
            continue;
        }
        /* A null key or site counts as omitted. */
        bool is_given = !json_is_null(it.value);
        if (is_given || (field != bulk->collection->key && field != bulk->collection->site))
            TRY(shape_add(bulk, shape, field));
    }
    return OK;
}

/* Whether the server supplies the value if the row omits it. */
static bool is_filled(const struct bulk *bulk, const struct field *field)
{
    if (field == bulk->collection->key)
        return field->type == FIELD_UUID;
    if (field == bulk->collection->site)
        return true;
    if (field->has_default || field->is_alias)
        return false;
    const struct actor *actor = bulk->ctx->actor;
    if ((field->special & SPECIAL_USER_CREATED) != 0)
        return actor != NULL && !uuid_is_nil(actor->user);
    return (field->special & SPECIAL_DATE_CREATED) != 0;
}

static void check_required(struct bulk *bulk, uint32_t row, const struct bulk_shape *shape)
{
    const struct collection *collection = bulk->collection;
    for (uint32_t i = 0; i < collection->field_count; i++) {
        const struct field *field = collection->fields[i];
        if (field->is_alias || field->is_nullable || field->has_default || field->is_generated ||
            is_filled(bulk, field))
            continue;
        bool is_there = false;
        for (uint32_t k = 0; k < bulk->column_count && !is_there; k++)
            is_there = bulk->columns[k] == field && shape_has(shape, k);
        if (!is_there)
            bulk_fault(bulk, row, "Value for field \"%.*s\" in collection \"%.*s\" can't be null",
                       STR_FMT(field->name), STR_FMT(collection->name));
    }
}

/* The site that a row names. In `sites` itself the key is the site. */
static void read_site(struct bulk *bulk, uint32_t index)
{
    const struct collection *collection = bulk->collection;
    struct bulk_row *row = &bulk->rows[index];
    if (collection->site == NULL || collection->site == collection->key)
        return;
    const struct json *value = json_get(row->json, collection->site->name);
    if (json_is_null(value) && collection->is_shared_read)
        row->site = UUID_LIBRARY_SITE;
    else if (json_is_null(value))
        bulk_fault(bulk, index, "\"%.*s\" is required: the site that the item belongs to",
                   STR_FMT(collection->site->name));
    else if (json_kind(value) != JSON_STRING || !uuid_parse(json_str(value), &row->site))
        bulk_fault(bulk, index, "\"%.*s\" must be the id of a site",
                   STR_FMT(collection->site->name));
    else if (uuid_eq(row->site, UUID_LIBRARY_SITE) && !collection->is_shared_read)
        bulk_fault(bulk, index, "Collection \"%.*s\" has no items for every site",
                   STR_FMT(collection->name));
}

static Err read_row(struct bulk *bulk, uint32_t index)
{
    assert(index < bulk->count);
    struct bulk_row *row = &bulk->rows[index];
    if (json_kind(row->json) != JSON_OBJECT) {
        bulk_fault(bulk, index, "An item must be an object, not %s", json_kind_name(row->json));
        return OK;
    }
    struct bulk_shape shape = {0};
    TRY(read_members(bulk, index, &shape));
    for (uint32_t i = 0; i < bulk->collection->field_count; i++)
        if (is_filled(bulk, bulk->collection->fields[i]))
            TRY(shape_add(bulk, &shape, bulk->collection->fields[i]));
    read_site(bulk, index);
    check_required(bulk, index, &shape);
    return row->fault.len > 0 ? OK : shape_number(bulk, &shape, &row->shape);
}

/* Each site once; usually there are few. */
static fiber_fn uint32_t distinct_sites(struct bulk *bulk, Uuid *sites)
{
    struct map *seen = map_in_arena(bulk->ctx->arena);
    uint32_t count = 0;
    for (uint32_t i = 0; i < bulk->count; i++) {
        fiber_pause();
        const struct bulk_row *row = &bulk->rows[i];
        if (row->fault.len > 0)
            continue;
        Str name = str_of((const char *)row->site.bytes, sizeof row->site.bytes);
        if (map_put(seen, name, bulk) == NULL)
            sites[count++] = row->site;
        assert(count <= i + 1);
    }
    return count;
}

static fiber_fn Err check_sites(struct bulk *bulk)
{
    struct ctx *ctx = bulk->ctx;
    const struct collection *collection = bulk->collection;
    if (collection->site == NULL || collection->site == collection->key)
        return OK;
    Uuid *sites = arena_array(ctx->arena, Uuid, bulk->count);
    uint32_t count = distinct_sites(bulk, sites);
    struct rows rows;
    TRY(db_query_platform(bulk->platform, &SQL_BULK_SITES,
                          ARGS(db_uuid_array(ctx->arena, sites, count)), &rows));
    assert(rows.count <= count);
    if (rows.count == count)
        return OK;
    struct map *known = map_in_arena(ctx->arena);
    Uuid *found = arena_array(ctx->arena, Uuid, rows.count);
    for (uint32_t i = 0; i < rows.count; i++) {
        TRY(fiber_breathe(ctx));
        found[i] = row_uuid(&rows, i, BULK_SITES_ID);
        map_put(known, str_of((const char *)found[i].bytes, sizeof found[i].bytes), &found[i]);
    }
    for (uint32_t i = 0; i < bulk->count; i++) {
        TRY(fiber_breathe(ctx));
        Str name = str_of((const char *)bulk->rows[i].site.bytes, sizeof(Uuid));
        if (bulk->rows[i].fault.len == 0 && map_get(known, name) == NULL)
            bulk_fault(bulk, i, "There is no site \"%.*s\"",
                       STR_FMT(uuid_text(ctx->arena, bulk->rows[i].site)));
    }
    return OK;
}

/* Counting sort by column set, stable within a set. */
static fiber_fn void put_in_order(struct bulk *bulk)
{
    uint32_t places[BULK_SHAPES_MAX] = {0};
    bulk->order = arena_array(bulk->ctx->arena, uint32_t, bulk->count);
    for (uint32_t i = 0; i < bulk->count; i++)
        if (bulk->rows[i].fault.len == 0)
            places[bulk->rows[i].shape]++;
    for (uint32_t shape = 0; shape < bulk->shape_count; shape++) {
        uint32_t here = places[shape];
        places[shape] = bulk->order_count;
        bulk->order_count += here;
        assert(bulk->order_count <= bulk->count);
    }
    fiber_pause();
    for (uint32_t i = 0; i < bulk->count; i++)
        if (bulk->rows[i].fault.len == 0)
            bulk->order[places[bulk->rows[i].shape]++] = i;
}

/* A refusal by a hook is a fault of that row, unless the deadline has passed. */
static fiber_fn Err filter_row(struct bulk *bulk, uint32_t index)
{
    assert(index < bulk->count);
    struct ctx *ctx = bulk->ctx;
    struct items_change change = {.action = ITEMS_CREATE, .collection = bulk->collection->name};
    struct bulk_row *row = &bulk->rows[index];
    if (json_kind(row->json) != JSON_OBJECT)
        return OK; /* read_row reports it */
    Err err = items_filter(ctx, &change, row->json, &row->json);
    if (err == OK || err == ERR_CANCELLED || err == ERR_TIMEOUT || ctx->diag.first == NULL)
        return err;
    Str sentence = diag_message(ctx, ctx->diag.first);
    diag_clear(ctx);
    bulk_fault(bulk, index, "%.*s", STR_FMT(sentence));
    return OK;
}

fiber_fn Err bulk_read(struct bulk *bulk, const struct json *items)
{
    assert(bulk->collection != NULL && json_kind(items) == JSON_ARRAY);
    bool is_filtered = items_are_filtered(ITEMS_CREATE, bulk->collection->name);
    bulk->count = json_len(items);
    bulk->rows = arena_array(bulk->ctx->arena, struct bulk_row, bulk->count);
    bulk->now = clock_iso(bulk->ctx->arena, clock_wall_us());
    for (uint32_t i = 0; i < bulk->count; i++) {
        TRY(fiber_breathe(bulk->ctx));
        bulk->rows[i].json = json_at(items, i);
        if (is_filtered)
            TRY(filter_row(bulk, i));
        TRY(read_row(bulk, i));
    }
    TRY(check_sites(bulk));
    put_in_order(bulk);
    return OK;
}
