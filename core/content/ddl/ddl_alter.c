/*
 * Fields that come to a collection, or leave it, after its birth.
 */
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_rows.h"
#include "gen/sql.h"

#include <assert.h>

enum { NAME_TAKEN_MAX = 255, COLUMN_SQL_MAX = 64 * 1024 };

static fiber_fn Err facts_ask(struct db_tx *tx, Str collection, Str field, struct rows *ret)
{
    TRY(db_tx_query(tx, &SQL_DDL_FIELD_FACTS, ARGS(db_text(collection), db_text(field)), ret));
    assert(ret->count == 1);
    if (row_bool(ret, 0, DDL_FIELD_FACTS_HAS_COLLECTION))
        return OK;
    return fail(tx->ctx, ERR_INVALID_PAYLOAD, "Collection \"%.*s\" doesn't exist",
                STR_FMT(collection));
}

static Err addable_check(struct ctx *ctx, Str collection, const struct ddl_field *field,
                         const struct rows *facts)
{
    assert(facts->count == 1);
    if (row_bool(facts, 0, DDL_FIELD_FACTS_HAS_FIELD))
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "Field \"%.*s\" already exists in collection \"%.*s\"", STR_FMT(field->name),
                    STR_FMT(collection));
    if (field->is_key || field->is_auto)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "Field \"%.*s\" can't be added: a collection has its key from the start",
                    STR_FMT(field->name));
    if (!field->is_alias && !row_bool(facts, 0, DDL_FIELD_FACTS_HAS_TABLE))
        return fail(ctx, ERR_INVALID_PAYLOAD, "Collection \"%.*s\" is a folder and has no columns",
                    STR_FMT(collection));
    return OK;
}

static fiber_fn Err add_column(struct db_tx *tx, Str collection, const struct ddl_field *field,
                               bool is_tenants)
{
    assert(!field->is_alias && !field->is_key && !field->is_site);
    struct ctx *ctx = tx->ctx;
    struct ddl_script script = {.tx = tx};
    TRY(ddl_geometry_check(tx, field, 1));
    struct buf *sql = buf_in_arena(ctx->arena, COLUMN_SQL_MAX);
    TRY(ddl_column_write(ctx, field, sql));
    TRY(buf_check(ctx, sql, "The definition of the field"));
    ddl_add(&script, "alter table %.*s add column %.*s", STR_FMT(sql_table(ctx->arena, collection)),
            STR_FMT(buf_str(sql)));
    if (field->is_unique && is_tenants)
        ddl_unique_by_site(&script, collection);
    if (field->is_indexed && !field->is_unique)
        ddl_index_field(&script, collection, field->name, is_tenants);
    return ddl_script_run(&script);
}

/* Nobody's names: those that the system gives its own. */
static Err place_check(struct ctx *ctx, Str collection)
{
    if (!str_starts_with(collection, STR("directus_")))
        return ddl_collection_name_check(ctx, collection);
    return schema_is_system(collection) ? OK : fail_plain(ctx, ERR_FORBIDDEN);
}

/* Of a field named site_id: whose the rows are, where there are sites. */
static fiber_fn Err tenancy_of(struct db_tx *tx, Str collection, enum ddl_tenancy *ret)
{
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_DDL_HAS_SITES, NO_ARGS, &rows));
    assert(rows.count == 1);
    bool can_be = row_bool(&rows, 0, DDL_HAS_SITES_HAS_SITES) &&
                  !str_starts_with(collection, STR("directus_"));
    *ret = can_be ? TENANCY_BY_FIELDS : TENANCY_REFUSED;
    return OK;
}

static fiber_fn Err create_in(struct db_tx *tx, Str collection, const struct json *body,
                              bool is_tracked)
{
    struct ctx *ctx = tx->ctx;
    struct ddl_field field;
    enum ddl_tenancy tenancy;
    struct rows facts;
    TRY(tenancy_of(tx, collection, &tenancy));
    TRY(ddl_field_read(ctx, body, tenancy, &field));
    TRY(place_check(ctx, collection));
    TRY(facts_ask(tx, collection, field.name, &facts));
    TRY(addable_check(ctx, collection, &field, &facts));
    struct ddl_row row = {
        .collection = collection, .field = field.name, .type = field.type, .meta = field.meta};
    if (field.meta != NULL || is_tracked) {
        TRY(ddl_rows_insert(tx, ROWS_OF_FIELDS, &row, 1));
        TRY(ddl_history(tx, ACTION_CREATE, &row, 1));
    }
    TRY(ddl_audit_field(tx, STR("field_created"), collection, field.name));
    if (field.is_alias)
        return OK;
    if (field.is_site)
        return ddl_become_tenants(tx, collection);
    return add_column(tx, collection, &field, row_bool(&facts, 0, DDL_FIELD_FACTS_IS_TENANTS));
}

fiber_fn Err ddl_field_create(struct db_tx *tx, const struct json *body)
{
    Str collection = STR_NONE;
    TRY(json_take_str(tx->ctx, body, "collection", NAME_TAKEN_MAX, &collection));
    TRY(ddl_collection_name_check(tx->ctx, collection));
    return create_in(tx, collection, body, true);
}

fiber_fn Err field_create_in(struct platform platform, Str collection, const struct json *body)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(create_in(&tx, collection, body, false));
    return ddl_commit(&tx);
}

fiber_fn Err field_create(struct platform platform, const struct json *body)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(ddl_field_create(&tx, body));
    return ddl_commit(&tx);
}

static Err removable_check(struct ctx *ctx, Str collection, Str field, const struct rows *facts)
{
    assert(facts->count == 1);
    if (schema_is_system_field(collection, field))
        return fail_plain(ctx, ERR_FORBIDDEN);
    if (!row_bool(facts, 0, DDL_FIELD_FACTS_HAS_FIELD))
        return fail(ctx, ERR_NOT_FOUND, "Field \"%.*s\" doesn't exist in collection \"%.*s\".",
                    STR_FMT(field), STR_FMT(collection));
    if (row_bool(facts, 0, DDL_FIELD_FACTS_IS_KEY) || row_bool(facts, 0, DDL_FIELD_FACTS_IS_SITE))
        return fail(ctx, ERR_CONFLICT,
                    "Field \"%.*s\" cannot be deleted: it identifies the row or its owner.",
                    STR_FMT(field));
    if (row_bool(facts, 0, DDL_FIELD_FACTS_IS_OWN))
        return fail(ctx, ERR_CONFLICT,
                    "Field \"%.*s\" cannot be deleted: it belongs to the platform.",
                    STR_FMT(field));
    if (row_bool(facts, 0, DDL_FIELD_FACTS_IS_NEEDED))
        return fail(ctx, ERR_CONFLICT,
                    "Field \"%.*s\" cannot be deleted: other objects depend on it.",
                    STR_FMT(field));
    return OK;
}

fiber_fn Err ddl_field_delete(struct db_tx *tx, Str collection, Str field)
{
    struct ctx *ctx = tx->ctx;
    TRY(place_check(ctx, collection));

    struct rows facts;
    TRY(facts_ask(tx, collection, field, &facts));
    TRY(removable_check(ctx, collection, field, &facts));
    TRY(ddl_history_gone(tx, collection, field));
    TRY(db_tx_query(tx, &SQL_DDL_FIELD_UNLINK, ARGS(db_text(collection), db_text(field)), NULL));
    TRY(db_tx_query(tx, &SQL_DDL_FIELD_FORGET, ARGS(db_text(collection), db_text(field)), NULL));
    TRY(ddl_audit_field(tx, STR("field_deleted"), collection, field));
    if (!row_bool(&facts, 0, DDL_FIELD_FACTS_IS_COLUMN))
        return OK;
    struct ddl_script script = {.tx = tx};
    ddl_add(&script, "alter table %.*s drop column %.*s",
            STR_FMT(sql_table(ctx->arena, collection)), STR_FMT(sql_ident(ctx->arena, field)));
    return ddl_script_run(&script);
}

fiber_fn Err field_delete(struct platform platform, Str collection, Str field)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(ddl_field_delete(&tx, collection, field));
    return ddl_commit(&tx);
}
