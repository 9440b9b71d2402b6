#include "content/ddl/ddl.h"

#include "access/audit/audit.h"
#include "content/ddl/ddl_internal.h"
#include "content/schema/schema.h"
#include "gen/sql.h"

#include <assert.h>

fiber_fn Err ddl_begin(struct platform platform, struct db_tx *tx)
{
    assert(platform.ctx != NULL && tx->connection == NULL);
    TRY(db_begin_platform(platform, tx));
    return db_tx_query(tx, &SQL_DDL_LOCK, NO_ARGS, NULL);
}

fiber_fn Err ddl_become_owner(struct db_tx *tx)
{
    assert(tx->connection != NULL);
    Err err = db_tx_query(tx, &SQL_DDL_BECOME_OWNER, NO_ARGS, NULL);
    if (err == ERR_FORBIDDEN)
        return fail(tx->ctx, ERR_CONFIG,
                    "the login of the platform lane may not assume the role spark_owner: "
                    "grant it a role with noinherit that spark_owner is granted to");
    return err;
}

fiber_fn Err ddl_resign_owner(struct db_tx *tx)
{
    assert(tx->connection != NULL);
    return db_tx_query(tx, &SQL_DDL_RESIGN_OWNER, NO_ARGS, NULL);
}

static Str note_of(const struct diag_entry *entry, const char *key)
{
    for (const struct diag_note *note = entry->notes; note != NULL; note = note->next)
        if (strcmp(note->key, key) == 0)
            return note->value;
    return STR_NONE;
}

/* A row that is there has no value, where a column must have one from now on. */
static Err fail_nulls(struct ctx *ctx)
{
    assert(ctx->diag.first != NULL);
    Str collection = note_of(ctx->diag.first, "collection");
    Str field = note_of(ctx->diag.first, "field");
    Err err = fail_noted(ctx, ERR_CONTAINS_NULLS, "collection", collection,
                         "Field \"%.*s\" in collection \"%.*s\" contains null values.",
                         STR_FMT(field), STR_FMT(collection));
    fail_note(ctx, "field", field);
    return err;
}

fiber_fn Err ddl_run(struct db_tx *tx, Str sql)
{
    assert(tx->connection != NULL && sql.len > 0);
    struct statement statement = {.sql = str_z(tx->ctx->arena, sql), .lane = DB_WRITE};
    Err err = db_tx_query(tx, &statement, NO_ARGS, NULL);
    return err == ERR_NOT_NULL ? fail_nulls(tx->ctx) : err;
}

fiber_fn Err ddl_commit(struct db_tx *tx)
{
    assert(tx->connection != NULL);
    struct ctx *ctx = tx->ctx;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_DDL_RAISE_EPOCH, NO_ARGS, NULL));
    TRY(db_tx_query(tx, &SQL_DDL_EPOCH, NO_ARGS, &rows));
    assert(rows.count == 1);
    int64_t epoch = row_int(&rows, 0, DDL_EPOCH_EPOCH);
    assert(epoch != 0);
    TRY(db_commit(tx));
    /* What this caller does next sees what it has just made; its rights are the platform's. */
    ctx->epoch = epoch;
    schema_invalidate(ctx);
    return OK;
}

fiber_fn Err ddl_audit(struct db_tx *tx, Str action, Str what)
{
    assert(action.len > 0 && what.len > 0);
    return audit_write(
        tx, &(struct audit){.action = action, .entity_type = STR("schema"), .entity_id = what});
}

fiber_fn Err ddl_audit_field(struct db_tx *tx, Str action, Str collection, Str field)
{
    return ddl_audit(tx, action,
                     str_printf(tx->ctx->arena, "%.*s.%.*s", STR_FMT(collection), STR_FMT(field)));
}

/* A body of POST /collections, read. */
struct definition {
    Str name;
    bool has_table;
    bool is_tracked;
    enum ddl_tenancy tenancy;
    const struct json *meta;
    struct ddl_field *fields;
    uint32_t count;
    uint32_t given; /* without the key that was added */
};

static Err read_fields(struct ctx *ctx, const struct json *fields, struct definition *ret)
{
    assert(ret->name.len > 0);
    if (fields != NULL && json_kind(fields) != JSON_ARRAY && !json_is_null(fields))
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"fields\" must be an array");
    ret->given = json_kind(fields) == JSON_ARRAY ? json_len(fields) : 0;
    if (ret->given > DDL_FIELDS_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "A collection can't have more than %d fields",
                    DDL_FIELDS_MAX);
    /* The key and the site may come to those given. */
    ret->fields = arena_array(ctx->arena, struct ddl_field, (size_t)ret->given + 2);
    ret->count = ret->given;
    for (uint32_t i = 0; i < ret->given; i++) {
        const struct json *type = json_get(json_at(fields, i), STR("type"));
        if (json_kind(type) == JSON_STRING && !ddl_is_type(json_str(type)))
            return fail(ctx, ERR_INVALID_PAYLOAD, "Illegal type passed: \"%.*s\"",
                        STR_FMT(json_str(type)));
        TRY(ddl_field_read(ctx, json_at(fields, i), ret->tenancy, &ret->fields[i]));
    }
    for (uint32_t i = 0; i < ret->given; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (str_eq(ret->fields[i].name, ret->fields[k].name))
                return fail(ctx, ERR_INVALID_PAYLOAD,
                            "Field \"%.*s\" already exists in collection \"%.*s\"",
                            STR_FMT(ret->fields[i].name), STR_FMT(ret->name));
        }
    }
    return OK;
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

static Err definition_read(struct ctx *ctx, const struct json *body, bool has_sites,
                           struct definition *ret)
{
    *ret = (struct definition){0};
    if (json_kind(body) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "The body must be an object, not %s",
                    json_kind_name(body));
    TRY(name_read(ctx, body, &ret->name));
    const struct json *schema = json_get(body, STR("schema"));
    const struct json *meta = json_get(body, STR("meta"));
    if (!json_is_null(schema) && json_kind(schema) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"schema\" must be an object");
    if (!json_is_null(meta) && json_kind(meta) != JSON_OBJECT)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"meta\" must be an object");
    ret->has_table = !json_is_null(schema);
    ret->is_tracked = !json_is_null(meta) || !ret->has_table;
    ret->meta = meta;
    TRY(ddl_tenancy_read(ctx, meta, &ret->tenancy));
    if (!has_sites && ret->tenancy == TENANCY_WANTED)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "\"meta.tenant\" needs the collection \"sites\", which is not there");
    if (!has_sites)
        ret->tenancy = TENANCY_REFUSED;
    TRY(read_fields(ctx, json_get(body, STR("fields")), ret));
    if (!ret->has_table)
        return OK;
    TRY(choose_key(ctx, ret));
    return ret->tenancy == TENANCY_WANTED ? add_site(ctx, ret) : OK;
}

static fiber_fn Err write_meta(struct db_tx *tx, const struct definition *definition)
{
    assert(definition->name.len > 0);
    if (definition->is_tracked)
        TRY(ddl_meta_collection(tx, definition->name, definition->meta));
    for (uint32_t i = 0; i < definition->count; i++) {
        const struct ddl_field *field = &definition->fields[i];
        if (field->meta != NULL || field->is_alias)
            TRY(ddl_meta_field(tx, definition->name, field));
    }
    return OK;
}

fiber_fn Err ddl_collection_create(struct db_tx *tx, const struct json *body, uint32_t *ret_fields)
{
    struct ctx *ctx = tx->ctx;
    struct definition definition;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_DDL_HAS_SITES, NO_ARGS, &rows));
    assert(rows.count == 1);
    TRY(definition_read(ctx, body, row_bool(&rows, 0, DDL_HAS_SITES_HAS_SITES), &definition));

    TRY(db_tx_query(tx, &SQL_DDL_COLLECTION_TAKEN, ARGS(db_text(definition.name)), &rows));
    assert(rows.count == 1);
    if (row_bool(&rows, 0, DDL_COLLECTION_TAKEN_IS_TAKEN))
        return fail(ctx, ERR_INVALID_PAYLOAD, "Collection \"%.*s\" already exists",
                    STR_FMT(definition.name));
    TRY(write_meta(tx, &definition));
    TRY(ddl_audit(tx, STR("collection_created"), definition.name));
    *ret_fields = definition.given;
    if (!definition.has_table)
        return OK;
    Str note = STR_NONE;
    TRY(json_take_str(ctx, json_get(body, STR("schema")), "comment", 1000, &note));
    TRY(ddl_become_owner(tx));
    return ddl_table_create(tx, &(struct ddl_table){.name = definition.name,
                                                    .note = note,
                                                    .fields = definition.fields,
                                                    .field_count = definition.count});
}

fiber_fn Err collections_create(struct platform platform, const struct json *list)
{
    assert(json_kind(list) == JSON_ARRAY);
    if (json_len(list) > DDL_COLLECTIONS_MAX)
        return fail(platform.ctx, ERR_INVALID_PAYLOAD,
                    "More than %d collections cannot be created at once", DDL_COLLECTIONS_MAX);
    if (json_len(list) == 0)
        return OK;
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    for (uint32_t i = 0; i < json_len(list); i++) {
        uint32_t fields;
        TRY(ddl_collection_create(&tx, json_at(list, i), &fields));
        TRY(ddl_resign_owner(&tx));
    }
    return ddl_commit(&tx);
}

fiber_fn Err collection_create(struct platform platform, const struct json *body,
                               uint32_t *ret_fields)
{
    uint32_t fields = 0;
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(ddl_collection_create(&tx, body, &fields));
    TRY(ddl_commit(&tx));
    *ret_fields = fields;
    return OK;
}
