/*
 * Whether rows may be updated, asked before the update.
 */
#include "content/items/write.h"

#include <assert.h>

struct asked {
    const struct access *access;
    const struct payload *payload;
};

static Err compile_asked(struct compiler *c, struct plan *plan, const void *arg)
{
    const struct asked *asked = arg;
    struct select *select = plan->root;
    struct operand key = operand_of(select->root, plan->collection->key);
    struct pred *keys = pred_new(c, PRED_ANY);
    keys->operand = key;
    keys->value = value_of_param(c, param_new(c, PARAM_KEYS));
    struct pred *granted;
    TRY(access_rows_for(c, select->root, asked->access, asked->payload->given,
                        asked->payload->given_count, &granted));
    select->where = pred_and(c, pred_and(c, scope_rows(c, select->root, true), keys), granted);
    TRY(column_add_field(c, select, NULL, key, &plan->key_column));
    plan->is_unreadable = true;
    select->shape = arena_new(c->arena, struct shape);
    select->shape->is_key_only = true;
    select->shape->key = plan->key_column;
    return OK;
}

/* The fields that need a grant, after a byte that no action's name begins with. */
static Str detail_of(struct ctx *ctx, const struct payload *payload)
{
    size_t len = 1 + (size_t)payload->given_count * 2;
    char *detail = arena_alloc_raw(ctx->arena, len);
    detail[0] = '\1';
    for (uint32_t i = 0; i < payload->given_count; i++) {
        detail[1 + i * 2] = (char)(payload->given[i]->ordinal >> 8);
        detail[2 + i * 2] = (char)(payload->given[i]->ordinal & 0xFF);
    }
    return str_of(detail, len);
}

fiber_fn Err write_check_access(struct writer *w, const struct write_target *target,
                                const struct payload *payload, const Str *keys, uint32_t count)
{
    assert(target->action == ACTION_UPDATE && count > 0);
    static const struct query NOTHING = {0};
    struct asked asked = {&target->access, payload};
    struct plan_request request = {
        .op = PLAN_CHECK,
        .collection = target->collection,
        .query = &NOTHING,
        .detail = detail_of(w->ctx, payload),
        .extend = compile_asked,
        .extend_arg = &asked,
    };
    if (target->access.is_full)
        return OK;
    struct run run = {.ctx = w->ctx, .keys = run_array_literal(w->ctx->arena, keys, count)};
    struct db_args args;
    TRY(plan_get(w->ctx, w->schema, &request, &run.plan));
    TRY(run_bind(&run, run.plan->root, &args));
    const struct statement *statement = &run.plan->root->statement;
    if (w->tx != NULL)
        TRY(db_tx_query(w->tx, statement, args, &run.rows));
    else
        TRY(db_query(w->ctx, statement, args, &run.rows));
    return run.rows.count < count ? write_forbidden(w->ctx, target, payload) : OK;
}

Err write_check_grant(struct ctx *ctx, const struct schema *schema, Str name, enum action action)
{
    assert(action != ACTION_READ);
    const struct collection *collection = schema_find(schema, name);
    struct compiler c = {.ctx = ctx, .actor = ctx->actor, .scope = ctx->scope.kind};
    struct access access;
    if (collection == NULL || access_find(&c, collection, action, &access))
        return OK;
    struct write_target target = {.collection = collection, .action = action};
    return write_forbidden(ctx, &target, NULL);
}
