#include "content/catalog/catalog_internal.h"
#include "io/reactor/reactor.h"

#include <assert.h>

fiber_fn Err catalog_query(struct ctx *ctx, const struct statement *statement, Str first,
                           Str second, struct rows *ret)
{
    assert(statement != NULL);
    SCOPED_CTX struct ctx reader = ctx_as_machinery(ctx, "all tenants share the schema");
    return db_query_platform(reactor_platform(&reader), statement,
                             ARGS(db_text_or_null(first), db_text_or_null(second)), ret);
}

fiber_fn Err catalog_query_one(struct ctx *ctx, const struct statement *statement, Str name,
                               struct rows *ret)
{
    assert(statement != NULL);
    SCOPED_CTX struct ctx reader = ctx_as_machinery(ctx, "all tenants share the schema");
    return db_query_platform(reactor_platform(&reader), statement, ARGS(db_text_or_null(name)),
                             ret);
}

void catalog_put_json(struct json_writer *w, const char *key, Str text)
{
    if (text.len == 0)
        json_field_null(w, key);
    else
        json_field_raw(w, key, text);
}
