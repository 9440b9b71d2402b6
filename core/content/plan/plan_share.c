/*
 * One plan for all queries of a fingerprint.
 *
 * While such a plan is compiled, each literal that was lifted out of the query is noted where the
 * query's own filter compares a field with it. Only if every one of them became a parameter the
 * plan is shared; then a later query of the fingerprint needs no compiling: its literals are
 * checked against the same fields and bound. Whatever does not fit (a fraction for an integer, a
 * date that is none) goes the long way, which also knows the sentence to refuse it with.
 */
#include "content/plan/plan.h"

#include <assert.h>

/* A literal is met twice where the filter is compiled twice: for the rows and for their count. */
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
