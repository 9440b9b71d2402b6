/*
 * One plan for all queries of a fingerprint.
 *
 * While such a plan is compiled, each literal that was lifted out of the query is recorded where
 * the query's own filter compares a field with it. The plan is shared only if every literal became
 * a parameter. A later query with the same fingerprint is then not compiled: its literals are
 * checked against the same fields and bound. A literal that does not fit (a fraction for an
 * integer, an invalid date) causes a full compilation, which also reports the error.
 */
#include "content/plan/plan.h"

#include <assert.h>

/* A literal occurs twice if the filter is compiled twice: for the rows and for their count. */
void value_share(struct compiler *c, const struct operand *operand,
                 const struct filter_value *given, struct value *value)
{
    uint32_t i = 0;
    if (!c->is_sharing)
        return;
    struct sharing *sharing = c->sharing;
    assert(sharing != NULL && sharing->of->count <= FINGERPRINT_LITERALS_MAX);
    while (i < sharing->of->count && sharing->of->literals[i] != given)
        i++;
    if (i == sharing->of->count)
        return;
    if (value->param == NULL || value->param->kind != PARAM_TEXT) {
        sharing->is_impossible = true;
        return;
    }
    struct operand *copy = arena_new(c->arena, struct operand);
    *copy = *operand;
    sharing->is_met[i] = true;
    sharing->values[i] = (struct shared_value){copy, value->cast};
    value->param->shared = i + 1;
}

void plan_keep_shared(struct plan *plan, const struct sharing *sharing)
{
    uint32_t count = sharing->of->count;
    for (uint32_t i = 0; i < count; i++)
        if (sharing->is_impossible || !sharing->is_met[i])
            return;
    struct shared_value *kept = arena_array(plan->arena, struct shared_value, count + 1);
    memcpy(kept, sharing->values, count * sizeof *kept);
    plan->shared = kept;
    plan->shared_count = count;
}

bool plan_bind(struct ctx *ctx, const struct plan *plan, const Str *literals, uint32_t count,
               const Str **ret)
{
    assert(plan->shared_count == count);
    Str *values = arena_array(ctx->arena, Str, count + 1);
    for (uint32_t i = 0; i < count; i++)
        if (!value_again(ctx, &plan->shared[i], literals[i], &values[i]))
            return false;
    *ret = values;
    return true;
}
