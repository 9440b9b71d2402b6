/* POST /api/seo/assemble-article: one article of the site's modules, by the campaign's recipe. */
#include "factory/articles/modules.h"
#include "gen/routes/factory.h"
#include "server/api/factory/factory.h"

Err route_assemble_post_check(struct ctx *ctx, struct assemble_post_input *input)
{
    input->place = place_from_json(input->location);
    if (input->place.city.len + input->place.county.len + input->place.state.len == 0)
        return field_refuse(ctx, "location", "location names no city, county or state");
    return OK;
}

static void put_names(struct json_writer *w, const char *key, const Str *names, uint32_t count)
{
    json_key(w, str_from_z(key));
    json_array_begin(w);
    for (uint32_t i = 0; i < count; i++)
        json_put_str(w, names[i]);
    json_array_end(w);
}

static void put_modules(struct json_writer *w, const struct assembled_article *article)
{
    const struct assembly *assembly = &article->draft.assembly;
    json_key(w, STR("modules_used"));
    json_array_begin(w);
    for (uint32_t i = 0; i < assembly->fragment_count; i++)
        json_put_uuid(w, article->plan->library->fragments[assembly->fragments[i]].id);
    json_array_end(w);
    put_names(w, "missing_modules", article->missing, article->missing_count);
    put_names(w, "unresolved", assembly->unresolved, assembly->unresolved_count);
}

static void put_dates(struct json_writer *w, const struct assembled_article *article)
{
    json_key(w, STR("dates"));
    json_object_begin(w);
    json_key(w, STR("publish_date"));
    json_put_time(w, article->publish_us);
    json_key(w, STR("modified_date"));
    json_put_time(w, article->modified_us);
    json_object_end(w);
    if (article->warning.len > 0)
        put_names(w, "warnings", &article->warning, 1);
}

static void put_article(struct json_writer *w, const struct assembled_article *article)
{
    const struct article_draft *draft = &article->draft;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_uuid(w, "article_id", draft->id);
    json_field_str(w, "headline", draft->title);
    json_field_str(w, "slug", draft->slug);
    json_field_str(w, "status", STR("draft"));
    json_field_int(w, "word_count", draft->assembly.words);
    json_field_str(w, "word_count_status", word_count_status_name(draft->assembly.words_status));
    put_modules(w, article);
    put_dates(w, article);
    json_object_end(w);
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
    put_article(&reply->json, article);
    return OK;
}
