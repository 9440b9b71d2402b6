/*
 * /permissions/me: what the caller may do, with all collections or with one row.
 */
#include "access/grants/app_access.h"
#include "base/memory/array.h"
#include "content/filter/filter_eval.h"
#include "content/items/items.h"
#include "content/plan/plan.h"
#include "content/rights/check.h"
#include "content/rights/merged.h"
#include "content/rights/rights.h"
#include "content/run/run.h"

#include <assert.h>
#include <stdlib.h>

static struct compiler compiler_of(struct ctx *ctx)
{
    assert(ctx->actor != NULL);
    return (struct compiler){.ctx = ctx, .actor = ctx->actor, .scope = ctx->scope.kind};
}

static void put_access(struct json_writer *w, const char *level)
{
    json_field_str(w, "access", str_from_z(level));
}

static fiber_fn Err put_action(struct ctx *ctx, const struct schema *schema, struct json_writer *w,
                               const struct collection *collection, enum action action)
{
    struct compiler c = compiler_of(ctx);
    struct access access;
    json_key(w, str_from_z(action_name(action)));
    json_object_begin(w);
    if (!access_find(&c, collection, action, &access)) {
        put_access(w, "none");
    } else if (access.is_full) {
        put_access(w, "full");
        json_field_raw(w, "fields", STR("[\"*\"]"));
    } else {
        put_access(w, merged_is_partial(access.grant) ? "partial" : "full");
        merged_put_fields(ctx, w, access.grant);
        TRY(merged_put_presets(ctx, schema, w, access.grant));
    }
    json_object_end(w);
    return OK;
}

static bool is_visible(struct ctx *ctx, const struct collection *collection)
{
    struct compiler c = compiler_of(ctx);
    struct access access;
    for (int i = 0; i < ACTION_COUNT; i++)
        if (access_find(&c, collection, (enum action)i, &access))
            return true;
    return false;
}

static fiber_fn Err put_collection(struct ctx *ctx, const struct schema *schema,
                                   struct json_writer *w, const struct collection *collection)
{
    if (!is_visible(ctx, collection))
        return OK;
    json_key(w, collection->name);
    json_object_begin(w);
    for (int i = 0; i < ACTION_COUNT; i++)
        TRY(put_action(ctx, schema, w, collection, (enum action)i));
    json_object_end(w);
    return OK;
}

static int compare_names(const void *a, const void *b)
{
    return str_cmp((*(const struct collection *const *)a)->name,
                   (*(const struct collection *const *)b)->name);
}

/* An administrator has no rules: every collection. */
static fiber_fn Err put_everything(struct ctx *ctx, const struct schema *schema,
                                   struct json_writer *w)
{
    assert(ctx->actor->is_admin);
    const struct collection **list =
        arena_array(ctx->arena, const struct collection *, schema->collections->count + 1);
    uint32_t count = 0;
    uint32_t cursor = 0;
    for (const struct map_slot *slot; (slot = map_next(schema->collections, &cursor)) != NULL;)
        list[count++] = slot->value;
    assert(count == schema->collections->count);
    qsort(list, count, sizeof list[0], compare_names);
    for (uint32_t i = 0; i < count; i++) {
        TRY(fiber_breathe(ctx));
        TRY(put_collection(ctx, schema, w, list[i]));
    }
    return OK;
}

fiber_fn Err rights_put_mine(struct ctx *ctx, struct json_writer *w)
{
    assert(ctx->actor != NULL);
    const struct schema *schema;
    TRY(schema_current(ctx, &schema));
    json_object_begin(w);
    if (ctx->actor->is_admin) {
        TRY(put_everything(ctx, schema, w));
    } else {
        const struct collection_grants *granted = NULL;
        while ((granted = grants_next(ctx->actor->grants, granted)) != NULL) {
            const struct collection *collection = schema_find(schema, grants_name(granted));
            if (collection != NULL)
                TRY(put_collection(ctx, schema, w, collection));
        }
    }
    json_object_end(w);
    return OK;
}

/* The key of the row of a singleton; STR_NONE: there is none. */
static fiber_fn Err singleton_key(struct ctx *ctx, const struct schema *schema,
                                  const struct collection *collection, Str *ret)
{
    assert(collection->is_singleton);
    static const struct query FIRST = {.has_limit = true, .limit = 1};
    struct compiler c = compiler_of(ctx);
    struct access access;
    *ret = STR_NONE;
    if (!access_find(&c, collection, ACTION_READ, &access))
        return OK;
    struct run run = {.ctx = ctx};
    struct plan_request request = {.op = PLAN_ONLY_KEYS, .collection = collection, .query = &FIRST};
    TRY(plan_get(ctx, schema, &request, &run.plan));
    TRY(run_plan(&run));
    if (run.rows.count > 0)
        *ret = key_of_row(ctx->arena, &run.rows, 0, run.plan->root->shape->key);
    return OK;
}

static bool has_open_rule(const struct access *access)
{
    assert(access->is_full || access->grant != NULL);
    if (access->is_full)
        return true;
    for (uint32_t i = 0; i < access->grant->rule_count; i++)
        if (access->grant->rules[i].filter == NULL)
            return true;
    return false;
}

/* Administrators of the platform are not asked about rows: as in Directus, they may do everything
 * with whatever exists. */
static fiber_fn Err may_act(struct ctx *ctx, const struct schema *schema,
                            const struct collection *collection, const struct access *access,
                            enum action action, Str key, bool *ret)
{
    assert(collection->key != NULL && action != ACTION_CREATE);
    *ret = true;
    if (access->is_full && ctx->scope.kind == SCOPE_PLATFORM)
        return OK;
    if (key.len == 0 && !collection->is_singleton)
        return OK;
    if (key.len == 0)
        TRY(singleton_key(ctx, schema, collection, &key));
    if (key.len == 0) {
        *ret = has_open_rule(access);
        return OK;
    }
    struct checked row;
    TRY(check_row(ctx, schema, collection, action, access, key, &row));
    *ret = check_grants(access, &row, NULL, 0);
    return OK;
}

fiber_fn Err rights_may(struct ctx *ctx, const struct schema *schema,
                        const struct collection *collection, enum action action, Str key, bool *ret)
{
    assert(collection->key != NULL && key.len > 0);
    struct compiler c = compiler_of(ctx);
    struct access access;
    *ret = false;
    if (!access_find(&c, collection, action, &access))
        return OK;
    return may_act(ctx, schema, collection, &access, action, key, ret);
}

static fiber_fn Err put_item_action(struct ctx *ctx, const struct schema *schema,
                                    const struct collection *collection, Str key,
                                    enum action action, struct json_writer *w)
{
    assert(action != ACTION_CREATE && action != ACTION_READ);
    struct compiler c = compiler_of(ctx);
    struct access access = {0};
    bool may = false;
    if (collection == NULL)
        may = ctx->actor->is_admin && ctx->scope.kind == SCOPE_PLATFORM;
    else if (access_find(&c, collection, action, &access))
        TRY(may_act(ctx, schema, collection, &access, action, key, &may));
    json_key(w, str_from_z(action_name(action)));
    json_object_begin(w);
    json_field_bool(w, "access", may);
    if (may && action == ACTION_UPDATE && access.grant != NULL && collection->is_singleton) {
        merged_put_fields(ctx, w, access.grant);
        TRY(merged_put_presets(ctx, schema, w, access.grant));
    }
    json_object_end(w);
    return OK;
}

fiber_fn Err rights_put_item(struct ctx *ctx, Str collection, Str key, struct json_writer *w)
{
    static const enum action ACTIONS[] = {ACTION_UPDATE, ACTION_DELETE, ACTION_SHARE};
    const struct schema *schema;
    assert(ctx->actor != NULL);
    TRY(schema_current(ctx, &schema));
    const struct collection *found = schema_find(schema, collection);
    if (found != NULL && found->key == NULL)
        found = NULL;
    json_object_begin(w);
    for (size_t i = 0; i < COUNT_OF(ACTIONS); i++)
        TRY(put_item_action(ctx, schema, found, key, ACTIONS[i], w));
    json_object_end(w);
    return OK;
}
