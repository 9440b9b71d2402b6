/*
 * Names of collections and fields, and text that goes into SQL. Whatever a caller sends reaches
 * DDL through sql_ident and sql_literal alone.
 */
#include "base/memory/array.h"
#include "content/ddl/ddl.h"
#include "content/ddl/ddl_internal.h"

#include <assert.h>

static Str quoted(struct arena *arena, Str text, char quote)
{
    assert(quote == '"' || quote == '\'');
    char *out = arena_alloc_raw(arena, text.len * 2 + 2);
    size_t len = 0;
    out[len++] = quote;
    assert(len <= text.len * 2 + 2);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == quote)
            out[len++] = quote;
        out[len++] = text.data[i];
    }
    out[len++] = quote;
    return str_of(out, len);
}

Str sql_ident(struct arena *arena, Str name)
{
    return quoted(arena, name, '"');
}

/* standard_conforming_strings is on since PostgreSQL 9.1: a backslash is only itself. */
Str sql_literal(struct arena *arena, Str text)
{
    return quoted(arena, text, '\'');
}

Str sql_table(struct arena *arena, Str name)
{
    assert(name.len > 0);
    return str_printf(arena, "public.%.*s", STR_FMT(sql_ident(arena, name)));
}

/* What the query language gives a meaning of its own, paths, and what no name needs. */
static bool is_forbidden(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f || strchr("/.,:()*$\"'\\%?#&=", c) != NULL;
}

static Err name_check(struct ctx *ctx, const char *what, Str name)
{
    if (name.len == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" is required", what);
    if (name.len > DDL_NAME_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" can't be longer than %d bytes", what,
                    DDL_NAME_MAX);
    for (size_t i = 0; i < name.len; i++) {
        if (is_forbidden(name.data[i]))
            return fail(ctx, ERR_INVALID_PAYLOAD,
                        "\"%s\" can't contain the character at position %zu of \"%.*s\"", what,
                        i + 1, STR_FMT(name));
    }
    if (str_trim(name).len != name.len)
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%s\" can't begin or end with a space", what);
    return OK;
}

Err ddl_collection_name_check(struct ctx *ctx, Str name)
{
    if (str_starts_with(name, STR("directus_")))
        return fail(ctx, ERR_INVALID_PAYLOAD, "Collections can't start with \"directus_\"");
    if (str_find_char(name, '/') >= 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "Collection name can't contain \"/\"");
    return name_check(ctx, "collection", name);
}

/* Of the columns that every table of PostgreSQL has, these cannot be made again. */
static bool is_system_column(Str name)
{
    static const Str NAMES[] = {STR_INIT("ctid"), STR_INIT("xmin"), STR_INIT("xmax"),
                                STR_INIT("cmin"), STR_INIT("cmax"), STR_INIT("tableoid")};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        if (str_eq(name, NAMES[i]))
            return true;
    return false;
}

Err ddl_field_name_check(struct ctx *ctx, Str name)
{
    TRY(name_check(ctx, "field", name));
    if (is_system_column(name))
        return fail(ctx, ERR_INVALID_PAYLOAD, "\"%.*s\" is a name that PostgreSQL reserves",
                    STR_FMT(name));
    return OK;
}
