#include "access/identity/admin_user.h"

#include "base/crypto/crypto.h"
#include "base/settings/settings.h"
#include "gen/sql.h"
#include "io/fiber/offload.h"
#include "io/pg/db.h"
#include "io/reactor/reactor.h"

#include <assert.h>

struct hash_call {
    struct arena *arena;
    Str password;
    Str hash;
};

static void hash_run(void *arg)
{
    struct hash_call *call = arg;
    assert(call->password.len > 0);
    call->hash = password_hash(call->arena, call->password);
}

fiber_fn Err admin_user_ensure(struct ctx *ctx, bool *ret_created)
{
    const struct settings *settings = ctx->reactor->settings;
    *ret_created = false;
    struct rows rows;
    TRY(db_query_platform(reactor_platform(ctx), &SQL_ADMIN_EXISTS, NO_ARGS, &rows));
    assert(rows.count == 1);
    if (row_int(&rows, 0, ADMIN_EXISTS_COUNT) > 0 || settings->admin_password.len == 0)
        return OK;

    struct hash_call call = {.arena = ctx->arena, .password = settings->admin_password};
    TRY(offload_run(ctx, ctx->reactor->offload, hash_run, &call));
    TRY(db_query_platform(
        reactor_platform(ctx), &SQL_ADMIN_CREATE,
        ARGS(db_uuid(uuid_make()), db_text(settings->admin_email), db_text(call.hash)), &rows));
    *ret_created = rows.affected == 1;
    assert(rows.affected <= 1);
    return OK;
}

static Err report(struct ctx *ctx, const struct db_error *error, Err err)
{
    return fail(ctx, err, "%.*s", STR_FMT(error->message));
}

const struct db_error_rule LAST_ADMIN_ERROR = {"SPA01", ERR_UNPROCESSABLE, report};
const struct db_error_rule ROLE_CIRCLE_ERROR = {"SPA02", ERR_INVALID_PAYLOAD, report};
