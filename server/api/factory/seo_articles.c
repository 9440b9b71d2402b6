/* POST /api/seo/generate-article: one article at once, or a batch for the workers. */
#include "base/system/range.h"
#include "factory/articles/generate.h"
#include "gen/routes/factory.h"
#include "server/api/factory/factory.h"

Err route_article_generate_check(struct ctx *ctx, struct article_generate_input *input)
{
    input->batch_size = min_i64(input->batch_size, ARTICLE_BATCH_MAX);
    if (input->total == 0)
        input->total = input->batch_size;
    input->async = input->async || input->batch_size > 1 || input->total > 1;
    bool has_place = !json_is_null(input->location);
    if ((input->headline.len > 0 || has_place) && input->async)
        return field_refuse(ctx, "headline",
                            "headline and location are for one article at once: leave "
                            "batch_size, total and async out");
    if (has_place && input->headline.len == 0)
        return field_refuse(ctx, "headline", "A location needs the headline that it is for");
    return OK;
}

static fiber_fn Err start(struct ctx *ctx, const struct article_generate_input *input,
                          struct reply *reply)
{
    struct generation_request request = {
        .campaign = input->campaign_id,
        .batch_size = (uint32_t)input->batch_size,
        .total = (uint32_t)input->total,
        .avatar = AVATAR_CHOICE(input),
    };
    Uuid id;
    uint32_t jobs;
    TRY(generation_start(ctx, &request, &id, &jobs));
    reply->status = 202;
    json_object_begin(&reply->json);
    json_field_bool(&reply->json, "success", true);
    json_field_uuid(&reply->json, "job_id", id);
    json_field_int(&reply->json, "jobs", jobs);
    json_field_int(&reply->json, "target_quantity", input->total);
    json_object_end(&reply->json);
    return OK;
}

static void put_location(struct json_writer *w, const struct geo_location *location)
{
    json_key(w, STR("location"));
    json_object_begin(w);
    json_field_str(w, "city", location->city);
    json_field_str(w, "county", location->county);
    json_field_str(w, "state", location->state);
    json_object_end(w);
}

static void put_article(struct json_writer *w, const struct article_draft *article)
{
    json_field_uuid(w, "article_id", article->id);
    json_field_str(w, "title", article->title);
    json_field_str(w, "slug", article->slug);
    json_field_str(w, "content", article->assembly.html);
    json_field_str(w, "meta_title", article->meta_title);
    json_field_str(w, "meta_description", article->meta_description);
    json_field_str(w, "status", STR("qc"));
}

static void put_single(struct reply *reply, const struct article_draft *article, bool is_made,
                       uint64_t remaining)
{
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_int(w, "generated", is_made ? 1 : 0);
    if (is_made)
        put_article(w, article);
    json_key(w, STR("articles"));
    json_array_begin(w);
    if (is_made) {
        json_object_begin(w);
        json_field_uuid(w, "id", article->id);
        json_field_str(w, "headline", article->title);
        json_field_int(w, "word_count", article->assembly.words);
        json_field_str(w, "word_count_status",
                       word_count_status_name(article->assembly.words_status));
        put_location(w, &article->location);
        json_object_end(w);
    }
    json_array_end(w);
    json_field_int(w, "remaining_headlines", (int64_t)remaining);
    json_object_end(w);
}

fiber_fn Err route_article_generate(struct ctx *ctx, const struct request *request,
                                    const struct article_generate_input *input, struct reply *reply)
{
    (void)request;
    if (input->async)
        return start(ctx, input, reply);

    struct single_request single = {
        .campaign = input->campaign_id,
        .headline = input->headline,
        .avatar = AVATAR_CHOICE(input),
    };
    if (!json_is_null(input->location)) {
        struct geo_location place = place_from_json(input->location);
        single.location = place_json(ctx->arena, NULL, &place);
    }
    struct article_draft *article = arena_new(ctx->arena, struct article_draft);
    bool is_made;
    uint64_t remaining;
    TRY(generation_single(ctx, &single, article, &is_made, &remaining));
    put_single(reply, article, is_made, remaining);
    return OK;
}
