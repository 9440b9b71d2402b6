#include "content/plan/plan.h"

#include "content/plan/sql_print.h"
#include "io/reactor/reactor.h"

#include <assert.h>

struct select *select_new(struct compiler *c, struct source *root)
{
    assert(root != NULL && c->arena != NULL);
    struct select *select = arena_new(c->arena, struct select);
    select->root = root;
    select->limit = -1;
    select->statement.lane = DB_READ;
    c->select_count++;
    return select;
}

Err select_check_count(struct compiler *c)
{
    if (c->select_count > PLAN_SELECTS_MAX)
        return fail(c->ctx, ERR_INVALID_QUERY, "More than %d to-many relations in one query",
                    PLAN_SELECTS_MAX);
    return OK;
}

Err plan_collection(struct ctx *ctx, const struct schema *schema, struct items_target target,
                    enum action action, const struct collection **ret)
{
    const struct collection *collection = schema_find(schema, target.collection);
    bool is_system_name = str_starts_with(target.collection, STR("directus_"));
    if (target.access == ITEMS_USER && is_system_name)
        return fail_plain(ctx, ERR_FORBIDDEN);
    struct compiler c = {.ctx = ctx, .actor = ctx->actor, .scope = ctx->scope.kind};
    struct access access;
    if (collection == NULL || !access_find(&c, collection, action, &access))
        return schema_forbidden_collection(ctx, target.collection, STR_NONE);
    assert(collection->key != NULL);
    *ret = collection;
    return OK;
}

/* Scope and grants: the rows that a request may see, independent of the query. */
static Err base_rows(struct compiler *c, struct select *select, const struct access *access)
{
    assert(access->is_full || access->grant != NULL);
    struct pred *granted;
    TRY(access_rows(c, select->root, access, &granted));
    select->where = pred_and(c, scope_rows(c, select->root, false), granted);
    return OK;
}

static Err requested_rows(struct compiler *c, struct select *select, const struct access *access,
                          const struct query *query)
{
    assert(!c->is_sharing && !query->is_unparsed);
    struct pred *filter;
    struct pred *search;
    c->is_sharing = c->sharing != NULL;
    Err err = filter_compile(c, select->root, query->filter, false, (struct place){0}, &filter);
    c->is_sharing = false;
    TRY(err);
    TRY(search_compile(c, select->root, access, query->search, &search));
    select->where = pred_and(c, pred_and(c, select->where, filter), search);
    select->statement.lane = lane_of_rows(select->root, select->where, search);
    return OK;
}

static Err count_select(struct compiler *c, const struct collection *collection,
                        const struct access *access, const struct query *query, struct select **ret)
{
    struct select *select = select_new(c, source_root(c, collection));
    select->is_counted = true;
    TRY(base_rows(c, select, access));
    if (query != NULL)
        TRY(requested_rows(c, select, access, query));
    TRY(select_print(c, select));
    *ret = select;
    return OK;
}

static struct pred *key_pred(struct compiler *c, struct select *select, bool is_list)
{
    assert(select->root->collection->key != NULL);
    struct operand key = operand_of(select->root, select->root->collection->key);
    return is_list ? pred_keys(c, key) : pred_key(c, key);
}

static bool is_aggregate(const struct query *query)
{
    return query->aggregate_count > 0 || query->group_by_count > 0;
}

/* The selected fields, of the rows on which one of them may be seen. */
static Err seen_rows(struct compiler *c, struct select *select, const struct access *access,
                     const struct query *query)
{
    TRY(shape_compile(c, select, select->root, access, query, (struct place){0}, &select->shape));
    select->where = pred_and(c, select->where, select->shape->seen);
    return OK;
}

static Err list_rows(struct compiler *c, struct plan *plan, const struct access *access,
                     const struct query *query)
{
    struct select *select = plan->root;
    plan->is_aggregated = is_aggregate(query);
    if (plan->is_aggregated)
        TRY(aggregate_check(c, plan->collection, access, query));
    TRY(base_rows(c, select, access));
    TRY(requested_rows(c, select, access, query));
    limit_compile(c, query, select);
    if (plan->collection->is_singleton)
        select->limit = 1;
    if (plan->is_aggregated)
        return aggregate_compile(c, select, access, query, false, (struct place){0});
    TRY(order_compile(c, select, access, query, NULL, (struct place){0}));
    return seen_rows(c, select, access, query);
}

/* Of a single row, the columns that mask its fields tell as well whether it is granted: the rules
 * are evaluated once. */
static Err row_by_key(struct compiler *c, struct plan *plan, const struct access *access,
                      const struct query *query)
{
    struct select *select = plan->root;
    struct pred *granted = NULL;
    TRY(seen_rows(c, select, access, query));
    plan->readable = select->shape->granting;
    plan->readable_count = select->shape->granting_count;
    if (plan->readable_count == 0)
        TRY(access_rows(c, select->root, access, &granted));
    select->where = pred_and(c, select->where, granted);
    return OK;
}

static Err keyed_rows(struct compiler *c, struct plan *plan, const struct access *access,
                      const struct query *query, bool is_list)
{
    struct select *select = plan->root;
    const struct field *own_key = plan->collection->key;
    assert(own_key != NULL);
    plan->is_aggregated = is_aggregate(query);
    if (plan->is_aggregated)
        TRY(aggregate_check(c, plan->collection, access, query));
    if (!access_field(access, own_key)) /* asking by key is a filter */
        return forbid_field(c, plan->collection, own_key->name, (struct place){0});
    select->where = key_pred(c, select, is_list);
    struct pred *by_key = select->where;
    bool is_one = !is_list && !plan->is_aggregated && !key_may_repeat(c, plan->collection);
    if (is_one)
        select->where = scope_rows(c, select->root, false);
    else
        TRY(base_rows(c, select, access));
    select->where = pred_and(c, by_key, select->where);
    TRY(requested_rows(c, select, access, query));
    if (query->has_limit || query->offset > 0 || query->page > 0)
        limit_compile(c, query, select);
    if (plan->is_aggregated)
        return aggregate_compile(c, select, access, query, false, (struct place){0});
    if (is_list || query->sort_count > 0)
        TRY(order_compile(c, select, access, query, NULL, (struct place){0}));
    struct operand key = operand_of(select->root, select->root->collection->key);
    if (is_list && key_may_repeat(c, plan->collection))
        TRY(column_add_field(c, select, NULL, key, &plan->key_column));
    return is_one ? row_by_key(c, plan, access, query) : seen_rows(c, select, access, query);
}

static Err only_keys(struct compiler *c, struct plan *plan, const struct access *access,
                     const struct query *query)
{
    struct select *select = plan->root;
    TRY(base_rows(c, select, access));
    TRY(requested_rows(c, select, access, query));
    limit_compile(c, query, select);
    TRY(order_compile(c, select, access, query, NULL, (struct place){0}));
    static const Str KEY_ONLY[] = {STR_INIT("")};
    struct query keys = {.fields = KEY_ONLY, .field_count = 1};
    return shape_compile(c, select, select->root, access, &keys, (struct place){0}, &select->shape);
}

static Err compile_op(struct compiler *c, struct plan *plan, const struct plan_request *request)
{
    struct access access;
    bool is_read = request->op <= PLAN_ONLY_KEYS;
    if (is_read && !access_find(c, plan->collection, ACTION_READ, &access))
        return schema_forbidden_collection(c->ctx, plan->collection->name, STR_NONE);
    switch (request->op) {
    case PLAN_LIST:
        return list_rows(c, plan, &access, request->query);
    case PLAN_ONE:
        return keyed_rows(c, plan, &access, request->query, false);
    case PLAN_KEYS:
        return keyed_rows(c, plan, &access, request->query, true);
    case PLAN_ONLY_KEYS:
        return only_keys(c, plan, &access, request->query);
    default:
        assert(request->op > PLAN_ONLY_KEYS && request->extend != NULL);
        return request->extend(c, plan, request->extend_arg);
    }
}

static Err compile_counts(struct compiler *c, struct plan *plan, const struct query *query)
{
    struct access access;
    if (!access_find(c, plan->collection, ACTION_READ, &access))
        return OK;
    if ((query->meta & META_TOTAL_COUNT) != 0)
        TRY(count_select(c, plan->collection, &access, NULL, &plan->total));
    if ((query->meta & META_FILTER_COUNT) != 0)
        TRY(count_select(c, plan->collection, &access, query, &plan->filter));
    return OK;
}

static struct plan *plan_new(const struct schema *schema, const struct plan_request *request)
{
    assert(schema->references > 0 && request->collection != NULL);
    struct arena *arena = arena_create();
    struct plan *plan = arena_new(arena, struct plan);
    *plan = (struct plan){
        .arena = arena,
        .references = 1,
        .schema = schema,
        .collection = request->collection,
        .is_single = request->op == PLAN_ONE,
    };
    ((struct schema *)schema)->references++;
    arena_defer(arena, schema_unref, (void *)schema);
    return plan;
}

Err plan_compile(struct ctx *ctx, const struct schema *schema, const struct plan_request *request,
                 struct plan **ret)
{
    struct plan *plan = plan_new(schema, request);
    struct compiler c = {
        .ctx = ctx,
        .arena = plan->arena,
        .schema = schema,
        .actor = ctx->actor,
        .scope = ctx->scope.kind,
        .limit_default = ctx->reactor == NULL ? 100 : ctx->reactor->settings->query_limit_default,
        .limit_max = ctx->reactor == NULL ? 10000 : ctx->reactor->settings->query_limit_max,
    };
    c.has_no_backlinks = request->query->has_no_backlinks;
    struct sharing sharing = {.of = request->lifted};
    if (request->lifted != NULL)
        c.sharing = &sharing;
    assert(!request->query->is_unparsed);
    plan->root = select_new(&c, source_root(&c, request->collection));
    Err err = compile_op(&c, plan, request);
    if (err == OK && request->op == PLAN_ONE && request->extend != NULL)
        err = request->extend(&c, plan, request->extend_arg);
    if (err == OK && request->op == PLAN_LIST)
        err = compile_counts(&c, plan, request->query);
    if (err == OK)
        err = select_print(&c, plan->root);
    if (err == ERR_FORBIDDEN && request->op <= PLAN_ONLY_KEYS)
        err = refusal_tell(&c, request->collection, request->query, err);
    plan->branch_count = c.branch_count;
    if (err == OK && request->lifted != NULL)
        plan_keep_shared(plan, &sharing);
    if (err != OK) {
        plan_unref(plan);
        return err;
    }
    *ret = plan;
    return OK;
}

void plan_unref(void *object)
{
    struct plan *plan = object;
    if (plan == NULL)
        return;
    assert(plan->references > 0);
    if (--plan->references == 0)
        arena_destroy(plan->arena);
}
