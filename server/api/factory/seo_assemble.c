/* POST /api/seo/assemble-article: one article from the site's modules, following the campaign's
 * recipe. */
#include "factory/articles/generate.h"
#include "gen/routes/factory.h"
#include "server/api/factory/factory.h"

Err route_assemble_post_check(struct ctx *ctx, struct assemble_post_input *input)
{
    input->place = place_from_json(input->location);
    if (input->place.city.len + input->place.county.len + input->place.state.len == 0)
        return field_refuse(ctx, "location", "location names no city, county or state");
    return OK;
}

static struct db_uuids modules_of(struct arena *arena, const struct assembled_article *article)
{
    const struct assembly *assembly = &article->draft.assembly;
    Uuid *ids = arena_array(arena, Uuid, assembly->fragment_count);
    for (uint32_t i = 0; i < assembly->fragment_count; i++)
        ids[i] = article->plan->library->fragments[assembly->fragments[i]].id;
    return (struct db_uuids){ids, assembly->fragment_count};
}

static void put_article(struct ctx *ctx, struct json_writer *w,
                        const struct assembled_article *article)
{
    const struct article_draft *draft = &article->draft;
    struct assemble_post_reply made = {
        .article_id = draft->id,
        .headline = draft->title,
        .slug = draft->slug,
        .status = STR("draft"),
        .word_count = draft->assembly.words,
        .word_count_status = word_count_status_name(draft->assembly.words_status),
        .modules_used = modules_of(ctx->arena, article),
        .missing_modules = {article->missing, article->missing_count},
        .unresolved = {draft->assembly.unresolved, draft->assembly.unresolved_count},
        .dates = {article->publish_us, article->modified_us},
        .warnings = {&article->warning, 1},
        .has_warnings = article->warning.len > 0,
    };
    assemble_post_reply_write(w, &made);
}

fiber_fn Err route_assemble_post(struct ctx *ctx, const struct request *request,
                                 const struct assemble_post_input *input, struct reply *reply)
{
    (void)request;
    struct avatar_choice avatar = AVATAR_CHOICE(input);
    struct assemble_request wanted = {
        .campaign = input->campaign_id,
        .location = input->place,
        .has_publish = input->has_publish_date,
        .has_modified = input->has_modified_date,
        .publish_us = input->publish_date,
        .modified_us = input->modified_date,
        .avatar = &avatar,
    };
    struct assembled_article *article = arena_new(ctx->arena, struct assembled_article);
    TRY(article_assemble_now(ctx, &wanted, article));
    reply->status = 201;
    put_article(ctx, &reply->json, article);
    return OK;
}
