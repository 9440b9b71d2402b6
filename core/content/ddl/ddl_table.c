/*
 * A table from birth to its row policies.
 *
 * Whose rows a table holds is decided here, once: with a site column they are tenants' rows, and
 * spark.protect_table closes them; without, the table is the platform's, and the tenant lane has
 * neither a grant nor a policy on it.
 */
#include "content/ddl/ddl_internal.h"
#include "gen/sql.h"

#include <assert.h>

enum { SQL_MAX = 1024 * 1024 };

static const struct ddl_field *key_of(const struct ddl_table *table)
{
    for (uint32_t i = 0; i < table->field_count; i++)
        if (table->fields[i].is_key)
            return &table->fields[i];
    return NULL;
}

static bool has_site(const struct ddl_table *table)
{
    for (uint32_t i = 0; i < table->field_count; i++)
        if (table->fields[i].is_site)
            return true;
    return false;
}

static Err create(struct ddl_script *script, const struct ddl_table *table)
{
    assert(table->name.len > 0 && table->field_count > 0);
    struct ctx *ctx = script->tx->ctx;
    struct buf *sql = buf_in_arena(ctx->arena, SQL_MAX);
    const char *separator = "";
    for (uint32_t i = 0; i < table->field_count; i++) {
        if (table->fields[i].is_alias)
            continue;
        buf_put_z(sql, separator);
        TRY(ddl_column_write(ctx, &table->fields[i], sql));
        separator = ", ";
    }
    TRY(buf_check(ctx, sql, "The definition of the table"));
    ddl_add(script, "create table %.*s (%.*s)", STR_FMT(sql_table(ctx->arena, table->name)),
            STR_FMT(buf_str(sql)));
    return OK;
}

/* By its name it is known as one that people wanted (spark.describe_columns). */
static void index_system_field(struct ddl_script *script, Str table, Str field)
{
    struct arena *arena = script->tx->ctx->arena;
    Str name = str_printf(arena, "%.*s_%.*s_index", STR_FMT(table), STR_FMT(field));
    ddl_add(script, "create index %.*s on %.*s (%.*s)", STR_FMT(sql_ident(arena, name)),
            STR_FMT(sql_table(arena, table)), STR_FMT(sql_ident(arena, field)));
}

/* On a tenant's table every index begins with the site: no query comes without it. */
void ddl_index_field(struct ddl_script *script, Str table, Str field, bool is_tenants)
{
    assert(table.len > 0 && field.len > 0);
    struct arena *arena = script->tx->ctx->arena;
    if (str_starts_with(table, STR("directus_"))) {
        index_system_field(script, table, field);
        return;
    }
    ddl_add(script, "create index on %.*s (%s%.*s)", STR_FMT(sql_table(arena, table)),
            is_tenants ? "site_id, " : "", STR_FMT(sql_ident(arena, field)));
    if (is_tenants)
        ddl_renew_key(script, table);
}

/* `select spark.<function>('public."name"'::regclass<more>)` */
static void call_for(struct ddl_script *script, const char *function, Str table, const char *more)
{
    assert(table.len > 0);
    struct arena *arena = script->tx->ctx->arena;
    ddl_add(script, "select spark.%s(%.*s::regclass%s)", function,
            STR_FMT(sql_literal(arena, sql_table(arena, table))), more);
}

/* The key stays the youngest index: see spark.renew_key. */
void ddl_renew_key(struct ddl_script *script, Str table)
{
    call_for(script, "renew_key", table, "");
}

static void index_fields(struct ddl_script *script, const struct ddl_table *table)
{
    for (uint32_t i = 0; i < table->field_count; i++) {
        const struct ddl_field *field = &table->fields[i];
        if (!field->is_indexed || field->is_alias || field->is_key || field->is_unique)
            continue;
        ddl_index_field(script, table->name, field->name, has_site(table) && !field->is_site);
    }
}

static Err comments(struct ddl_script *script, const struct ddl_table *table)
{
    struct arena *arena = script->tx->ctx->arena;
    Str name = sql_table(arena, table->name);
    if (table->note.len > 0)
        ddl_add(script, "comment on table %.*s is %.*s", STR_FMT(name),
                STR_FMT(sql_literal(arena, table->note)));
    for (uint32_t i = 0; i < table->field_count; i++) {
        Str note = STR_NONE;
        const struct ddl_field *field = &table->fields[i];
        TRY(json_take_str(script->tx->ctx, field->schema, "comment", 1000, &note));
        if (note.len > 0 && !field->is_alias)
            ddl_add(script, "comment on column %.*s.%.*s is %.*s", STR_FMT(name),
                    STR_FMT(sql_ident(arena, field->name)), STR_FMT(sql_literal(arena, note)));
    }
    return OK;
}

/* PLATFORM and NONE scope use one role: what of it the caller may see is for the grants to say. */
static void keep_for_platform(struct ddl_script *script, Str table)
{
    assert(table.len > 0);
    Str name = sql_table(script->tx->ctx->arena, table);
    ddl_add(script, "alter table %.*s enable row level security, force row level security",
            STR_FMT(name));
    ddl_add(script,
            "create policy spark_platform on %.*s to spark_platform, spark_owner "
            "using (true) with check (true)",
            STR_FMT(name));
    ddl_add(script, "grant select, insert, update, delete on %.*s to spark_platform",
            STR_FMT(name));
    call_for(script, "watch_table", table, "");
}

void ddl_table_protect(struct ddl_script *script, Str table, Str key)
{
    assert(table.len > 0 && key.len > 0);
    struct arena *arena = script->tx->ctx->arena;
    /* Where relations from other tenants' rows end; it serves the row policies as well. */
    ddl_add(script, "alter table %.*s add unique (site_id, %.*s)", STR_FMT(sql_table(arena, table)),
            STR_FMT(sql_ident(arena, key)));
    call_for(script, "protect_table", table, ", 'site_id'");
    call_for(script, "key_by_site", table, "");
}

/* Whether another site has a value must not be asked: on a tenant's table it is unique in its site.
 */
void ddl_unique_by_site(struct ddl_script *script, Str table)
{
    call_for(script, "unique_by_site", table, ", 'site_id'");
}

fiber_fn Err ddl_geometry_check(struct db_tx *tx, const struct ddl_field *fields, uint32_t count)
{
    const struct ddl_field *found = NULL;
    for (uint32_t i = 0; i < count; i++)
        if (str_starts_with(fields[i].type, STR("geometry")))
            found = &fields[i];
    if (found == NULL)
        return OK;
    struct rows rows;
    TRY(db_tx_query(tx, &SQL_DDL_HAS_GEOMETRY, NO_ARGS, &rows));
    assert(rows.count == 1);
    if (row_bool(&rows, 0, DDL_HAS_GEOMETRY_HAS_GEOMETRY))
        return OK;
    return fail(tx->ctx, ERR_INVALID_PAYLOAD,
                "Field \"%.*s\" of the type \"%.*s\" needs the extension PostGIS, which this "
                "database does not have (CREATE EXTENSION postgis)",
                STR_FMT(found->name), STR_FMT(found->type));
}

Err ddl_table_create(struct ddl_script *script, const struct ddl_table *table)
{
    const struct ddl_field *key = key_of(table);
    assert(key != NULL);
    TRY(create(script, table));
    index_fields(script, table);
    TRY(comments(script, table));
    if (has_site(table))
        ddl_table_protect(script, table->name, key->name);
    else
        keep_for_platform(script, table->name);
    return OK;
}
