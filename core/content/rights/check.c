#include "content/rights/check.h"

#include "content/plan/plan.h"
#include "content/run/run.h"

#include <assert.h>

struct question {
    enum action action;
    const struct grant *grant; /* NULL: every row */
};

static Err rule_column(struct compiler *c, struct select *select, const struct grant_rule *rule)
{
    struct pred *rows = NULL;
    const struct filter_value *filter;
    if (rule->filter != NULL) {
        TRY(filter_read(c->ctx, c->ctx->arena, rule->filter, &filter));
        TRY(filter_compile(c, select->root, filter, true, (struct place){0}, &rows));
    }
    if (rows == NULL)
        rows = pred_new(c, PRED_TRUE);
    column_add(c, select, (struct column){.kind = COLUMN_PRED, .mask = rows});
    return OK;
}

/* select key, rule, rule … from the collection where key = $1 and within the scope */
static Err compile_question(struct compiler *c, struct plan *plan, const void *arg)
{
    const struct question *question = arg;
    struct select *select = plan->root;
    const struct collection *collection = plan->collection;
    bool is_write = question->action != ACTION_READ && question->action != ACTION_SHARE;
    struct operand key = operand_of(select->root, collection->key);
    struct pred *by_key = pred_new(c, PRED_COMPARE);
    by_key->operand = key;
    by_key->operation = "=";
    by_key->value = value_of_param(c, param_new(c, PARAM_KEY));
    select->where = pred_and(c, by_key, scope_rows(c, select->root, is_write));
    TRY(column_add_field(c, select, NULL, key, &plan->key_column));
    for (uint32_t i = 0; question->grant != NULL && i < question->grant->rule_count; i++)
        TRY(rule_column(c, select, &question->grant->rules[i]));
    plan->is_unreadable = true;
    select->shape = arena_new(c->arena, struct shape);
    select->shape->is_key_only = true;
    select->shape->key = plan->key_column;
    return OK;
}

static bool *read_matches(struct ctx *ctx, const struct rows *rows, uint32_t count)
{
    bool *matches = arena_array(ctx->arena, bool, count + 1);
    for (uint32_t i = 0; i < count; i++)
        matches[i] = !row_is_null(rows, 0, 1 + i) && row_bool(rows, 0, 1 + i);
    return matches;
}

fiber_fn Err check_row(struct ctx *ctx, const struct schema *schema,
                       const struct collection *collection, enum action action,
                       const struct access *access, Str key, struct checked *ret)
{
    assert(access->is_full || access->grant != NULL);
    static const struct query NOTHING = {0};
    struct question question = {action, access->is_full ? NULL : access->grant};
    struct plan_request request = {
        .op = PLAN_CHECK,
        .collection = collection,
        .query = &NOTHING,
        .detail = str_from_z(action_name(action)),
        .extend = compile_question,
        .extend_arg = &question,
    };
    struct run run = {.ctx = ctx};
    *ret = (struct checked){0};
    if (!key_is_valid(collection->key, key))
        return OK;
    TRY(key_parse(ctx, collection, key, &run.key));
    TRY(plan_get(ctx, schema, &request, &run.plan));
    TRY(run_plan(&run));
    ret->is_there = run.rows.count > 0;
    if (ret->is_there && question.grant != NULL)
        ret->matches = read_matches(ctx, &run.rows, question.grant->rule_count);
    return OK;
}

bool rule_grants(const struct grant_rule *rule, Str field)
{
    struct grant alone = {.rules = rule, .rule_count = 1};
    return grant_allows_field(&alone, field);
}

static bool grants_all(const struct grant_rule *rule, const Str *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!rule_grants(rule, fields[i]))
            return false;
    return true;
}

bool check_grants(const struct access *access, const struct checked *row, const Str *fields,
                  uint32_t count)
{
    assert(count == 0 || fields != NULL);
    if (!row->is_there || access->is_full)
        return row->is_there;
    for (uint32_t i = 0; i < access->grant->rule_count; i++)
        if (row->matches[i] && grants_all(&access->grant->rules[i], fields, count))
            return true;
    return false;
}
