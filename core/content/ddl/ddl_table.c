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

static fiber_fn Err create(struct db_tx *tx, const struct ddl_table *table)
{
    assert(table->name.len > 0 && table->field_count > 0);
    struct ctx *ctx = tx->ctx;
    struct buf *sql = buf_in_arena(ctx->arena, SQL_MAX);
    buf_put_z(sql, "create table ");
    buf_put(sql, sql_table(ctx->arena, table->name));
    const char *separator = " (";
    for (uint32_t i = 0; i < table->field_count; i++) {
        if (table->fields[i].is_alias)
            continue;
        buf_put_z(sql, separator);
        TRY(ddl_column_write(ctx, &table->fields[i], sql));
        separator = ", ";
    }
    buf_put_z(sql, ")");
    TRY(buf_check(ctx, sql, "The definition of the table"));
    return ddl_run(tx, buf_str(sql));
}

/* By its name it is known as one that people wanted (spark.describe_columns). */
static fiber_fn Err index_system_field(struct db_tx *tx, Str table, Str field)
{
    struct arena *arena = tx->ctx->arena;
    Str name = str_printf(arena, "%.*s_%.*s_index", STR_FMT(table), STR_FMT(field));
    return ddl_run(tx, str_printf(arena, "create index %.*s on %.*s (%.*s)",
                                  STR_FMT(sql_ident(arena, name)), STR_FMT(sql_table(arena, table)),
                                  STR_FMT(sql_ident(arena, field))));
}

/* On a tenant's table every index begins with the site: no query comes without it. */
fiber_fn Err ddl_index_field(struct db_tx *tx, Str table, Str field, bool is_tenants)
{
    assert(table.len > 0 && field.len > 0);
    struct arena *arena = tx->ctx->arena;
    if (str_starts_with(table, STR("directus_")))
        return index_system_field(tx, table, field);
    TRY(ddl_run(tx,
                str_printf(arena, "create index on %.*s (%s%.*s)", STR_FMT(sql_table(arena, table)),
                           is_tenants ? "site_id, " : "", STR_FMT(sql_ident(arena, field)))));
    return is_tenants ? ddl_renew_key(tx, table) : OK;
}

/* The key stays the youngest index: see spark.renew_key. */
fiber_fn Err ddl_renew_key(struct db_tx *tx, Str table)
{
    assert(table.len > 0);
    struct arena *arena = tx->ctx->arena;
    return ddl_run(tx, str_printf(arena, "select spark.renew_key(%.*s::regclass)",
                                  STR_FMT(sql_literal(arena, sql_table(arena, table)))));
}

static fiber_fn Err index_fields(struct db_tx *tx, const struct ddl_table *table)
{
    for (uint32_t i = 0; i < table->field_count; i++) {
        const struct ddl_field *field = &table->fields[i];
        if (!field->is_indexed || field->is_alias || field->is_key || field->is_unique)
            continue;
        TRY(ddl_index_field(tx, table->name, field->name, has_site(table) && !field->is_site));
    }
    return OK;
}

static fiber_fn Err comment(struct db_tx *tx, Str what, Str text)
{
    assert(text.len > 0);
    struct arena *arena = tx->ctx->arena;
    return ddl_run(tx, str_printf(arena, "comment on %.*s is %.*s", STR_FMT(what),
                                  STR_FMT(sql_literal(arena, text))));
}

static fiber_fn Err comments(struct db_tx *tx, const struct ddl_table *table)
{
    struct arena *arena = tx->ctx->arena;
    Str name = sql_table(arena, table->name);
    if (table->note.len > 0)
        TRY(comment(tx, str_printf(arena, "table %.*s", STR_FMT(name)), table->note));
    for (uint32_t i = 0; i < table->field_count; i++) {
        Str note = STR_NONE;
        const struct ddl_field *field = &table->fields[i];
        TRY(json_take_str(tx->ctx, field->schema, "comment", 1000, &note));
        if (note.len > 0 && !field->is_alias)
            TRY(comment(tx,
                        str_printf(arena, "column %.*s.%.*s", STR_FMT(name),
                                   STR_FMT(sql_ident(arena, field->name))),
                        note));
    }
    return OK;
}

/* PLATFORM and NONE scope use one role: what of it the caller may see is for the grants to say. */
static fiber_fn Err keep_for_platform(struct db_tx *tx, Str table)
{
    assert(table.len > 0);
    struct arena *arena = tx->ctx->arena;
    Str name = sql_table(arena, table);
    TRY(ddl_run(tx, str_printf(arena,
                               "alter table %.*s enable row level security, "
                               "force row level security",
                               STR_FMT(name))));
    TRY(ddl_run(tx, str_printf(arena,
                               "create policy spark_platform on %.*s to spark_platform, "
                               "spark_owner using (true) with check (true)",
                               STR_FMT(name))));
    TRY(ddl_run(tx,
                str_printf(arena, "grant select, insert, update, delete on %.*s to spark_platform",
                           STR_FMT(name))));
    return ddl_run(tx, str_printf(arena, "select spark.watch_table(%.*s::regclass)",
                                  STR_FMT(sql_literal(arena, name))));
}

fiber_fn Err ddl_table_protect(struct db_tx *tx, Str table, Str key)
{
    assert(table.len > 0 && key.len > 0);
    struct arena *arena = tx->ctx->arena;
    Str name = sql_table(arena, table);
    /* Where relations from other tenants' rows end; it serves the row policies as well. */
    TRY(ddl_run(tx, str_printf(arena, "alter table %.*s add unique (site_id, %.*s)", STR_FMT(name),
                               STR_FMT(sql_ident(arena, key)))));
    TRY(ddl_run(tx, str_printf(arena, "select spark.protect_table(%.*s::regclass, 'site_id')",
                               STR_FMT(sql_literal(arena, name)))));
    return ddl_run(tx, str_printf(arena, "select spark.key_by_site(%.*s::regclass)",
                                  STR_FMT(sql_literal(arena, name))));
}

/* Whether another site has a value must not be asked: on a tenant's table it is unique in its site.
 */
fiber_fn Err ddl_unique_by_site(struct db_tx *tx, Str table)
{
    assert(table.len > 0);
    struct arena *arena = tx->ctx->arena;
    return ddl_run(tx, str_printf(arena, "select spark.unique_by_site(%.*s::regclass, 'site_id')",
                                  STR_FMT(sql_literal(arena, sql_table(arena, table)))));
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

fiber_fn Err ddl_table_create(struct db_tx *tx, const struct ddl_table *table)
{
    const struct ddl_field *key = key_of(table);
    assert(key != NULL);
    TRY(ddl_geometry_check(tx, table->fields, table->field_count));
    TRY(create(tx, table));
    TRY(index_fields(tx, table));
    TRY(comments(tx, table));
    if (has_site(table))
        return ddl_table_protect(tx, table->name, key->name);
    return keep_for_platform(tx, table->name);
}
