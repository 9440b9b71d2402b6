/*
 * One plan for all queries of a shape.
 *
 * While such a plan is compiled, each text that was taken out of the query is looked for where the
 * query's own filter compares a field with it. Only if every text is met at exactly one place, and
 * that place made a parameter, the plan is shared; then a later query of the shape needs no
 * parsing: its texts are checked against the same fields and bound. Whatever does not fit (a
 * fraction for an integer, a date that is none) goes the long way, which also knows the sentence to
 * refuse it with.
 */
#include "content/plan/plan.h"

static bool note(struct compiler *c, uint32_t index, const struct operand *operand,
                 const struct filter_value *given, struct value *value)
{
    struct sharing *sharing = c->sharing;
    if (sharing->origins[index] != NULL && sharing->origins[index] != given)
        return false;
    struct operand *copy = arena_new(c->arena, struct operand);
    *copy = *operand;
    sharing->origins[index] = given;
    sharing->values[index] = (struct shared_value){copy, value->cast};
    value->param->shared = index + 1;
    return true;
}

void value_share(struct compiler *c, const struct operand *operand,
                 const struct filter_value *given, struct value *value)
{
    if (!c->is_sharing || given->kind != FILTER_TEXT)
        return;
    struct sharing *sharing = c->sharing;
    uint32_t matches = 0;
    for (uint32_t i = 0; i < sharing->shape->count; i++) {
        if (!str_eq(sharing->shape->values[i], given->text))
            continue;
        bool is_param = value->param != NULL && value->param->kind == PARAM_TEXT;
        if (!is_param || ++matches > 1 || !note(c, i, operand, given, value))
            sharing->is_impossible = true;
    }
}

void plan_keep_shared(struct plan *plan, const struct sharing *sharing)
{
    uint32_t count = sharing->shape->count;
    for (uint32_t i = 0; i < count; i++)
        if (sharing->is_impossible || sharing->origins[i] == NULL)
            return;
    struct shared_value *kept = arena_array(plan->arena, struct shared_value, count);
    memcpy(kept, sharing->values, count * sizeof *kept);
    plan->shared = kept;
    plan->shared_count = count;
}

static bool bind_values(struct ctx *ctx, const struct plan *plan, const struct query_shape *shape,
                        const Str **ret)
{
    if (plan->shared_count != shape->count)
        return false;
    Str *values = arena_array(ctx->arena, Str, shape->count);
    for (uint32_t i = 0; i < shape->count; i++)
        if (!value_again(ctx, &plan->shared[i], shape->values[i], &values[i]))
            return false;
    *ret = values;
    return true;
}

/* Compiled for its shape, and kept under it, or under its text if it cannot be shared. */
static Err compile_shared(struct ctx *ctx, const struct schema *schema,
                          const struct plan_request *request, const struct plan **ret)
{
    struct query query;
    TRY(query_parse(ctx, request->query->text, &query));
    struct plan_request asked = *request;
    asked.query = &query;
    struct plan *plan;
    TRY(plan_compile(ctx, schema, &asked, &plan));
    plan_pin(ctx, plan);
    if (plan->shared_count == 0)
        asked.shape = NULL;
    struct plan_cache *plans = plan_cache_of(ctx->reactor, schema);
    if (plans != NULL)
        plan_cache_add(plans, plan_cache_key(ctx, &asked), plan);
    else
        plan_unref(plan);
    *ret = plan;
    return OK;
}

/* Under its shape with its values bound, or under its very text. */
static struct plan *find(struct ctx *ctx, struct plan_cache *plans,
                         const struct plan_request *asked, bool *ret_is_known)
{
    struct plan_request exact = *asked;
    exact.shape = NULL;
    struct plan *plan = plan_cache_find(plans, plan_cache_key(ctx, asked));
    *ret_is_known = plan != NULL;
    if (plan != NULL && bind_values(ctx, plan, asked->shape, asked->ret_values))
        return plan;
    return plan_cache_find(plans, plan_cache_key(ctx, &exact));
}

static Err get_exact(struct ctx *ctx, const struct schema *schema,
                     const struct plan_request *request, const struct plan **ret)
{
    struct query query;
    TRY(query_parse(ctx, request->query->text, &query));
    struct plan_request exact = *request;
    exact.query = &query;
    exact.shape = NULL;
    return plan_get(ctx, schema, &exact, ret);
}

Err plan_get_shared(struct ctx *ctx, const struct schema *schema,
                    const struct plan_request *request, const struct plan **ret)
{
    struct query_shape shape = query_shape(ctx->arena, request->query->text);
    if (shape.count == 0 || !plan_may_cache(ctx, request))
        return get_exact(ctx, schema, request, ret);
    struct plan_request asked = *request;
    asked.shape = &shape;
    bool is_known = false;
    struct plan *plan = NULL;
    struct plan_cache *plans = plan_cache_of(ctx->reactor, schema);
    if (plans != NULL)
        plan = find(ctx, plans, &asked, &is_known);
    if (plan == NULL)
        return is_known ? get_exact(ctx, schema, &asked, ret)
                        : compile_shared(ctx, schema, &asked, ret);
    plan_pin(ctx, plan);
    *ret = plan;
    return OK;
}
