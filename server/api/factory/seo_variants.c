/* POST /api/seo/generate-variants: the variants that an avatar lacks. */
#include "access/audit/audit.h"
#include "factory/library/library.h"
#include "server/api/factory/factory.h"
#include "server/dispatch/handlers.h"

/* The avatar's own site has to be the one that acts; the library's are the platform's. */
static fiber_fn Err locate(struct ctx *ctx, const struct json *body,
                           const struct avatar_choice *choice, struct avatar_variants *ret)
{
    Uuid named;
    TRY(factory_named_site(ctx, body, &named));
    bool is_platform = ctx->scope.kind == SCOPE_PLATFORM;
    if (!is_platform || !uuid_is_nil(named))
        TRY(factory_enter(ctx, named, NULL));
    TRY(avatar_locate(ctx, choice, ret));
    if (ctx->scope.kind == SCOPE_SITE && !uuid_eq(ret->site, ctx->scope.site))
        return fail(ctx, ERR_FORBIDDEN,
                    "This avatar belongs to the library, which is for every "
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

static void put_variants(struct json_writer *w, const struct avatar_variants *variants)
{
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_uuid(w, "avatar_id", variants->avatar);
    json_field_str(w, "avatar_key", variants->key);
    json_field_int(w, "created", variants->made);
    json_key(w, STR("variants"));
    json_array_begin(w);
    for (uint32_t i = 0; i < variants->count; i++) {
        json_object_begin(w);
        json_field_uuid(w, "id", variants->ids[i]);
        json_field_str(w, "variant_type", variants->types[i]);
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}

fiber_fn Err variants_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(factory_check_write(ctx));
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct avatar_choice choice;
    TRY(factory_take_avatar(ctx, body, &choice));
    if (uuid_is_nil(choice.id) && choice.key.len == 0)
        return factory_refuse(ctx, "avatar_id", "avatar_id or avatar_key is required");
    struct avatar_variants variants;
    TRY(locate(ctx, body, &choice, &variants));
    TRY(store(ctx, &variants));
    put_variants(&reply->json, &variants);
    return OK;
}
