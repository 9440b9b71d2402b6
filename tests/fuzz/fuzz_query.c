/*
 * Any query string is either refused with a sentence or read within its limits; and what was read
 * can be compiled or is refused in turn.
 */
#include "../support/content_snapshot.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The plan of its fingerprint, with its own literals, is the plan of the query. */
static void check_fingerprint(struct ctx *ctx, const struct schema *schema,
                              const struct query *query, const struct plan *own)
{
    struct query_fingerprint lifted;
    query_fingerprint(ctx->arena, query, true, &lifted);
    struct plan_request request = {
        .op = PLAN_LIST, .collection = own->collection, .query = query, .lifted = &lifted};
    struct plan *plan;
    Err err = plan_compile(ctx, schema, &request, &plan);
    assert(err == OK && strcmp(plan->root->statement.sql, own->root->statement.sql) == 0);
    assert(plan->root->param_count == own->root->param_count);
    for (uint32_t i = 0; i < plan->root->param_count && plan->shared_count > 0; i++) {
        const struct param *param = plan->root->params[i];
        Str text = param->text;
        if (param->shared == 0)
            continue;
        bool is_bound = value_again(ctx, &plan->shared[param->shared - 1],
                                    lifted.literals[param->shared - 1]->text, &text);
        assert(is_bound && str_eq(text, own->root->params[i]->text));
    }
    plan_unref(plan);
}

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
        if (err == OK) {
            assert(str_find(str_from_z(plan->root->statement.sql), STR("site_id")) >= 0);
            check_fingerprint(&ctx, schema, &query, plan);
        }
        schema_unref(schema);
    }
    arena_destroy(ctx.arena);
    return 0;
}
