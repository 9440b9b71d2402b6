/*
 * The schema in the form of Directus' snapshot: what is tracked, nothing of the system's own.
 */
#include "base/json/json_writer.h"
#include "content/ddl/ddl.h"
#include "content/schema/schema.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>

enum { SNAPSHOT_MAX = 32 * 1024 * 1024 };

/* The version of Directus whose form this is; a snapshot is compared with it. */
#define DIRECTUS_VERSION "11.17.4"

struct answers {
    struct rows collections;
    struct rows fields;
    struct rows system;
    struct rows relations;
};

static fiber_fn Err ask(struct platform platform, struct answers *ret)
{
    struct db_batch batch = {.lane = DB_SLOW};
    DbArg everything[] = {db_null(), db_null()};
    db_batch_add(&batch, &SQL_SNAPSHOT_COLLECTIONS, NO_ARGS, &ret->collections);
    db_batch_add(&batch, &SQL_SNAPSHOT_FIELDS, NO_ARGS, &ret->fields);
    db_batch_add(&batch, &SQL_SNAPSHOT_SYSTEM_FIELDS, NO_ARGS, &ret->system);
    db_batch_add(&batch, &SQL_SNAPSHOT_RELATIONS, (struct db_args){everything, 2}, &ret->relations);
    return db_batch_run_platform(platform, &batch);
}

static void put_text_or_null(struct json_writer *w, const char *key, Str text)
{
    if (text.data == NULL)
        json_field_null(w, key);
    else
        json_field_str(w, key, text);
}

static void put_raw_or_null(struct json_writer *w, const char *key, Str json)
{
    json_field_raw(w, key, json.data == NULL ? STR("null") : json);
}

static fiber_fn void write_collections(struct json_writer *w, const struct rows *rows)
{
    json_key(w, STR("collections"));
    json_array_begin(w);
    for (uint32_t i = 0; i < rows->count; i++) {
        fiber_pause();
        Str name = row_text(rows, i, SNAPSHOT_COLLECTIONS_COLLECTION);
        json_object_begin(w);
        json_field_str(w, "collection", name);
        json_field_raw(w, "meta", row_text(rows, i, SNAPSHOT_COLLECTIONS_META));
        json_key(w, STR("schema"));
        if (row_bool(rows, i, SNAPSHOT_COLLECTIONS_HAS_TABLE)) {
            json_object_begin(w);
            json_field_str(w, "name", name);
            json_object_end(w);
        } else {
            json_put_null(w);
        }
        json_object_end(w);
    }
    json_array_end(w);
}

static const char *type_of(const struct rows *rows, uint32_t row)
{
    assert(row < rows->count);
    uint32_t oid = (uint32_t)row_int(rows, row, SNAPSHOT_FIELDS_TYPE_OID);
    Str special = row_text(rows, row, SNAPSHOT_FIELDS_SPECIAL);
    if (oid == 0)
        return field_type_name(FIELD_ALIAS);
    return field_type_name(field_type_of(oid, field_special_of(special), special));
}

static fiber_fn void write_fields(struct json_writer *w, const struct rows *rows)
{
    json_key(w, STR("fields"));
    json_array_begin(w);
    for (uint32_t i = 0; i < rows->count; i++) {
        fiber_pause();
        json_object_begin(w);
        json_field_str(w, "collection", row_text(rows, i, SNAPSHOT_FIELDS_COLLECTION));
        json_field_str(w, "field", row_text(rows, i, SNAPSHOT_FIELDS_FIELD));
        json_field_str(w, "type", str_from_z(type_of(rows, i)));
        json_field_raw(w, "meta", row_text(rows, i, SNAPSHOT_FIELDS_META));
        put_raw_or_null(w, "schema", row_text(rows, i, SNAPSHOT_FIELDS_SCHEMA));
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_system_fields(struct json_writer *w, const struct rows *rows)
{
    json_key(w, STR("systemFields"));
    json_array_begin(w);
    for (uint32_t i = 0; i < rows->count; i++) {
        json_object_begin(w);
        json_field_str(w, "collection", row_text(rows, i, SNAPSHOT_SYSTEM_FIELDS_COLLECTION));
        json_field_str(w, "field", row_text(rows, i, SNAPSHOT_SYSTEM_FIELDS_FIELD));
        json_field_raw(w, "schema", STR("{\"is_indexed\":true}"));
        json_object_end(w);
    }
    json_array_end(w);
}

static fiber_fn void write_relations(struct json_writer *w, const struct rows *rows)
{
    json_key(w, STR("relations"));
    json_array_begin(w);
    for (uint32_t i = 0; i < rows->count; i++) {
        fiber_pause();
        json_object_begin(w);
        json_field_str(w, "collection", row_text(rows, i, SNAPSHOT_RELATIONS_COLLECTION));
        json_field_str(w, "field", row_text(rows, i, SNAPSHOT_RELATIONS_FIELD));
        put_text_or_null(w, "related_collection", row_text(rows, i, SNAPSHOT_RELATIONS_RELATED));
        json_field_raw(w, "meta", row_text(rows, i, SNAPSHOT_RELATIONS_META));
        put_raw_or_null(w, "schema", row_text(rows, i, SNAPSHOT_RELATIONS_SCHEMA));
        json_object_end(w);
    }
    json_array_end(w);
}

fiber_fn Err schema_snapshot_json(struct platform platform, Str *ret)
{
    struct ctx *ctx = platform.ctx;
    struct answers answers;
    TRY(ask(platform, &answers));
    struct buf *out = buf_in_arena(ctx->arena, SNAPSHOT_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_int(&w, "version", 1);
    json_field_str(&w, "directus", STR(DIRECTUS_VERSION));
    json_field_str(&w, "vendor", STR("postgres"));
    write_collections(&w, &answers.collections);
    write_fields(&w, &answers.fields);
    write_system_fields(&w, &answers.system);
    write_relations(&w, &answers.relations);
    json_object_end(&w);
    TRY(fiber_check(ctx));
    TRY(buf_check(ctx, out, "The snapshot of the schema"));
    *ret = buf_str(out);
    return OK;
}
