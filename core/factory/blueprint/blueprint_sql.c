/* Builds the statements for a site's blueprint from its included columns. */
#include "base/system/ctx.h"
#include "content/ddl/ddl.h"
#include "factory/blueprint/blueprint_parts.h"

#include <assert.h>

enum { SQL_MAX = 256 * 1024 };

/* A statement being written. */
struct draft {
    struct arena *arena;
    struct buf *out;
    const struct blueprint_layout *layout;
};

static struct draft draft_begin(struct arena *arena, const struct blueprint_layout *layout)
{
    return (struct draft){arena, buf_in_arena(arena, SQL_MAX), layout};
}

static struct statement draft_end(const struct draft *draft, enum db_lane lane)
{
    assert(!draft->out->is_full); /* a table has at most 1,600 columns of 63 letters */
    return (struct statement){.sql = str_z(draft->arena, buf_str(draft->out)), .lane = lane};
}

static Str table_of(const struct draft *draft, enum blueprint_part part)
{
    return sql_table(draft->arena, draft->layout->collections[part]->name);
}

static Str site_of(const struct draft *draft, enum blueprint_part part)
{
    return sql_ident(draft->arena, draft->layout->collections[part]->site->name);
}

static Str id_of(const struct draft *draft, enum blueprint_part part)
{
    return sql_ident(draft->arena, draft->layout->collections[part]->key->name);
}

/* Rows */

struct statement blueprint_rows_sql(struct arena *arena, const struct blueprint_layout *layout,
                                    uint64_t wanted)
{
    assert(wanted != 0);
    struct draft draft = draft_begin(arena, layout);
    buf_put_z(draft.out, "select part, row from (select part, row, id, sum(octet_length(row)) over "
                         "(order by part, id) - octet_length(row) as before from (");
    const char *separator = "";
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++) {
        if ((wanted >> part & 1) == 0)
            continue;
        buf_printf(draft.out,
                   "%sselect %d as part, t.%.*s as id, to_jsonb(t)::text as row from %.*s t "
                   "where t.%.*s = $1",
                   separator, (int)part, STR_FMT(id_of(&draft, part)),
                   STR_FMT(table_of(&draft, part)), STR_FMT(site_of(&draft, part)));
        separator = " union all ";
    }
    buf_put_z(draft.out, ") found) counted where before <= $3::int8 order by part, id limit $2");
    return draft_end(&draft, DB_SLOW);
}

/* Keys */

static void put_key(const struct draft *draft, const struct blueprint_field *field,
                    const char *alias)
{
    Str name = sql_ident(draft->arena, field->name);
    if ((field->flags & B_HASHED) != 0)
        buf_printf(draft->out, "encode(sha256(convert_to(%s.%.*s, 'UTF8')), 'hex')", alias,
                   STR_FMT(name));
    else
        buf_printf(draft->out, "nullif(%s.%.*s::text, '')", alias, STR_FMT(name));
}

static void put_keys(const struct draft *draft, enum blueprint_part part, const char *alias);

/* Writes a key column with its replacements for an empty value. Returns the number of columns. */
static uint32_t put_group(const struct draft *draft, enum blueprint_part part, uint32_t first,
                          const char *alias)
{
    const struct blueprint_field *fields = draft->layout->fields[part];
    if (fields[first].kind == BLUEPRINT_REF) {
        put_keys(draft, fields[first].target, "s");
        return 1;
    }
    uint32_t count = 0;
    buf_put_z(draft->out, "coalesce(");
    do {
        buf_put_z(draft->out, count > 0 ? ", " : "");
        put_key(draft, &fields[first + count], alias);
        count++;
    } while (first + count < draft->layout->counts[part] &&
             (fields[first + count].flags & B_OR) != 0);
    buf_put_z(draft->out, ")");
    return count;
}

/* Writes the key of a row; for a key column that is a reference, the key of the row it refers to
 * (alias s), one level deep. */
static void put_keys(const struct draft *draft, enum blueprint_part part, const char *alias)
{
    const struct blueprint_field *fields = draft->layout->fields[part];
    assert((fields[0].flags & B_KEY) != 0);
    buf_put_z(draft->out, "concat_ws('/'");
    for (uint32_t i = 0; i < draft->layout->counts[part] && (fields[i].flags & B_KEY) != 0;) {
        buf_put_z(draft->out, ", ");
        i += put_group(draft, part, i, alias);
    }
    buf_put_z(draft->out, ")");
}

static void put_join(const struct draft *draft, enum blueprint_part part)
{
    for (uint32_t i = 0; i < draft->layout->counts[part]; i++) {
        const struct blueprint_field *field = &draft->layout->fields[part][i];
        if ((field->flags & B_KEY) == 0 || field->kind != BLUEPRINT_REF)
            continue;
        Str site = field->site_column.len > 0 ? sql_ident(draft->arena, field->site_column)
                                              : site_of(draft, part);
        buf_printf(draft->out, " join %.*s s on s.%.*s = t.%.*s and s.%.*s = t.%.*s",
                   STR_FMT(table_of(draft, field->target)), STR_FMT(site_of(draft, field->target)),
                   STR_FMT(site), STR_FMT(id_of(draft, field->target)),
                   STR_FMT(sql_ident(draft->arena, field->name)));
    }
}

struct statement blueprint_keys_sql(struct arena *arena, const struct blueprint_layout *layout,
                                    uint64_t wanted)
{
    wanted &= blueprint_named_parts();
    assert(wanted != 0);
    struct draft draft = draft_begin(arena, layout);
    buf_put_z(draft.out, "select part, id, key from (");
    const char *separator = "";
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++) {
        if ((wanted >> part & 1) == 0)
            continue;
        buf_printf(draft.out, "%sselect %d as part, t.%.*s as id, ", separator, (int)part,
                   STR_FMT(id_of(&draft, part)));
        put_keys(&draft, part, "t");
        buf_printf(draft.out, " as key from %.*s t", STR_FMT(table_of(&draft, part)));
        put_join(&draft, part);
        buf_printf(draft.out, " where t.%.*s = $1", STR_FMT(site_of(&draft, part)));
        separator = " union all ";
    }
    buf_put_z(draft.out, ") named order by part, id limit $2");
    return draft_end(&draft, DB_WRITE);
}

/* Storing */

/* Writes "alias.column, …"; references have their site column too. */
static void put_columns(const struct draft *draft, enum blueprint_part part, const char *alias)
{
    const char *separator = "";
    for (uint32_t i = 0; i < draft->layout->counts[part]; i++) {
        const struct blueprint_field *field = &draft->layout->fields[part][i];
        buf_printf(draft->out, "%s%s%.*s", separator, alias,
                   STR_FMT(sql_ident(draft->arena, field->name)));
        separator = ", ";
        if (field->site_column.len > 0)
            buf_printf(draft->out, ", %s%.*s", alias,
                       STR_FMT(sql_ident(draft->arena, field->site_column)));
    }
}

/* Writes the value; an absent member gets the column's default. */
static void put_value(const struct draft *draft, enum blueprint_part part,
                      const struct blueprint_field *field)
{
    Str name = sql_ident(draft->arena, field->name);
    if (field->default_sql.len > 0)
        buf_printf(draft->out, ", coalesce(r.%.*s, %.*s)", STR_FMT(name),
                   STR_FMT(field->default_sql));
    else
        buf_printf(draft->out, ", r.%.*s", STR_FMT(name));
    if ((field->flags & B_ONE) != 0)
        buf_printf(draft->out, " and not exists (select from %.*s d where d.%.*s = $1 and d.%.*s)",
                   STR_FMT(table_of(draft, part)), STR_FMT(site_of(draft, part)), STR_FMT(name));
    if (field->site_column.len > 0)
        buf_printf(draft->out, ", r.%.*s", STR_FMT(sql_ident(draft->arena, field->site_column)));
}

/* Writes the SET clause, and the condition that something differs. */
static void put_change(const struct draft *draft, enum blueprint_part part, const char *values)
{
    buf_put_z(draft->out, " set (");
    put_columns(draft, part, "");
    buf_put_z(draft->out, ") = row(");
    put_columns(draft, part, values);
    buf_put_z(draft->out, ")");
}

static void put_difference(const struct draft *draft, enum blueprint_part part, const char *values)
{
    buf_put_z(draft->out, "to_jsonb(row(");
    put_columns(draft, part, "g.");
    buf_put_z(draft->out, ")) is distinct from to_jsonb(row(");
    put_columns(draft, part, values);
    buf_put_z(draft->out, "))");
}

static void put_insert(const struct draft *draft, enum blueprint_part part)
{
    Str table = table_of(draft, part);
    Str site = site_of(draft, part);
    Str id = id_of(draft, part);
    buf_printf(draft->out, "insert into %.*s as g (%.*s, %.*s, ", STR_FMT(table), STR_FMT(site),
               STR_FMT(id));
    put_columns(draft, part, "");
    buf_printf(draft->out, ") select $1, r.%.*s", STR_FMT(id));
    for (uint32_t i = 0; i < draft->layout->counts[part]; i++)
        put_value(draft, part, &draft->layout->fields[part][i]);
    buf_printf(draft->out, " from jsonb_populate_recordset(null::%.*s, $2::jsonb) r",
               STR_FMT(table));
}

/* Updates the site's row; absent members stay unchanged. */
static void put_update(const struct draft *draft, enum blueprint_part part)
{
    Str table = table_of(draft, part);
    Str site = site_of(draft, part);
    buf_printf(draft->out, "update %.*s g", STR_FMT(table));
    put_change(draft, part, "r.");
    buf_printf(draft->out,
               " from (select (jsonb_populate_record(x, $2::jsonb -> 0)).* from %.*s x "
               "where x.%.*s = $1) r where g.%.*s = $1 and ",
               STR_FMT(table), STR_FMT(site), STR_FMT(site));
    put_difference(draft, part, "r.");
}

struct statement blueprint_add_sql(struct arena *arena, const struct blueprint_layout *layout,
                                   enum blueprint_part part)
{
    struct draft draft = draft_begin(arena, layout);
    switch (blueprint_part_info(part)->identity) {
    case B_SETTINGS:
        put_update(&draft, part);
        break;
    case B_SINGLE:
        put_insert(&draft, part);
        buf_printf(draft.out, " on conflict (%.*s) do update", STR_FMT(site_of(&draft, part)));
        put_change(&draft, part, "excluded.");
        buf_put_z(draft.out, " where ");
        put_difference(&draft, part, "excluded.");
        break;
    case B_LOOSE:
        put_insert(&draft, part);
        buf_put_z(draft.out, " on conflict do nothing");
        break;
    case B_NAMED:
        put_insert(&draft, part);
        break;
    }
    return draft_end(&draft, DB_WRITE);
}
