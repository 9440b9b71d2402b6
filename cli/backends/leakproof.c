#include "cli/backends/leakproof.h"

#include "base/text/buf.h"

#include <assert.h>

enum { SQL_MAX = 4096 };

/*
 * The functions and operators that compiled filters apply to a column and that an index can serve:
 * LIKE, with lower() on both sides if case does not matter (the whole clause is leaky if either
 * function is), and comparisons of decimals. Extensions write ILIKE and @>. None reveals a value
 * except by its result: comparisons raise no errors; LIKE raises an error only for a pattern that
 * ends in a single escape character, and patterns are generated; lower() only for text that is
 * invalid in the database's encoding, which PostgreSQL does not store.
 */
#define LEAKPROOF_FUNCTIONS                                                                        \
    "('textlike(text,text)'), ('texticlike(text,text)'), ('lower(text)'), "                        \
    "('numeric_eq(numeric,numeric)'), ('numeric_lt(numeric,numeric)'), "                           \
    "('numeric_le(numeric,numeric)'), ('numeric_gt(numeric,numeric)'), "                           \
    "('numeric_ge(numeric,numeric)'), ('jsonb_contains(jsonb,jsonb)')"

Err leakproof_missing(struct ctx *ctx, struct sync_postgres *postgres, Str *ret_functions)
{
    static const char sql[] =
        "select string_agg(name, ', ' order by name) from (values " LEAKPROOF_FUNCTIONS
        ") f (name) "
        "join pg_proc p on p.oid = ('pg_catalog.' || name)::regprocedure where not p.proleakproof";
    struct sync_rows rows;
    TRY(sync_postgres_query(ctx, postgres, sql, NULL, 0, &rows));
    assert(rows.count == 1);
    *ret_functions = sync_rows_get(&rows, 0, 0);
    return OK;
}

/* "a(x,y), b(z)": functions are separated by ", ". */
static bool next_name(Str *rest, Str *ret)
{
    if (rest->len == 0)
        return false;
    ptrdiff_t end = str_find(*rest, STR(", "));
    *ret = str_slice(*rest, 0, end < 0 ? rest->len : (size_t)end);
    *rest = str_slice(*rest, end < 0 ? rest->len : (size_t)end + 2, rest->len);
    return true;
}

Str leakproof_sql(struct ctx *ctx, Str functions)
{
    struct buf *out = buf_in_arena(ctx->arena, SQL_MAX);
    Str name;
    while (next_name(&functions, &name))
        buf_printf(out, "%salter function pg_catalog.%.*s leakproof;",
                   buf_str(out).len > 0 ? " " : "", STR_FMT(name));
    assert(!out->is_full);
    return buf_str(out);
}

Err leakproof_mark(struct ctx *ctx, struct sync_postgres *postgres)
{
    Str functions;
    Str name;
    TRY(leakproof_missing(ctx, postgres, &functions));
    while (next_name(&functions, &name)) {
        Str sql = leakproof_sql(ctx, name);
        TRY(sync_postgres_query(ctx, postgres, str_z(ctx->arena, sql), NULL, 0, NULL));
    }
    return OK;
}

Err trigram_missing(struct ctx *ctx, struct sync_postgres *postgres, Str *ret_offered,
                    Str *ret_absent)
{
    static const char sql[] =
        "select string_agg(w.name, ', ') filter (where a.name is not null), "
        "string_agg(w.name, ', ') filter (where a.name is null) "
        "from (values ('pg_trgm'), ('btree_gin')) w (name) "
        "left join pg_available_extensions a on a.name = w.name where a.installed_version is null";
    struct sync_rows rows;
    TRY(sync_postgres_query(ctx, postgres, sql, NULL, 0, &rows));
    assert(rows.count == 1);
    *ret_offered = sync_rows_get(&rows, 0, 0);
    *ret_absent = sync_rows_get(&rows, 0, 1);
    return OK;
}

Err trigram_install(struct ctx *ctx, struct sync_postgres *postgres)
{
    Str offered;
    Str absent;
    Str name;
    TRY(trigram_missing(ctx, postgres, &offered, &absent));
    while (next_name(&offered, &name)) {
        Str sql = str_printf(ctx->arena, "create extension if not exists %.*s", STR_FMT(name));
        TRY(sync_postgres_query(ctx, postgres, str_z(ctx->arena, sql), NULL, 0, NULL));
    }
    return OK;
}
