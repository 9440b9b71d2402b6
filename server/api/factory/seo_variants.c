/* POST /api/seo/generate-variants: creates the missing variants of an avatar. */
#include "access/audit/audit.h"
#include "factory/library/library.h"
#include "gen/routes/factory.h"
#include "server/api/factory/factory.h"

/* Only the avatar's own site may change it; only the platform may change the library's. */
static fiber_fn Err locate(struct ctx *ctx, const struct avatar_choice *choice,
                           struct avatar_variants *ret)
{
    TRY(avatar_locate(ctx, choice, ret));
    if (ctx->scope.kind == SCOPE_SITE && !uuid_eq(ret->site, ctx->scope.site))
        return fail(ctx, ERR_FORBIDDEN,
                    "This avatar belongs to the library, which is shared by every "
                    "site; only the platform may change it.");
    return OK;
}

static fiber_fn Err store(struct ctx *ctx, struct avatar_variants *variants)
{
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(avatar_variants_make(&tx, variants));
    struct audit audit = {
        .action = STR("variants_generated"),
        .entity_type = STR("avatar_intelligence"),
        .entity_id = uuid_text(ctx->arena, variants->avatar),
        .details = str_printf(ctx->arena, "{\"created\":%u}", variants->made),
        .site = variants->site,
    };
    if (variants->made > 0)
        TRY(audit_write(&tx, &audit));
    return db_commit(&tx);
}

static void put_variants(struct ctx *ctx, struct json_writer *w,
                         const struct avatar_variants *variants)
{
    struct avatar_variant_reply *list =
        arena_array(ctx->arena, struct avatar_variant_reply, variants->count);
    for (uint32_t i = 0; i < variants->count; i++)
        list[i] = (struct avatar_variant_reply){variants->ids[i], variants->types[i]};
    variants_post_reply_write(w, &(struct variants_post_reply){
                                     .avatar_id = variants->avatar,
                                     .avatar_key = variants->key,
                                     .created = variants->made,
                                     .variants = {list, variants->count},
                                 });
}

fiber_fn Err route_variants_post(struct ctx *ctx, const struct request *request,
                                 const struct variants_post_input *input, struct reply *reply)
{
    (void)request;
    struct avatar_choice choice = AVATAR_CHOICE(input);
    struct avatar_variants variants;
    TRY(locate(ctx, &choice, &variants));
    TRY(store(ctx, &variants));
    put_variants(ctx, &reply->json, &variants);
    return OK;
}
