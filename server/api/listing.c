#include "server/api/listing.h"

#include <assert.h>

DbArg listing_site(const struct ctx *ctx)
{
    assert(ctx->scope.kind != SCOPE_NONE);
    return ctx->scope.kind == SCOPE_SITE ? db_uuid(ctx->scope.site) : db_null();
}
