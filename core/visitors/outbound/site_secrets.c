#include "access/audit/audit.h"
#include "base/crypto/seal.h"
#include "gen/sql.h"
#include "io/reactor/reactor.h"
#include "visitors/outbound/outbound.h"

#include <assert.h>

bool site_secret_name_is_known(Str name)
{
    static const Str PREFIX = STR_INIT(SECRET_WEBHOOK ":");
    if (str_eq(name, STR(SECRET_FACEBOOK)) || str_eq(name, STR(SECRET_GOOGLE)) ||
        str_eq(name, STR(SECRET_WEBHOOK)))
        return true;
    Uuid form;
    char text[UUID_TEXT_LEN];
    if (!str_starts_with(name, PREFIX) || !uuid_parse(str_slice(name, PREFIX.len, name.len), &form))
        return false;
    uuid_write(form, text); /* canonical name: lower case */
    return str_eq(str_slice(name, PREFIX.len, name.len), str_of(text, sizeof text));
}

/* Binds the ciphertext to its row: copied to another row, it cannot be decrypted. */
static Str purpose_of(struct ctx *ctx, Uuid site, Str name)
{
    return str_printf(ctx->arena, "secret %.*s of site %.*s", STR_FMT(name),
                      STR_FMT(uuid_text(ctx->arena, site)));
}

static fiber_fn Err site_check(struct platform platform, Uuid site)
{
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_SITE_SECRET_OWNER, ARGS(db_uuid(site)), &rows));
    if (rows.count == 1 && row_bool(&rows, 0, SITE_SECRET_OWNER_FOUND) &&
        !uuid_eq(site, UUID_LIBRARY_SITE))
        return OK;
    return fail(platform.ctx, ERR_NOT_FOUND, "There is no such site.");
}

fiber_fn Err site_secret_set(struct platform platform, Uuid site, Str name, Str value)
{
    struct ctx *ctx = platform.ctx;
    Str key = ctx->reactor->settings->secret;
    assert(site_secret_name_is_known(name) && value.len <= SITE_SECRET_MAX);
    if (key.len == 0)
        return fail(ctx, ERR_CONFIG, "SECRET is not set, so nothing can be encrypted.");
    TRY(site_check(platform, site));
    struct db_batch batch = {.lane = DB_WRITE};
    DbArg args[3] = {db_uuid(site), db_text(name)};
    bool is_set = value.data != NULL;
    if (is_set)
        args[2] = db_bytes(seal_make(ctx->arena, key, purpose_of(ctx, site, name), value));
    db_batch_add(&batch, is_set ? &SQL_SITE_SECRET_SET : &SQL_SITE_SECRET_REMOVE,
                 (struct db_args){args, is_set ? 3 : 2}, NULL);
    audit_add(ctx, &batch,
              &(struct audit){.action = is_set ? STR("secret_set") : STR("secret_removed"),
                              .entity_type = STR("site_secrets"),
                              .entity_id = name,
                              .site = site});
    return db_batch_run_platform(platform, &batch);
}

fiber_fn Err site_secret_find(struct platform platform, Uuid site, Str name, Str *ret)
{
    struct ctx *ctx = platform.ctx;
    struct rows rows;
    TRY(db_query_platform(platform, &SQL_SITE_SECRET_FIND, ARGS(db_uuid(site), db_text(name)),
                          &rows));
    if (rows.count == 0) {
        *ret = STR_NONE;
        return OK;
    }
    uint32_t len;
    const char *bytes = row_bytes(&rows, 0, SITE_SECRET_FIND_SEALED, &len);
    if (seal_open(ctx->arena, ctx->reactor->settings->secret, purpose_of(ctx, site, name),
                  str_of(bytes, len), ret))
        return OK;
    return fail(ctx, ERR_CONFIG,
                "The secret '%.*s' cannot be decrypted: SECRET has changed. Set it again.",
                STR_FMT(name));
}

fiber_fn Err site_secret_list(struct platform platform, Uuid site, struct rows *ret)
{
    TRY(site_check(platform, site));
    return db_query_platform(platform, &SQL_SITE_SECRET_LIST, ARGS(db_uuid(site)), ret);
}

bool site_secret_opens(struct ctx *ctx, Str secret, Uuid site, Str name, Str sealed)
{
    Str text;
    return seal_open(ctx->arena, secret, purpose_of(ctx, site, name), sealed, &text);
}

fiber_fn Err site_secrets_closed(struct platform platform, uint32_t *ret)
{
    struct ctx *ctx = platform.ctx;
    struct rows rows;
    uint32_t closed = 0;
    TRY(db_query_platform(platform, &SQL_SITE_SECRET_SAMPLE, NO_ARGS, &rows));
    for (uint32_t i = 0; i < rows.count; i++) {
        uint32_t len;
        const char *bytes = row_bytes(&rows, i, SITE_SECRET_SAMPLE_SEALED, &len);
        if (!site_secret_opens(ctx, ctx->reactor->settings->secret,
                               row_uuid(&rows, i, SITE_SECRET_SAMPLE_SITE_ID),
                               row_text(&rows, i, SITE_SECRET_SAMPLE_NAME), str_of(bytes, len)))
            closed++;
    }
    *ret = closed;
    return OK;
}
