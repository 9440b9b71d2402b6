/* POST /api/admin/import-blueprint: a campaign with all its parts, or a whole site, in one
 * transaction.
 */
#include "factory/blueprint/blueprint.h"

#include "gen/routes/factory.h"

static void put_id(struct json_writer *w, const char *key, Uuid id)
{
    if (uuid_is_nil(id))
        json_field_null(w, key);
    else
        json_field_uuid(w, key, id);
}

static void put_stored(struct json_writer *w, const struct blueprint_result *result)
{
    json_key(w, STR("stored"));
    json_object_begin(w);
    json_field_int(w, "fragments", result->fragments);
    json_field_int(w, "dictionaries", result->dictionaries);
    json_field_int(w, "offer_blocks", result->offers);
    json_field_int(w, "states", result->states);
    json_field_int(w, "counties", result->counties);
    json_field_int(w, "cities", result->cities);
    json_field_int(w, "headlines", result->headlines);
    json_object_end(w);
}

/* A site, in the format of export-blueprint. */
static fiber_fn Err import_site(struct ctx *ctx, const struct json *body, struct reply *reply)
{
    if (ctx->scope.kind != SCOPE_SITE)
        return field_refuse(ctx, "site_id", "site_id is required");
    struct blueprint_site_result result;
    TRY(blueprint_site_store(ctx, body, &result));
    struct json_writer *w = &reply->json;
    int64_t imported = 0;
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        imported += result.stored[part];
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_uuid(w, "site_id", ctx->scope.site);
    json_field_int(w, "imported", imported);
    json_key(w, STR("stored"));
    json_object_begin(w);
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        if (result.is_present[part]) {
            json_key(w, blueprint_part_name(part));
            json_put_int(w, result.stored[part]);
        }
    json_object_end(w);
    json_field_raw(w, "left_out", blueprint_left_out());
    json_object_end(w);
    return OK;
}

fiber_fn Err route_blueprint_post(struct ctx *ctx, const struct request *request,
                                  const struct blueprint_post_input *input, struct reply *reply)
{
    (void)input;
    const struct json *body = request->json;
    if (!json_is_null(json_get(body, STR("format"))))
        return import_site(ctx, body, reply);
    /* If an administrator names no site, the rows go to the library, which every site reads. */
    Uuid site = ctx->scope.kind == SCOPE_SITE ? ctx->scope.site : UUID_LIBRARY_SITE;
    struct blueprint *blueprint = arena_new(ctx->arena, struct blueprint);
    TRY(blueprint_read(ctx, body, blueprint));
    struct blueprint_result result;
    TRY(blueprint_store(ctx, site, blueprint, &result));

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_int(w, "imported", result.fragments);
    put_id(w, "template_id", result.template_id);
    put_id(w, "campaign_id", result.campaign_id);
    put_stored(w, &result);
    json_object_end(w);
    return OK;
}
