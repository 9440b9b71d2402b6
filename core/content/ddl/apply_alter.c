/*
 * Columns and relations that are there, changed or taken away.
 */
#include "base/memory/array.h"
#include "content/ddl/apply_internal.h"
#include "content/ddl/ddl_internal.h"
#include "gen/sql.h"

#include <assert.h>

enum { COLUMN_SQL_MAX = 64 * 1024 };

/* alter table … alter column … <what> */
static void alter_column(struct ddl_script *script, const struct change *change, Str what)
{
    assert(change->field.len > 0 && what.len > 0);
    struct arena *arena = script->tx->ctx->arena;
    ddl_add(script, "alter table %.*s alter column %.*s %.*s",
            STR_FMT(sql_table(arena, change->collection)), STR_FMT(sql_ident(arena, change->field)),
            STR_FMT(what));
}

static Err type_text(struct ctx *ctx, const struct ddl_field *field, Str *ret)
{
    struct buf *sql = buf_in_arena(ctx->arena, COLUMN_SQL_MAX);
    TRY(ddl_column_type(ctx, field, sql));
    *ret = buf_str(sql);
    return buf_check(ctx, sql, "The type");
}

static Err alter_type(struct ddl_script *script, const struct change *change,
                      const struct ddl_field *field)
{
    Str type;
    TRY(type_text(script->tx->ctx, field, &type));
    alter_column(script, change, str_printf(script->tx->ctx->arena, "type %.*s", STR_FMT(type)));
    return OK;
}

static Err alter_default(struct ddl_script *script, const struct change *change,
                         const struct ddl_field *field)
{
    struct ctx *ctx = script->tx->ctx;
    struct buf *sql = buf_in_arena(ctx->arena, COLUMN_SQL_MAX);
    buf_put_z(sql, "set");
    TRY(ddl_column_default(ctx, field, sql));
    TRY(buf_check(ctx, sql, "The default"));
    bool has_none = str_eq(buf_str(sql), STR("set"));
    alter_column(script, change, has_none ? STR("drop default") : buf_str(sql));
    return OK;
}

/* A default of the old type may be none of the new: it goes before, and comes again after. */
static Err retype(struct ddl_script *script, const struct change *change,
                  const struct ddl_field *field)
{
    struct arena *arena = script->tx->ctx->arena;
    Str type;
    TRY(type_text(script->tx->ctx, field, &type));
    alter_column(script, change, STR("drop default"));
    alter_column(script, change,
                 str_printf(arena, "type %.*s using %.*s::%.*s", STR_FMT(type),
                            STR_FMT(sql_ident(arena, change->field)), STR_FMT(type)));
    return alter_default(script, change, field);
}

static void drop_indexes(struct ddl_script *script, const struct change *change,
                         const struct rows *indexes, bool unique)
{
    assert(change->of == OF_FIELD);
    struct arena *arena = script->tx->ctx->arena;
    for (uint32_t i = 0; i < indexes->count; i++) {
        if (row_bool(indexes, i, APPLY_FIELD_INDEXES_IS_UNIQUE) != unique)
            continue;
        Str constraint = row_text(indexes, i, APPLY_FIELD_INDEXES_CONSTRAINT_NAME);
        Str name = row_text(indexes, i, APPLY_FIELD_INDEXES_INDEX_NAME);
        if (constraint.len > 0)
            ddl_add(script, "alter table %.*s drop constraint %.*s",
                    STR_FMT(sql_table(arena, change->collection)),
                    STR_FMT(sql_ident(arena, constraint)));
        else
            ddl_add(script, "drop index %.*s", STR_FMT(sql_table(arena, name)));
    }
}

static void alter_indexes(struct ddl_script *script, const struct change *change,
                          const struct ddl_field *field, const struct rows *indexes,
                          bool is_tenants)
{
    assert(change->kind == CHANGE_ALTER && change->of == OF_FIELD);
    struct arena *arena = script->tx->ctx->arena;
    bool names_unique = change_names(change, STR("schema.is_unique"));
    bool names_indexed = change_names(change, STR("schema.is_indexed"));
    if (names_unique && !field->is_unique)
        drop_indexes(script, change, indexes, true);
    if (names_indexed && !field->is_indexed)
        drop_indexes(script, change, indexes, false);
    if (names_unique && field->is_unique)
        ddl_add(script, "alter table %.*s add unique (%.*s)",
                STR_FMT(sql_table(arena, change->collection)),
                STR_FMT(sql_ident(arena, change->field)));
    if (names_unique && field->is_unique && is_tenants)
        ddl_unique_by_site(script, change->collection);
    if (names_indexed && field->is_indexed)
        ddl_index_field(script, change->collection, change->field, is_tenants);
}

static Err alter(struct ddl_script *script, const struct change *change,
                 const struct ddl_field *field)
{
    if (change->is_retyped)
        TRY(retype(script, change, field));
    else if (change_names(change, STR("schema.max_length")) ||
             change_names(change, STR("schema.numeric_precision")) ||
             change_names(change, STR("schema.numeric_scale")))
        TRY(alter_type(script, change, field));
    if (change_names(change, STR("schema.default_value")) && !change->is_retyped)
        TRY(alter_default(script, change, field));
    if (change_names(change, STR("schema.is_nullable")))
        alter_column(script, change,
                     field->is_nullable ? STR("drop not null") : STR("set not null"));
    return OK;
}

fiber_fn Err apply_alter_field(struct db_tx *tx, const struct change *change,
                               const struct json *body)
{
    assert(change->of == OF_FIELD && change->has_schema);
    struct ddl_field field;
    struct rows indexes;
    struct rows facts;
    struct ddl_script script = {.tx = tx};
    DbArg collection = db_text(change->collection);
    DbArg name = db_text(change->field);
    TRY(ddl_field_read(tx->ctx, body, TENANCY_BY_FIELDS, &field));
    TRY(ddl_geometry_check(tx, &field, 1));
    TRY(db_tx_query(tx, &SQL_APPLY_FIELD_INDEXES, ARGS(collection, name), &indexes));
    TRY(db_tx_query(tx, &SQL_DDL_FIELD_FACTS, ARGS(collection, name), &facts));
    assert(facts.count == 1);
    bool is_tenants = row_bool(&facts, 0, DDL_FIELD_FACTS_IS_TENANTS);
    bool stays =
        row_bool(&facts, 0, DDL_FIELD_FACTS_IS_KEY) || row_bool(&facts, 0, DDL_FIELD_FACTS_IS_SITE);
    if (stays)
        return fail(tx->ctx, ERR_CONFLICT,
                    "Field \"%.*s\" cannot be changed: it identifies the row or its owner.",
                    STR_FMT(change->field));
    TRY(alter(&script, change, &field));
    alter_indexes(&script, change, &field, &indexes, is_tenants);
    return ddl_script_run(&script);
}

fiber_fn Err apply_drop_keys(struct db_tx *tx, Str collection, Str field)
{
    assert(collection.len > 0 && field.len > 0);
    struct arena *arena = tx->ctx->arena;
    struct ddl_script script = {.tx = tx};
    struct rows keys;
    TRY(db_tx_query(tx, &SQL_APPLY_RELATION_KEYS, ARGS(db_text(collection), db_text(field)),
                    &keys));
    Str table = sql_table(arena, collection);
    for (uint32_t i = 0; i < keys.count; i++) {
        Str name = row_text(&keys, i, APPLY_RELATION_KEYS_CONSTRAINT_NAME);
        ddl_add(&script, "alter table %.*s drop constraint %.*s", STR_FMT(table),
                STR_FMT(sql_ident(arena, name)));
    }
    Str index = str_cut(
        str_printf(arena, "spark_fk_%.*s_%.*s", STR_FMT(collection), STR_FMT(field)), DDL_NAME_MAX);
    ddl_add(&script, "drop index if exists %.*s", STR_FMT(sql_table(arena, index)));
    static const char *const TRIGGERS[] = {"spark_fill_", "spark_refill_"};
    for (size_t i = 0; i < COUNT_OF(TRIGGERS); i++) {
        Str name = str_printf(arena, "%s%.*s", TRIGGERS[i], STR_FMT(field));
        ddl_add(&script, "drop trigger if exists %.*s on %.*s", STR_FMT(sql_ident(arena, name)),
                STR_FMT(table));
    }
    return ddl_script_run(&script);
}

static bool is_site_relation(const struct change *change)
{
    return str_eq(change->field, STR("site_id"));
}

fiber_fn Err apply_drop_relation(struct db_tx *tx, const struct change *change)
{
    assert(change->of == OF_RELATION && change->current != NULL);
    if (is_site_relation(change))
        return fail(tx->ctx, ERR_CONFLICT,
                    "it identifies the owner of the rows and cannot be deleted.");
    TRY(ddl_audit_field(tx, STR("relation_deleted"), change->collection, change->field));
    TRY(db_tx_query(tx, &SQL_APPLY_RELATION_FORGET,
                    ARGS(db_text(change->collection), db_text(change->field)), NULL));
    if (json_is_null(json_get(change->current, STR("schema"))))
        return OK;
    return apply_drop_keys(tx, change->collection, change->field);
}

fiber_fn Err apply_alter_relation(struct db_tx *tx, const struct change *change)
{
    assert(change->of == OF_RELATION && change->wanted != NULL);
    Str meta = json_text(tx->ctx->arena, json_get(change->wanted, STR("meta")));
    if (change->has_schema) {
        TRY(apply_drop_relation(tx, change));
        return ddl_relations_create(tx, &(struct ddl_relation){.body = change->wanted}, 1);
    }
    TRY(ddl_audit_field(tx, STR("relation_changed"), change->collection, change->field));
    return db_tx_query(tx, &SQL_APPLY_RELATION_META,
                       ARGS(db_text(change->collection), db_text(change->field), db_text(meta)),
                       NULL);
}
