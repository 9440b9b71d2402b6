/* Users: what only the routes of two-factor authentication may set. */
#include "content/system/system_rules.h"

#include <assert.h>

static fiber_fn Err before(struct ctx *ctx, const struct rules_write *write,
                           const struct json **ret)
{
    assert(write->tx != NULL);
    const struct json *secret = json_get(write->body, STR("tfa_secret"));
    *ret = write->body;
    /* In a site no account is written at all: items refuses it without saying why. */
    if (ctx->scope.kind != SCOPE_SITE && secret != NULL && !json_is_null(secret))
        return fail(ctx, ERR_INVALID_PAYLOAD, "You can't change the \"tfa_secret\" value manually");
    return OK;
}

const struct collection_rules USERS_RULES = {
    .collection = STR_INIT("directus_users"),
    .before = before,
};
