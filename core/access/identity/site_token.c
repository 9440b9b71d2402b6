#include "access/identity/site_token.h"

#include "access/audit/audit.h"
#include "access/identity/cache.h"
#include "base/crypto/crypto.h"
#include "gen/sql.h"
#include "io/pg/db.h"

#include <assert.h>

enum { TOKEN_LEN = 43 /* × 6 bits: 258 */ };

fiber_fn Err site_token_create(struct platform platform, const struct site_token_request *request,
                               Uuid *ret_id, Str *ret_token)
{
    struct ctx *ctx = platform.ctx;
    struct access_cache *cache;
    TRY(access_cache_current(ctx, &cache));
    if (!cache->has_sites)
        return fail(ctx, ERR_NOT_FOUND, "There are no sites in this database.");
    Uuid id = uuid_make();
    Str token = random_token(ctx->arena, TOKEN_LEN);
    Sha256 hash = sha256(token);
    Str scopes[] = {STR("read"), STR("write")};
    struct rows rows;
    TRY(db_query_platform(
        platform, &SQL_SITE_TOKEN_CREATE,
        site_token_create_args(
            ctx->arena,
            &(struct site_token_create_args){
                .id = id,
                .site = request->site,
                .name = request->name,
                .token_hash = str_of((const char *)hash.bytes, sizeof hash.bytes),
                .scopes = {scopes, request->may_write ? 2 : 1},
                .expires_at = request->expires_wall_us > 0 ? &request->expires_wall_us : NULL,
                .audit_user = audit_user(ctx),
                .audit_actor = audit_actor(ctx),
                .audit_ip = audit_ip(ctx),
            }),
        &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such site.");
    assert(rows.count == 1);
    *ret_id = id;
    *ret_token = token;
    return OK;
}
