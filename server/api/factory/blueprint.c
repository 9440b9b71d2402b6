/* POST /api/admin/import-blueprint: a campaign with all its parts, or a whole site, in one
 * transaction.
 */
#include "factory/blueprint/blueprint.h"

#include "gen/routes/factory.h"

/* {"templates":1,…}: of the parts that the document has. */
static Str stored_parts(struct arena *arena, const struct blueprint_site_result *result)
{
    enum { PART_TEXT_MAX = 64 }; /* a name and a number */
    struct json_writer w = json_writer(buf_in_arena(arena, BLUEPRINT_PARTS * PART_TEXT_MAX));
    json_object_begin(&w);
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        if (result->is_present[part]) {
            json_key(&w, blueprint_part_name(part));
            json_put_int(&w, result->stored[part]);
        }
    json_object_end(&w);
    return buf_str(w.out);
}

/* A site, in the format of export-blueprint. */
static fiber_fn Err import_site(struct ctx *ctx, const struct json *body, struct reply *reply)
{
    if (ctx->scope.kind != SCOPE_SITE)
        return field_refuse(ctx, "site_id", "site_id is required");
    struct blueprint_site_result result;
    TRY(blueprint_site_store(ctx, body, &result));
    int64_t imported = 0;
    for (enum blueprint_part part = 0; part < BLUEPRINT_PARTS; part++)
        imported += result.stored[part];
    imported_site_reply_write(&reply->json, &(struct imported_site_reply){
                                                .site_id = ctx->scope.site,
                                                .imported = imported,
                                                .stored = stored_parts(ctx->arena, &result),
                                                .left_out = blueprint_left_out(),
                                            });
    return OK;
}

static struct stored_campaign_reply stored_of(const struct blueprint_result *result)
{
    return (struct stored_campaign_reply){
        .fragments = result->fragments,
        .dictionaries = result->dictionaries,
        .offer_blocks = result->offers,
        .states = result->states,
        .counties = result->counties,
        .cities = result->cities,
        .headlines = result->headlines,
    };
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

    imported_campaign_reply_write(&reply->json, &(struct imported_campaign_reply){
                                                    .imported = result.fragments,
                                                    .template_id = result.template_id,
                                                    .campaign_id = result.campaign_id,
                                                    .stored = stored_of(&result),
                                                });
    return OK;
}
