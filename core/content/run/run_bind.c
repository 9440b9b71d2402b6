/*
 * Parameters of an execution: constants of the plan, the scope's site, the current user, the time.
 */
#include "base/system/clock.h"
#include "content/run/run.h"
#include "content/schema/schema.h"

#include <assert.h>

static void put_element(struct buf *out, Str text)
{
    buf_put_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            buf_put_char(out, '\\');
        buf_put_char(out, text.data[i]);
    }
    buf_put_char(out, '"');
}

Str run_array_literal(struct arena *arena, const Str *items, uint32_t count)
{
    assert(count == 0 || items != NULL);
    size_t room = 8;
    for (uint32_t i = 0; i < count; i++)
        room += items[i].len * 2 + 3;
    struct buf *out = buf_in_arena(arena, room);
    buf_put_char(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_put_char(out, ',');
        put_element(out, items[i]);
    }
    buf_put_char(out, '}');
    return buf_str(out);
}

bool dynamic_list(struct ctx *ctx, const struct schema *schema, Str text, const Str **ret,
                  uint32_t *ret_count)
{
    enum dynamic_kind kind = dynamic_kind(text);
    if (kind != DYNAMIC_ROLES && kind != DYNAMIC_POLICIES)
        return false;
    Uuid roles[ROLE_CHAIN_MAX];
    const struct policy_set *policies = ctx->actor->policies;
    const Uuid *ids = roles;
    if (kind == DYNAMIC_ROLES) {
        *ret_count = schema_role_chain(schema, ctx->actor->role, roles);
    } else {
        ids = policies == NULL ? NULL : policies->ids;
        *ret_count = policies == NULL ? 0 : policies->count;
    }
    Str *texts = arena_array(ctx->arena, Str, *ret_count + 1);
    for (uint32_t i = 0; i < *ret_count; i++)
        texts[i] = uuid_text(ctx->arena, ids[i]);
    *ret = texts;
    return true;
}

static Str list_literal(struct run *run, Str variable)
{
    const Str *texts;
    uint32_t count;
    bool is_list = dynamic_list(run->ctx, run->plan->schema, variable, &texts, &count);
    assert(is_list);
    return run_array_literal(run->ctx->arena, texts, count);
}

static Str own_uuid(struct run *run, Uuid uuid)
{
    return uuid_is_nil(uuid) ? STR_NONE : uuid_text(run->ctx->arena, uuid);
}

static Err text_of(struct run *run, const struct param *param, Str *ret)
{
    struct ctx *ctx = run->ctx;
    switch (param->kind) {
    case PARAM_TEXT:
        *ret =
            param->shared > 0 && run->values != NULL ? run->values[param->shared - 1] : param->text;
        return OK;
    case PARAM_NOW:
        *ret = clock_iso(ctx->arena, clock_wall_us() + param->shift_ms * MS_US);
        return OK;
    case PARAM_NOW_MS:
        *ret = str_printf(ctx->arena, "%jd", (intmax_t)(clock_wall_us() / MS_US + param->shift_ms));
        return OK;
    case PARAM_USER:
        *ret = own_uuid(run, ctx->actor->user);
        return OK;
    case PARAM_ROLE:
        *ret = own_uuid(run, ctx->actor->role);
        return OK;
    case PARAM_ROLES:
        *ret = list_literal(run, STR("$CURRENT_ROLES"));
        return OK;
    default:
        assert(param->kind == PARAM_POLICIES);
        *ret = list_literal(run, STR("$CURRENT_POLICIES"));
        return OK;
    }
}

/* Elements that are lists ($CURRENT_ROLES and others) are spliced in. Null is not left out: no row
 * is known to differ from it. */
static Err list_text(struct run *run, const struct param *list, Str *ret)
{
    struct buf *out = buf_in_arena(run->ctx->arena, PLAN_SQL_MAX * 8);
    buf_put_char(out, '{');
    for (uint32_t i = 0; i < list->item_count; i++) {
        Str text;
        TRY(text_of(run, list->items[i], &text));
        bool is_list =
            list->items[i]->kind == PARAM_ROLES || list->items[i]->kind == PARAM_POLICIES;
        Str inner = is_list ? str_slice(text, 1, text.len - 1) : text;
        if (out->len > 1 && (!is_list || inner.len > 0))
            buf_put_char(out, ',');
        if (is_list)
            buf_put(out, inner);
        else if (text.data == NULL)
            buf_put(out, STR("NULL"));
        else
            put_element(out, text);
    }
    buf_put_char(out, '}');
    if (out->is_full)
        return fail(run->ctx, ERR_INVALID_QUERY, "The query is too large");
    *ret = buf_str(out);
    return OK;
}

static Err bind_one(struct run *run, const struct param *param, DbArg *ret)
{
    Str text = STR_NONE;
    switch (param->kind) {
    case PARAM_SITE:
        *ret = db_uuid(run->ctx->scope.site);
        return OK;
    case PARAM_KEY:
        *ret = run->key;
        return OK;
    case PARAM_KEYS:
        *ret = run->keys;
        return OK;
    case PARAM_ARGUMENT:
        assert(param->index < run->argument_count);
        *ret = run->arguments[param->index];
        return OK;
    case PARAM_LIST:
        TRY(list_text(run, param, &text));
        break;
    default:
        TRY(text_of(run, param, &text));
    }
    *ret = db_text_z(text);
    return OK;
}

Err run_bind(struct run *run, const struct select *select, struct db_args *ret)
{
    assert(select->param_count == 0 || select->params != NULL);
    DbArg *list = arena_array(run->ctx->arena, DbArg, select->param_count + 1);
    for (uint32_t i = 0; i < select->param_count; i++)
        TRY(bind_one(run, select->params[i], &list[i]));
    *ret = (struct db_args){list, select->param_count};
    return OK;
}
