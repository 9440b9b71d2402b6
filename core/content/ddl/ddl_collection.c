/*
 * Collections that are there: their metadata, whose they are, and their end.
 */
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_rows.h"
#include "gen/sql.h"

#include <assert.h>

/* From now on its rows are their sites'. Rows that are there would be nobody's, so there may be
 * none. */
fiber_fn Err ddl_become_tenants(struct db_tx *tx, Str collection)
{
    assert(collection.len > 0);
    struct ctx *ctx = tx->ctx;
    struct arena *arena = ctx->arena;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_DDL_TENANT_FACTS, ARGS(db_text(collection)), &rows));
    assert(rows.count == 1);
    if (row_bool(&rows, 0, DDL_TENANT_FACTS_IS_TENANTS))
        return OK;
    Str key = row_text(&rows, 0, DDL_TENANT_FACTS_KEY);
    Str type = row_text(&rows, 0, DDL_TENANT_FACTS_SITE_TYPE);
    const char *fault = NULL;
    if (!row_bool(&rows, 0, DDL_TENANT_FACTS_HAS_SITES))
        fault = "there is no collection \"sites\"";
    else if (key.len == 0)
        fault = "it is not a table with a primary key of one field";
    else if (type.len > 0 && !str_eq(type, STR("uuid")))
        fault = "its field \"site_id\" is not of the type \"uuid\"";
    else if (row_bool(&rows, 0, DDL_TENANT_FACTS_IS_OWN))
        fault = "it belongs to the platform";
    if (fault != NULL)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Collection \"%.*s\" can't belong to sites: %s",
                    STR_FMT(collection), fault);
    struct statement any = {.sql =
                                str_z(arena, str_printf(arena, "select 1::int8 from %.*s limit 1",
                                                        STR_FMT(sql_table(arena, collection)))),
                            .lane = DB_WRITE};
    TRY(db_tx_query(tx, &any, NO_ARGS, &rows));
    if (rows.count > 0)
        return fail(ctx, ERR_INVALID_PAYLOAD,
                    "Collection \"%.*s\" can't belong to sites: it has items, and nothing says "
                    "whose they are. Make a new collection with \"meta.tenant\": true",
                    STR_FMT(collection));
    struct ddl_script script = {.tx = tx};
    ddl_add(&script, "alter table %.*s %s", STR_FMT(sql_table(arena, collection)),
            type.len == 0 ? "add column site_id uuid not null default spark.current_site() "
                            "references public.sites (id) on delete cascade"
                          : "alter column site_id set not null, "
                            "alter column site_id set default spark.current_site(), "
                            "add foreign key (site_id) references public.sites (id) "
                            "on delete cascade");
    ddl_table_protect(&script, collection, key);
    return ddl_script_run(&script);
}

static fiber_fn Err change_tenancy(struct db_tx *tx, Str collection, const struct json *meta)
{
    assert(json_kind(meta) == JSON_OBJECT);
    struct rows rows;
    enum ddl_tenancy tenancy;
    TRY(ddl_tenancy_read(tx->ctx, meta, &tenancy));
    if (tenancy == TENANCY_BY_FIELDS)
        return OK;
    if (tenancy == TENANCY_WANTED)
        return ddl_become_tenants(tx, collection);
    TRY(db_tx_query(tx, &SQL_DDL_TENANT_FACTS, ARGS(db_text(collection)), &rows));
    assert(rows.count == 1);
    if (!row_bool(&rows, 0, DDL_TENANT_FACTS_IS_TENANTS))
        return OK;
    return fail(tx->ctx, ERR_INVALID_PAYLOAD,
                "Collection \"%.*s\" belongs to sites; that can't be taken back",
                STR_FMT(collection));
}

static fiber_fn Err update_one(struct db_tx *tx, Str collection, const struct json *body)
{
    const struct json *meta = json_get(body, STR("meta"));
    if (str_starts_with(collection, STR("directus_")))
        return fail_plain(tx->ctx, ERR_FORBIDDEN);
    if (json_kind(meta) != JSON_OBJECT)
        return OK; /* nothing else is ever changed */
    TRY(ddl_collection_name_check(tx->ctx, collection));
    TRY(change_tenancy(tx, collection, meta));
    TRY(ddl_audit(tx, STR("collection_changed"), collection));
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_APPLY_COLLECTION_META,
                    ARGS(db_text(collection), db_text(json_text(tx->ctx->arena, meta))), &rows));
    struct ddl_row row = {.collection = collection, .meta = meta};
    if (rows.affected == 0)
        TRY(ddl_rows_insert(tx, ROWS_OF_COLLECTIONS, &row, 1));
    return ddl_history(tx, rows.affected > 0 ? ACTION_UPDATE : ACTION_CREATE, &row, 1);
}

fiber_fn Err collections_update(struct platform platform, const struct json *list)
{
    struct ctx *ctx = platform.ctx;
    if (json_kind(list) != JSON_ARRAY)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Input should be an array of collection changes");
    if (json_len(list) > DDL_COLLECTIONS_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "More than %d collections cannot be changed at once",
                    DDL_COLLECTIONS_MAX);
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    for (uint32_t i = 0; i < json_len(list); i++) {
        const struct json *name = json_get(json_at(list, i), STR("collection"));
        if (json_kind(name) != JSON_STRING || json_str(name).len == 0)
            return fail(ctx, ERR_INVALID_PAYLOAD, "Collection in update misses collection key");
        TRY(update_one(&tx, json_str(name), json_at(list, i)));
    }
    return ddl_commit(&tx);
}

fiber_fn Err collection_update(struct platform platform, Str collection, const struct json *body)
{
    assert(collection.len > 0);
    SCOPED_TX struct db_tx tx = {0};
    TRY(ddl_begin(platform, &tx));
    TRY(update_one(&tx, collection, body));
    return ddl_commit(&tx);
}

/* Fields elsewhere that hold keys of its rows go with it. */
static fiber_fn Err drop_references(struct db_tx *tx, Str collection)
{
    assert(tx->connection != NULL && collection.len > 0);
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_DDL_REFERENCES, ARGS(db_text(collection)), &rows));
    for (uint32_t i = 0; i < rows.count; i++)
        TRY(ddl_field_delete(tx, row_text(&rows, i, DDL_REFERENCES_COLLECTION),
                             row_text(&rows, i, DDL_REFERENCES_FIELD)));
    return OK;
}

/* Who writes its rows now has ended before, and their history is there to be seen. */
static fiber_fn Err lock_table(struct db_tx *tx, Str collection)
{
    assert(tx->connection != NULL && collection.len > 0);
    struct ddl_script script = {.tx = tx};
    ddl_add(&script, "lock table %.*s", STR_FMT(sql_table(tx->ctx->arena, collection)));
    return ddl_script_run(&script);
}

fiber_fn Err ddl_collection_delete(struct db_tx *tx, Str collection)
{
    assert(tx->connection != NULL && collection.len > 0);
    struct ctx *ctx = tx->ctx;
    struct arena *arena = ctx->arena;
    struct rows facts;
    TRY(db_tx_query(tx, &SQL_DDL_FIELD_FACTS, ARGS(db_text(collection), db_text(STR("id"))),
                    &facts));
    bool has_table = row_bool(&facts, 0, DDL_FIELD_FACTS_HAS_TABLE);
    if (has_table)
        TRY(lock_table(tx, collection));
    TRY(drop_references(tx, collection));
    TRY(ddl_audit(tx, STR("collection_deleted"), collection));
    TRY(ddl_history_gone(tx, collection, STR_NONE));
    TRY(db_tx_query(tx, &SQL_APPLY_COLLECTION_UNLINK, ARGS(db_text(collection)), NULL));
    TRY(db_tx_query(tx, &SQL_APPLY_COLLECTION_FORGET, ARGS(db_text(collection)), NULL));
    if (!has_table)
        return OK;
    struct ddl_script script = {.tx = tx};
    ddl_add(&script, "drop table %.*s", STR_FMT(sql_table(arena, collection)));
    ddl_add(&script, "delete from spark.collections where collection = %.*s",
            STR_FMT(sql_literal(arena, collection)));
    return ddl_script_run(&script);
}

fiber_fn Err collection_delete(struct platform platform, Str collection)
{
    struct ctx *ctx = platform.ctx;
    if (str_starts_with(collection, STR("directus_")))
        return fail_plain(ctx, ERR_FORBIDDEN);
    SCOPED_TX struct db_tx tx = {0};
    struct rows rows;
    TRY(ddl_begin(platform, &tx));
    TRY(db_tx_query(&tx, &SQL_DDL_COLLECTION_OWN, ARGS(db_text(collection)), &rows));
    assert(rows.count == 1);
    if (!row_bool(&rows, 0, DDL_COLLECTION_OWN_IS_THERE))
        return fail_plain(ctx, ERR_FORBIDDEN);
    if (row_bool(&rows, 0, DDL_COLLECTION_OWN_IS_OWN))
        return fail(ctx, ERR_CONFLICT,
                    "Collection \"%.*s\" cannot be deleted: it belongs to the platform.",
                    STR_FMT(collection));
    TRY(ddl_collection_delete(&tx, collection));
    return ddl_commit(&tx);
}
