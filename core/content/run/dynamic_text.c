/*
 * Dynamic variables as text instead of SQL parameters: for presets and validation.
 */
#include "base/system/clock.h"
#include "content/filter/filter.h"
#include "content/plan/sql_print.h"
#include "content/run/run.h"

#include <assert.h>

/* "$CURRENT_USER.role.name": runs one statement. */
static fiber_fn Err user_field(struct ctx *ctx, const struct schema *schema, Str text, Str *ret)
{
    struct compiler c = {.ctx = ctx,
                         .arena = ctx->arena,
                         .schema = schema,
                         .actor = ctx->actor,
                         .scope = ctx->scope.kind};
    struct value *value;
    assert(ctx->actor != NULL);
    bool is_dynamic = value_dynamic(&c, text, &value);
    assert(is_dynamic);
    struct select select = {.statement = {.lane = DB_READ}};
    struct sql sql = {.c = &c, .select = &select, .out = buf_in_arena(ctx->arena, PLAN_SQL_MAX)};
    sql_text(&sql, "select (");
    sql_value(&sql, value);
    sql_text(&sql, ")::text");
    buf_put_char(sql.out, '\0');
    TRY(buf_check(ctx, sql.out, "the statement"));
    select.statement.sql = sql.out->data;
    struct plan plan = {.schema = schema};
    struct run run = {.ctx = ctx, .plan = &plan};
    struct db_args args;
    struct rows rows;
    TRY(run_bind(&run, &select, &args));
    TRY(db_query(ctx, &select.statement, args, &rows));
    *ret = rows.count == 0 ? STR_NONE : row_text(&rows, 0, 0);
    return OK;
}

static Str own_uuid(struct ctx *ctx, Uuid uuid)
{
    return uuid_is_nil(uuid) ? STR_NONE : uuid_text(ctx->arena, uuid);
}

fiber_fn Err dynamic_text(struct ctx *ctx, const struct schema *schema, Str text, bool *ret_is,
                          Str *ret)
{
    enum dynamic_kind kind = dynamic_kind(text);
    *ret_is = kind != DYNAMIC_NONE;
    switch (kind) {
    case DYNAMIC_NONE:
    case DYNAMIC_ROLES:
    case DYNAMIC_POLICIES:
        *ret_is = false; /* a list is not a single value */
        return OK;
    case DYNAMIC_NOW:
        *ret = clock_iso(ctx->arena, clock_wall_us() + dynamic_shift_ms(text) * MS_US);
        return OK;
    case DYNAMIC_USER:
        *ret = own_uuid(ctx, ctx->actor->user);
        return OK;
    case DYNAMIC_ROLE:
        *ret = own_uuid(ctx, ctx->actor->role);
        return OK;
    case DYNAMIC_USER_FIELD:
    case DYNAMIC_ROLE_FIELD:
        return user_field(ctx, schema, text, ret);
    }
    return OK;
}
