/*
 * Collections that are made: all of a request or of a snapshot together. First what is wanted is
 * read and checked, then the rows of the Directus tables are written, then the tables are made.
 */
#include "base/memory/map.h"
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_rows.h"
#include "gen/sql.h"

#include <assert.h>

/* A body of POST /collections, read. */
struct definition {
    const struct ddl_birth *birth;
    Str name;
    Str note; /* comment on the table */
    bool has_table;
    bool is_tracked;
    enum ddl_tenancy tenancy;
    const struct json *meta;
    struct ddl_field *fields;
    uint32_t count;
    uint32_t given; /* without the key that was added */
};

static Err read_field(struct ctx *ctx, const struct json *body, enum ddl_tenancy tenancy,
                      struct ddl_field *ret)
{
    const struct json *type = json_get(body, STR("type"));
    if (json_kind(type) == JSON_STRING && !ddl_is_type(json_str(type)))
        return fail(ctx, ERR_INVALID_PAYLOAD, "Illegal type passed: \"%.*s\"",
                    STR_FMT(json_str(type)));
    return ddl_field_read(ctx, body, tenancy, ret);
}

static Err names_check(struct ctx *ctx, const struct definition *definition)
{
    for (uint32_t i = 0; i < definition->count; i++) {
        const struct ddl_field *field = &definition->fields[i];
        for (uint32_t k = 0; k < i; k++)
            if (str_eq(field->name, definition->fields[k].name))
                return fail(ctx, ERR_INVALID_PAYLOAD,
                            "Field \"%.*s\" already exists in collection \"%.*s\"",
                            STR_FMT(field->name), STR_FMT(definition->name));
    }
    return OK;
}

/* The key and the site may come to those given. */
static Err read_fields(struct ctx *ctx, struct definition *definition)
{
    assert(definition->name.len > 0);
    const struct ddl_birth *birth = definition->birth;
    const struct json *fields = json_get(birth->body, STR("fields"));
    if (!json_is_null(fields) && json_kind(fields) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"fields\" must be an array");
    definition->given = json_len(fields);
    if (definition->given > DDL_FIELDS_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "A collection can't have more than %d fields",
                    DDL_FIELDS_MAX);
    definition->fields = arena_array(ctx->arena, struct ddl_field, (size_t)definition->given + 2);
    definition->count = definition->given;
    for (uint32_t i = 0; i < definition->given; i++) {
        struct ddl_field *field = &definition->fields[i];
        Str path = birth->field_paths == NULL ? STR_NONE : birth->field_paths[i];
        TRY(ddl_at(ctx, path, read_field(ctx, json_at(fields, i), definition->tenancy, field)));
        field->path = path;
    }
    return names_check(ctx, definition);
}

/* Directus' own: an integer that counts itself, first of the table. */
static Err add_key(struct ctx *ctx, struct definition *definition)
{
    const struct json *meta;
    TRY(ddl_meta_hidden(ctx, STR("numeric"), &meta));
    for (uint32_t i = definition->count; i > 0; i--)
        definition->fields[i] = definition->fields[i - 1];
    definition->fields[0] = (struct ddl_field){
        .name = STR("id"), .type = STR("integer"), .meta = meta, .is_key = true, .is_auto = true};
    definition->count++;
    return OK;
}

/* Behind the key, which is the first or any other. */
static Err add_site(struct ctx *ctx, struct definition *definition)
{
    assert(definition->tenancy == TENANCY_WANTED);
    const struct ddl_field *site = NULL;
    for (uint32_t i = 0; i < definition->count; i++)
        if (str_eq(definition->fields[i].name, DDL_SITE_FIELD))
            site = &definition->fields[i];
    if (site != NULL && !site->is_site)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "\"meta.tenant\" needs the field \"site_id\" to be of the type \"uuid\"");
    if (site != NULL)
        return OK;
    const struct json *meta;
    TRY(ddl_meta_hidden(ctx, STR("input"), &meta));
    definition->fields[definition->count++] = (struct ddl_field){
        .name = DDL_SITE_FIELD, .type = STR("uuid"), .meta = meta, .is_site = true};
    return OK;
}

static Err choose_key(struct ctx *ctx, struct definition *definition)
{
    assert(definition->has_table);
    uint32_t keys = 0;
    struct ddl_field *named_id = NULL;
    for (uint32_t i = 0; i < definition->count; i++) {
        struct ddl_field *field = &definition->fields[i];
        keys += field->is_key;
        if (str_eq(field->name, STR("id")) && !field->is_alias)
            named_id = field;
    }
    if (keys > 1)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "Collection \"%.*s\" can't have more than one primary key",
                    STR_FMT(definition->name));
    if (keys == 1)
        return OK;
    if (named_id == NULL)
        return add_key(ctx, definition);
    named_id->is_key = true;
    named_id->is_nullable = false;
    return OK;
}

static Err name_read(struct ctx *ctx, const struct json *body, Str *ret)
{
    const struct json *name = json_get(body, STR("collection"));
    if (json_is_null(name))
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"collection\" is required");
    if (json_kind(name) != JSON_STRING || json_str(name).len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"collection\" must be a non-empty string");
    *ret = json_str(name);
    return ddl_collection_name_check(ctx, *ret);
}

static Err read_head(struct ctx *ctx, bool has_sites, struct definition *definition)
{
    const struct json *body = definition->birth->body;
    if (json_kind(body) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "The body must be an object, not %s",
                    json_kind_name(body));
    TRY(name_read(ctx, body, &definition->name));
    const struct json *schema = json_get(body, STR("schema"));
    const struct json *meta = json_get(body, STR("meta"));
    if (!json_is_null(schema) && json_kind(schema) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"schema\" must be an object");
    if (!json_is_null(meta) && json_kind(meta) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"meta\" must be an object");
    definition->has_table = !json_is_null(schema);
    definition->is_tracked = !json_is_null(meta) || !definition->has_table;
    definition->meta = meta;
    TRY(json_take_str(ctx, schema, "comment", 1000, &definition->note));
    TRY(ddl_tenancy_read(ctx, meta, &definition->tenancy));
    if (!has_sites && definition->tenancy == TENANCY_WANTED)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "\"meta.tenant\" needs the collection \"sites\", which is not there");
    if (!has_sites)
        definition->tenancy = TENANCY_REFUSED;
    return OK;
}

/* What the collection has without being told. */
static Err add_missing(struct ctx *ctx, struct definition *definition)
{
    if (!definition->has_table)
        return OK;
    TRY(choose_key(ctx, definition));
    return definition->tenancy == TENANCY_WANTED ? add_site(ctx, definition) : OK;
}

static Err read_definition(struct ctx *ctx, const struct ddl_birth *birth, bool has_sites,
                           struct definition *ret)
{
    *ret = (struct definition){.birth = birth};
    TRY(ddl_at(ctx, birth->path, read_head(ctx, has_sites, ret)));
    TRY(read_fields(ctx, ret));
    return ddl_at(ctx, birth->path, add_missing(ctx, ret));
}

static fiber_fn Err read_all(struct db_tx *tx, const struct ddl_birth *births, uint32_t count,
                             struct definition *ret)
{
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_DDL_HAS_SITES, NO_ARGS, &rows));
    assert(rows.count == 1);
    bool has_sites = row_bool(&rows, 0, DDL_HAS_SITES_HAS_SITES);
    for (uint32_t i = 0; i < count; i++) {
        TRY(fiber_breathe(tx->ctx));
        TRY(read_definition(tx->ctx, &births[i], has_sites, &ret[i]));
        TRY(ddl_at(tx->ctx, births[i].path, ddl_geometry_check(tx, ret[i].fields, ret[i].count)));
    }
    return OK;
}

static Err fail_taken(struct ctx *ctx, const struct definition *definition)
{
    return ddl_at(ctx, definition->birth->path,
                  fail(ctx, ERR_INVALID_PAYLOAD, "Collection \"%.*s\" already exists",
                       STR_FMT(definition->name)));
}

/* By what is there, or by one before it. */
static fiber_fn Err taken_check(struct db_tx *tx, const struct definition *list, uint32_t count)
{
    struct ctx *ctx = tx->ctx;
    struct rows rows;
    static char mark;
    struct map *before = map_in_arena(ctx->arena);
    Str *names = arena_array(ctx->arena, Str, count);
    for (uint32_t i = 0; i < count; i++)
        names[i] = list[i].name;
    TRY(db_tx_query(tx, &SQL_DDL_COLLECTIONS_TAKEN, ARGS(db_text_array(ctx->arena, names, count)),
                    &rows));
    if (rows.count > 0)
        return fail_taken(ctx, &list[row_int(&rows, 0, DDL_COLLECTIONS_TAKEN_PLACE) - 1]);
    for (uint32_t i = 0; i < count; i++)
        if (map_put(before, names[i], &mark) != NULL)
            return fail_taken(ctx, &list[i]);
    return OK;
}

static struct ddl_row row_of_collection(const struct definition *definition)
{
    return (struct ddl_row){
        .collection = definition->name, .meta = definition->meta, .path = definition->birth->path};
}

static struct ddl_row row_of_field(const struct definition *definition,
                                   const struct ddl_field *field)
{
    return (struct ddl_row){.collection = definition->name,
                            .field = field->name,
                            .type = field->type,
                            .meta = field->meta,
                            .is_whole = definition->birth->is_of_snapshot,
                            .path = field->path};
}

static fiber_fn Err write_collections(struct db_tx *tx, const struct definition *list,
                                      uint32_t count)
{
    struct ddl_row *rows = arena_array(tx->ctx->arena, struct ddl_row, count);
    uint32_t tracked = 0;
    for (uint32_t i = 0; i < count; i++)
        if (list[i].is_tracked)
            rows[tracked++] = row_of_collection(&list[i]);
    return ddl_rows_insert(tx, ROWS_OF_COLLECTIONS, rows, tracked);
}

/* Returns how many fields have a row. */
static uint32_t rows_of_fields(const struct definition *definition, struct ddl_row *rows)
{
    uint32_t tracked = 0;
    for (uint32_t i = 0; i < definition->count; i++) {
        const struct ddl_field *field = &definition->fields[i];
        if (field->meta != NULL || field->is_alias)
            rows[tracked++] = row_of_field(definition, field);
    }
    return tracked;
}

static uint32_t count_fields(const struct definition *list, uint32_t count)
{
    uint32_t fields = 0;
    for (uint32_t i = 0; i < count; i++)
        fields += list[i].count;
    return fields;
}

static fiber_fn Err write_fields(struct db_tx *tx, const struct definition *list, uint32_t count)
{
    struct ddl_row *rows = arena_array(tx->ctx->arena, struct ddl_row, count_fields(list, count));
    uint32_t tracked = 0;
    for (uint32_t i = 0; i < count; i++)
        tracked += rows_of_fields(&list[i], &rows[tracked]);
    return ddl_rows_insert(tx, ROWS_OF_FIELDS, rows, tracked);
}

/* As Directus makes them: each collection after its fields. */
static fiber_fn Err write_history(struct db_tx *tx, const struct definition *list, uint32_t count)
{
    struct ddl_row *rows =
        arena_array(tx->ctx->arena, struct ddl_row, count_fields(list, count) + count);
    uint32_t tracked = 0;
    for (uint32_t i = 0; i < count; i++) {
        tracked += rows_of_fields(&list[i], &rows[tracked]);
        if (list[i].is_tracked)
            rows[tracked++] = row_of_collection(&list[i]);
    }
    return ddl_history(tx, ACTION_CREATE, rows, tracked);
}

static fiber_fn Err make_tables(struct db_tx *tx, const struct definition *list, uint32_t count)
{
    struct ddl_script script = {.tx = tx};
    for (uint32_t i = 0; i < count; i++) {
        TRY(fiber_breathe(tx->ctx));
        struct ddl_table table = {.name = list[i].name,
                                  .note = list[i].note,
                                  .fields = list[i].fields,
                                  .field_count = list[i].count};
        script.path = list[i].birth->path;
        if (list[i].has_table)
            TRY(ddl_at(tx->ctx, script.path, ddl_table_create(&script, &table)));
    }
    return ddl_script_run(&script);
}

fiber_fn Err ddl_collections_create(struct db_tx *tx, const struct ddl_birth *births,
                                    uint32_t count, uint32_t *ret_fields)
{
    if (count == 0)
        return OK;
    struct definition *list = arena_array(tx->ctx->arena, struct definition, count);
    Str *names = arena_array(tx->ctx->arena, Str, count);
    uint32_t fields = 0;
    TRY(read_all(tx, births, count, list));
    TRY(taken_check(tx, list, count));
    for (uint32_t i = 0; i < count; i++) {
        names[i] = list[i].name;
        fields += list[i].given;
    }
    TRY(write_collections(tx, list, count));
    TRY(write_fields(tx, list, count));
    TRY(write_history(tx, list, count));
    TRY(ddl_audit_each(tx, STR("collection_created"), names, count));
    TRY(make_tables(tx, list, count));
    *ret_fields = fields;
    return OK;
}

fiber_fn Err collections_create(struct platform platform, const struct json *list)
{
    assert(json_kind(list) == JSON_ARRAY);
    uint32_t count = json_len(list);
    uint32_t fields;
    if (count > DDL_COLLECTIONS_MAX)
        return fail(platform.ctx, ERR_INVALID_PAYLOAD,
                    "More than %d collections cannot be created at once", DDL_COLLECTIONS_MAX);
    if (count == 0)
        return OK;
    struct ddl_birth *births = arena_array(platform.ctx->arena, struct ddl_birth, count);
    for (uint32_t i = 0; i < count; i++)
        births[i].body = json_at(list, i);
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(ddl_collections_create(&tx, births, count, &fields));
    return ddl_commit(&tx);
}

fiber_fn Err collection_create(struct platform platform, const struct json *body,
                               uint32_t *ret_fields)
{
    uint32_t fields;
    struct ddl_birth birth = {.body = body};
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(ddl_collections_create(&tx, &birth, 1, &fields));
    TRY(ddl_commit(&tx));
    *ret_fields = fields;
    return OK;
}
