/*
 * From a query to its plan, through the cache.
 *
 * A plan is cached under the fingerprint of its query. A read with a query string is first looked
 * up by its text, with plain values taken out (query_shape) or unchanged; a hit needs no parsing.
 */
#include "base/memory/array.h"
#include "content/plan/plan.h"
#include "io/reactor/reactor.h"

#include <assert.h>

enum key_kind { KEY_FINGERPRINT, KEY_TEXT, KEY_SHAPE };

/* Everything a plan depends on, except the snapshot, which owns the cache. */
static Str key_of(struct ctx *ctx, const struct plan_request *request, enum key_kind kind, Str text)
{
    assert(kind <= KEY_SHAPE && ctx->actor != NULL);
    struct head {
        uint64_t grants;
        uint8_t op;
        uint8_t scope;
        uint8_t is_admin;
        uint8_t is_machinery; /* writes no activity */
        uint8_t kind;         /* the text of a shape may equal that of another query */
        uint8_t zero[3];
    } head = {
        .grants = ctx->actor->is_admin ? 0 : grants_id(ctx->actor->grants),
        .op = (uint8_t)request->op,
        .scope = (uint8_t)ctx->scope.kind,
        .is_admin = ctx->actor->is_admin,
        .is_machinery = ctx->actor->kind == ACTOR_MACHINERY,
        .kind = (uint8_t)kind,
    };
    const Str parts[] = {request->collection->name, STR_INIT("\0"), request->detail, STR_INIT("\0"),
                         text};
    size_t len = sizeof head;
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        len += parts[i].len;
    char *key = arena_alloc_raw(ctx->arena, len);
    char *to = key;
    memcpy(to, &head, sizeof head);
    to += sizeof head;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (parts[i].len > 0)
            memcpy(to, parts[i].data, parts[i].len);
        to += parts[i].len;
    }
    return str_of(key, len);
}

static bool may_cache(const struct ctx *ctx, const struct plan_request *request, Str text)
{
    /* The grants of a share are made for each request. */
    return ctx->reactor != NULL && ctx->actor != NULL && ctx->actor->kind != ACTOR_SHARE &&
           text.data != NULL && text.len + request->detail.len <= PLAN_CACHE_TEXT_MAX;
}

static void pin(struct ctx *ctx, struct plan *plan)
{
    assert(plan->references > 0);
    plan->references++;
    arena_defer(ctx->arena, plan_unref, plan);
}

/* Takes over the caller's reference. */
static void keep(struct ctx *ctx, const struct schema *schema, Str key, struct plan *plan,
                 const struct plan_binding *binding)
{
    assert(key.len > 0 && plan != NULL);
    struct plan_cache *plans = plan_cache_of(ctx->reactor, schema);
    if (plans != NULL)
        plan_cache_add(plans, key, plan, binding);
    else
        plan_unref(plan);
}

static struct plan *look_up(struct ctx *ctx, const struct schema *schema, Str key,
                            const struct plan_binding **ret_binding)
{
    assert(key.len > 0);
    struct plan_cache *plans = plan_cache_of(ctx->reactor, schema);
    return plans == NULL ? NULL : plan_cache_find(plans, key, ret_binding);
}

/*
 * One plan for all queries of a fingerprint. While such a plan is compiled, each literal that was
 * lifted out of the query is recorded where the query's own filter compares a field with it. The
 * plan is shared only if every literal became a parameter. A later query with the same fingerprint
 * is then not compiled: its literals are checked against the same fields and bound. A literal that
 * does not fit (a fraction for an integer, an invalid date) causes a full compilation, which also
 * reports the error.
 */

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

/* A plan for one query, with its values as constants. */
static Err get_alone(struct ctx *ctx, const struct schema *schema,
                     const struct plan_request *request, Str fingerprint, struct plan **ret)
{
    bool is_kept = may_cache(ctx, request, fingerprint);
    Str key = is_kept ? key_of(ctx, request, KEY_FINGERPRINT, fingerprint) : STR_NONE;
    struct plan *plan = is_kept ? look_up(ctx, schema, key, NULL) : NULL;
    if (plan == NULL) {
        TRY(plan_compile(ctx, schema, request, &plan));
        pin(ctx, plan);
        if (is_kept)
            keep(ctx, schema, key, plan, NULL);
        else
            plan_unref(plan);
    } else {
        pin(ctx, plan);
    }
    *ret = plan;
    return OK;
}

static bool bind_literals(struct ctx *ctx, const struct plan *plan,
                          const struct query_fingerprint *fingerprint, const Str **ret)
{
    assert(fingerprint->count <= FINGERPRINT_LITERALS_MAX);
    Str literals[FINGERPRINT_LITERALS_MAX];
    for (uint32_t i = 0; i < fingerprint->count; i++)
        literals[i] = fingerprint->literals[i]->text;
    return plan_bind(ctx, plan, literals, fingerprint->count, ret);
}

/* *lifted: the literals of the query if the plan is shared; else empty. */
static Err get_parsed(struct ctx *ctx, const struct schema *schema,
                      const struct plan_request *request, struct query_fingerprint *lifted,
                      struct plan **ret)
{
    assert(!request->query->is_unparsed);
    struct query_fingerprint whole;
    query_fingerprint(ctx->arena, request->query, request->ret_values != NULL, lifted);
    if (lifted->count == 0)
        return get_alone(ctx, schema, request, lifted->text, ret);
    struct plan_request attempt = *request;
    struct plan *plan = NULL;
    bool is_kept = may_cache(ctx, request, lifted->text);
    Str key = is_kept ? key_of(ctx, request, KEY_FINGERPRINT, lifted->text) : STR_NONE;
    if (is_kept)
        plan = look_up(ctx, schema, key, NULL);
    if (plan != NULL && bind_literals(ctx, plan, lifted, request->ret_values)) {
        pin(ctx, plan);
        *ret = plan;
        return OK;
    }
    if (is_kept && plan == NULL) {
        attempt.lifted = lifted;
        TRY(plan_compile(ctx, schema, &attempt, &plan));
        pin(ctx, plan);
        if (plan->shared_count == lifted->count) {
            keep(ctx, schema, key, plan, NULL);
            *ret = plan;
            return OK;
        }
        plan_unref(plan);
    }
    query_fingerprint(ctx->arena, request->query, false, &whole);
    lifted->count = 0;
    return get_alone(ctx, schema, request, whole.text, ret);
}

/* The index of the literal with this text; false unless there is exactly one. */
static bool find_literal(const struct query_fingerprint *lifted, Str text, uint32_t *ret)
{
    assert(lifted->count <= FINGERPRINT_LITERALS_MAX);
    uint32_t matches = 0;
    for (uint32_t i = 0; i < lifted->count; i++) {
        if (!str_eq(lifted->literals[i]->text, text))
            continue;
        matches++;
        *ret = i;
    }
    return matches == 1;
}

/*
 * Maps the values of the text's shape to literals. False if the mapping is ambiguous, or if the
 * shape took out a value that is not a literal: then only the whole text is a key.
 */
static bool bind_shape(const struct query_shape *shape, const struct query_fingerprint *lifted,
                       struct plan_binding *binding)
{
    uint32_t behind = 0;
    for (uint32_t i = 0; i < lifted->count; i++)
        behind += !lifted->is_beside[i] && lifted->literals[i]->kind == FILTER_TEXT;
    if (shape->count == 0 || behind != shape->count)
        return false;
    for (uint32_t i = 0; i < shape->count; i++) {
        uint32_t literal;
        if (!find_literal(lifted, shape->values[i], &literal) || lifted->is_beside[literal] ||
            lifted->literals[literal]->kind != FILTER_TEXT)
            return false;
        binding->values[literal].shaped = i + 1;
    }
    return true;
}

static Err get_by_parsing(struct ctx *ctx, const struct schema *schema,
                          const struct plan_request *request, const struct query_shape *shape,
                          bool is_shape_known, struct plan **ret)
{
    assert(request->query->is_unparsed);
    struct query query;
    struct query_fingerprint lifted;
    struct plan_request attempt = *request;
    Str text = request->query->text;
    TRY(query_parse(ctx, text, &query));
    attempt.query = &query;
    TRY(get_parsed(ctx, schema, &attempt, &lifted, ret));
    if (!may_cache(ctx, request, text))
        return OK;
    struct plan_binding binding = {.count = lifted.count};
    struct plan_binding shaped = binding;
    for (uint32_t i = 0; i < lifted.count; i++)
        binding.values[i].text = shaped.values[i].text = lifted.literals[i]->text;
    bool by_shape = !is_shape_known && bind_shape(shape, &lifted, &shaped);
    (*ret)->references++;
    if (by_shape)
        keep(ctx, schema, key_of(ctx, request, KEY_SHAPE, shape->text), *ret, &shaped);
    else
        keep(ctx, schema, key_of(ctx, request, KEY_TEXT, text), *ret, &binding);
    return OK;
}

static bool bind_text(struct ctx *ctx, const struct plan *plan, const struct plan_binding *binding,
                      const struct query_shape *shape, const Str **ret)
{
    assert(binding->count <= FINGERPRINT_LITERALS_MAX);
    Str literals[FINGERPRINT_LITERALS_MAX];
    for (uint32_t i = 0; i < binding->count; i++) {
        uint32_t shaped = binding->values[i].shaped;
        assert(shaped <= shape->count);
        literals[i] = shaped == 0 ? binding->values[i].text : shape->values[shaped - 1];
    }
    return binding->count == 0 || plan_bind(ctx, plan, literals, binding->count, ret);
}

static Err get_by_text(struct ctx *ctx, const struct schema *schema,
                       const struct plan_request *request, struct plan **ret)
{
    Str text = request->query->text;
    struct query_shape shape = query_shape(ctx->arena, text);
    const struct plan_binding *binding;
    struct plan *plan = NULL;
    bool is_shape_known = false;
    assert(request->ret_values != NULL);
    if (!may_cache(ctx, request, text))
        return get_by_parsing(ctx, schema, request, &shape, false, ret);
    if (shape.count > 0)
        plan = look_up(ctx, schema, key_of(ctx, request, KEY_SHAPE, shape.text), &binding);
    is_shape_known = plan != NULL;
    if (plan == NULL || !bind_text(ctx, plan, binding, &shape, request->ret_values)) {
        plan = look_up(ctx, schema, key_of(ctx, request, KEY_TEXT, text), &binding);
        if (plan == NULL || !bind_text(ctx, plan, binding, &shape, request->ret_values))
            return get_by_parsing(ctx, schema, request, &shape, is_shape_known, ret);
    }
    pin(ctx, plan);
    *ret = plan;
    return OK;
}

Err plan_get(struct ctx *ctx, const struct schema *schema, const struct plan_request *request,
             const struct plan **ret)
{
    struct plan *plan;
    struct query_fingerprint lifted;
    if (request->query->is_unparsed)
        TRY(get_by_text(ctx, schema, request, &plan));
    else
        TRY(get_parsed(ctx, schema, request, &lifted, &plan));
    *ret = plan;
    return OK;
}
