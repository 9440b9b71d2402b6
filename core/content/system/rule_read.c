/* Whether the caller may read a row that a comment, a share or a version is about. */
#include "access/grants/actor.h"
#include "content/run/run.h"
#include "content/system/system_rules.h"

#include <assert.h>

static const Str KEY_ONLY[] = {STR_INIT("")};

static fiber_fn Err row_is_readable(struct ctx *ctx, const struct schema *schema,
                                    const struct collection *collection, Str key, bool *ret)
{
    struct query query = {.fields = KEY_ONLY, .field_count = 1};
    struct plan_request request = {.op = PLAN_ONE, .collection = collection, .query = &query};
    struct run run = {.ctx = ctx};
    *ret = false;
    if (!key_is_valid(collection->key, key))
        return OK;
    TRY(key_parse(ctx, collection, key, &run.key));
    TRY(plan_get(ctx, schema, &request, &run.plan));
    TRY(run_plan(&run));
    *ret = run.rows.count > 0;
    return OK;
}

fiber_fn Err rule_find_readable(struct ctx *ctx, const struct schema *schema, Str collection,
                                Str key, bool *ret)
{
    const struct collection *found;
    struct items_target target = {collection, ITEMS_SYSTEM};
    TRY(plan_collection(ctx, schema, target, ACTION_READ, &found));
    return row_is_readable(ctx, schema, found, key, ret);
}

fiber_fn Err rule_check_readable(struct ctx *ctx, const struct schema *schema, Str collection,
                                 Str key)
{
    bool is_readable;
    TRY(rule_find_readable(ctx, schema, collection, key, &is_readable));
    /* The platform's administrators may refer to rows that do not exist yet. */
    if (is_readable || (ctx->actor->is_admin && ctx->scope.kind == SCOPE_PLATFORM))
        return OK;
    return fail(ctx, ERR_FORBIDDEN,
                "You don't have permission to perform \"read\" for collection \"%.*s\" or it does "
                "not exist.",
                STR_FMT(collection));
}
