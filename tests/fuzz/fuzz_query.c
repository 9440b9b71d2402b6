/*
 * Any query string is either refused with a sentence or read within its limits; and what was read
 * can be compiled or is refused in turn.
 */
#include "../support/content_snapshot.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx ctx = {.arena = arena_create(), .scope = {.kind = SCOPE_SITE}};
    struct query query;
    Err err = query_parse(&ctx, str_of((const char *)data, size), &query);
    if (err != OK) {
        assert(err == ERR_INVALID_QUERY || err == ERR_TOO_LARGE);
        assert(diag_message(&ctx, ctx.diag.first).len > 0);
    } else {
        assert(query.field_count <= QUERY_LIST_MAX && query.sort_count <= QUERY_LIST_MAX);
        assert(query.limit >= -1 && query.offset >= 0 && query.page >= 0);
        struct schema *schema = snapshot_make();
        struct plan *plan;
        err = snapshot_compile(&ctx, schema, "posts", &query, &plan);
        assert(err == OK || err == ERR_INVALID_QUERY || err == ERR_FORBIDDEN);
        if (err == OK)
            assert(str_find(str_from_z(plan->root->statement.sql), STR("site_id")) >= 0);
        schema_unref(schema);
    }
    arena_destroy(ctx.arena);
    return 0;
}
