/*
 * The schema in the form of Directus' snapshot: what is tracked, nothing of the system's own. As
 * text, what PostgreSQL printed stands in it as it is; as a value, it was parsed.
 */
#include "base/json/json_build.h"
#include "base/json/json_writer.h"
#include "base/memory/array.h"
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_internal.h"
#include "content/schema/schema.h"
#include "gen/sql.h"
#include "io/fiber/json_apart.h"
#include "io/pg/db.h"

#include <assert.h>

enum {
    TEXT_MAX = 32 * 1024 * 1024,
    ABOVE_CELL = 3, /* levels: the snapshot, the section, the entry */
};

#define CELL_LIMITS ((struct json_limits){JSON_DEPTH_MAX - ABOVE_CELL, JSON_KEYS_MAX})

enum { SNAPSHOT_VERSION = 1 };

enum cell_kind { CELL_TEXT, CELL_JSON, CELL_FIELD_TYPE };

/* A member of an entry; null where the column is. */
struct member {
    Str key;
    uint32_t column;
    enum cell_kind kind;
};

enum { MEMBERS_MAX = 5 };

struct section {
    Str name;
    struct member members[MEMBERS_MAX];
    uint32_t count;
};

enum { OF_COLLECTIONS, OF_FIELDS, OF_SYSTEM_FIELDS, OF_RELATIONS, SECTION_COUNT };

static const struct section SECTIONS[SECTION_COUNT] = {
    [OF_COLLECTIONS] = {STR_INIT("collections"),
                        {{STR_INIT("collection"), SNAPSHOT_COLLECTIONS_COLLECTION, CELL_TEXT},
                         {STR_INIT("meta"), SNAPSHOT_COLLECTIONS_META, CELL_JSON},
                         {STR_INIT("schema"), SNAPSHOT_COLLECTIONS_SCHEMA, CELL_JSON}},
                        3},
    [OF_FIELDS] = {STR_INIT("fields"),
                   {{STR_INIT("collection"), SNAPSHOT_FIELDS_COLLECTION, CELL_TEXT},
                    {STR_INIT("field"), SNAPSHOT_FIELDS_FIELD, CELL_TEXT},
                    {STR_INIT("type"), SNAPSHOT_FIELDS_TYPE_OID, CELL_FIELD_TYPE},
                    {STR_INIT("meta"), SNAPSHOT_FIELDS_META, CELL_JSON},
                    {STR_INIT("schema"), SNAPSHOT_FIELDS_SCHEMA, CELL_JSON}},
                   5},
    [OF_SYSTEM_FIELDS] = {STR_INIT("systemFields"),
                          {{STR_INIT("collection"), SNAPSHOT_SYSTEM_FIELDS_COLLECTION, CELL_TEXT},
                           {STR_INIT("field"), SNAPSHOT_SYSTEM_FIELDS_FIELD, CELL_TEXT},
                           {STR_INIT("schema"), SNAPSHOT_SYSTEM_FIELDS_SCHEMA, CELL_JSON}},
                          3},
    [OF_RELATIONS] = {STR_INIT("relations"),
                      {{STR_INIT("collection"), SNAPSHOT_RELATIONS_COLLECTION, CELL_TEXT},
                       {STR_INIT("field"), SNAPSHOT_RELATIONS_FIELD, CELL_TEXT},
                       {STR_INIT("related_collection"), SNAPSHOT_RELATIONS_RELATED, CELL_TEXT},
                       {STR_INIT("meta"), SNAPSHOT_RELATIONS_META, CELL_JSON},
                       {STR_INIT("schema"), SNAPSHOT_RELATIONS_SCHEMA, CELL_JSON}},
                      5},
};

struct answers {
    struct rows of[SECTION_COUNT];
};

static fiber_fn Err ask(struct db_tx *tx, struct answers *ret)
{
    TRY(db_tx_query(tx, &SQL_SNAPSHOT_COLLECTIONS, NO_ARGS, &ret->of[OF_COLLECTIONS]));
    TRY(db_tx_query(tx, &SQL_SNAPSHOT_FIELDS, NO_ARGS, &ret->of[OF_FIELDS]));
    TRY(db_tx_query(tx, &SQL_SNAPSHOT_SYSTEM_FIELDS, NO_ARGS, &ret->of[OF_SYSTEM_FIELDS]));
    return db_tx_query(tx, &SQL_SNAPSHOT_RELATIONS, ARGS(db_null(), db_null()),
                       &ret->of[OF_RELATIONS]);
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

/* Without data: null. */
static Str cell_of(const struct rows *rows, uint32_t row, const struct member *member)
{
    assert(member->key.len > 0);
    if (member->kind == CELL_FIELD_TYPE)
        return str_from_z(type_of(rows, row));
    return row_text(rows, row, member->column);
}

/* A field without a column has no member `schema`. */
static bool is_left_out(const struct section *section, const struct member *member, Str cell)
{
    return section == &SECTIONS[OF_FIELDS] && cell.data == NULL &&
           member->column == SNAPSHOT_FIELDS_SCHEMA;
}

static void write_cell(struct json_writer *w, const struct member *member, Str cell)
{
    json_key(w, member->key);
    if (cell.data == NULL)
        json_put_null(w);
    else if (member->kind == CELL_JSON)
        json_put_raw(w, cell);
    else
        json_put_str(w, cell);
}

static fiber_fn void write_section(struct json_writer *w, const struct section *section,
                                   const struct rows *rows)
{
    assert(section->count <= MEMBERS_MAX);
    json_key(w, section->name);
    json_array_begin(w);
    for (uint32_t i = 0; i < rows->count; i++) {
        fiber_pause();
        json_object_begin(w);
        for (uint32_t k = 0; k < section->count; k++) {
            Str cell = cell_of(rows, i, &section->members[k]);
            if (!is_left_out(section, &section->members[k], cell))
                write_cell(w, &section->members[k], cell);
        }
        json_object_end(w);
    }
    json_array_end(w);
}

fiber_fn Err schema_snapshot_text(struct platform platform, Str *ret)
{
    struct ctx *ctx = platform.ctx;
    SCOPED_TX struct db_tx tx = {0};
    struct answers answers;
    TRY(ddl_begin_reading(platform, &tx));
    TRY(ask(&tx, &answers));
    struct buf *out = buf_in_arena(ctx->arena, TEXT_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_int(&w, "version", SNAPSHOT_VERSION);
    json_field_str(&w, "directus", SNAPSHOT_DIRECTUS);
    json_field_str(&w, "vendor", SNAPSHOT_VENDOR);
    for (uint32_t i = 0; i < SECTION_COUNT; i++)
        write_section(&w, &SECTIONS[i], &answers.of[i]);
    json_object_end(&w);
    TRY(fiber_check(ctx));
    TRY(buf_check(ctx, out, "The snapshot of the schema"));
    *ret = buf_str(out);
    return OK;
}

static fiber_fn Err build_json(struct ctx *ctx, struct json_builder *b, Str text)
{
    assert(text.data != NULL);
    if (text.len < JSON_APART_FROM)
        return json_build_text(ctx, b, text, CELL_LIMITS);
    const struct json *value = NULL; /* with memory of its own, which is not measured */
    if (!json_builder_is_full(b))
        TRY(json_parse_apart(ctx, text, CELL_LIMITS, &value));
    json_build_value(b, value);
    return OK;
}

static fiber_fn Err build_cell(struct ctx *ctx, struct json_builder *b, const struct member *member,
                               Str cell)
{
    json_build_key(b, member->key);
    if (cell.data != NULL && member->kind == CELL_JSON)
        return build_json(ctx, b, cell);
    if (cell.data == NULL)
        json_build_null(b);
    else
        json_build_str(b, cell);
    return OK;
}

static fiber_fn Err build_section(struct ctx *ctx, struct json_builder *b,
                                  const struct section *section, const struct rows *rows)
{
    assert(section->count <= MEMBERS_MAX);
    json_build_key(b, section->name);
    json_build_array_begin(b);
    for (uint32_t i = 0; i < rows->count; i++) {
        TRY(fiber_breathe(ctx));
        json_build_object_begin(b);
        for (uint32_t k = 0; k < section->count; k++) {
            Str cell = cell_of(rows, i, &section->members[k]);
            if (!is_left_out(section, &section->members[k], cell))
                TRY(build_cell(ctx, b, &section->members[k], cell));
        }
        json_build_object_end(b);
    }
    json_build_array_end(b);
    return OK;
}

static fiber_fn Err build(struct ctx *ctx, struct json_builder *b, const struct answers *answers)
{
    json_build_object_begin(b);
    json_build_key(b, STR("version"));
    json_build_int(b, SNAPSHOT_VERSION);
    json_build_key(b, STR("directus"));
    json_build_str(b, SNAPSHOT_DIRECTUS);
    json_build_key(b, STR("vendor"));
    json_build_str(b, SNAPSHOT_VENDOR);
    for (uint32_t i = 0; i < SECTION_COUNT; i++)
        TRY(build_section(ctx, b, &SECTIONS[i], &answers->of[i]));
    json_build_object_end(b);
    return OK;
}

fiber_fn Err schema_snapshot(struct platform platform, const struct json **ret)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin_reading(platform, &tx));
    return ddl_snapshot(&tx, ret);
}

fiber_fn Err ddl_snapshot(struct db_tx *tx, const struct json **ret)
{
    struct ctx *ctx = tx->ctx;
    struct answers answers;
    struct json_builder *measuring = json_builder_measuring(ctx);
    struct json_builder *b;
    TRY(ask(tx, &answers));
    TRY(build(ctx, measuring, &answers));
    TRY(json_builder_new(ctx, json_builder_bytes(measuring), &b));
    TRY(build(ctx, b, &answers));
    return json_builder_end(ctx, b, ret);
}
