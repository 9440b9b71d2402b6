/* POST /api/seo/generate-article: one article immediately, or a batch for the workers. */
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
    struct article_generate_reply started = {
        .has_jobs = true,
        .target_quantity = input->total,
        .has_target_quantity = true,
    };
    uint32_t jobs;
    TRY(generation_start(ctx, &request, &started.job_id, &jobs));
    started.jobs = jobs;
    reply->status = 202;
    article_generate_reply_write(&reply->json, &started);
    return OK;
}

/* An absent text becomes an empty one. */
static Str given(Str text)
{
    return text.data != NULL ? text : STR("");
}

static struct new_article_reply article_of(const struct article_draft *article)
{
    return (struct new_article_reply){
        .id = article->id,
        .headline = article->title,
        .word_count = article->assembly.words,
        .word_count_status = word_count_status_name(article->assembly.words_status),
        .location = {article->location.city, article->location.county, article->location.state},
    };
}

static void put_single(struct reply *reply, const struct article_draft *article, bool is_made,
                       uint64_t remaining)
{
    struct article_generate_reply single = {
        .generated = is_made ? 1 : 0,
        .has_generated = true,
        .has_articles = true,
        .remaining_headlines = remaining,
        .has_remaining_headlines = true,
    };
    struct new_article_reply made;
    if (is_made) {
        single.article_id = article->id;
        single.title = given(article->title);
        single.slug = given(article->slug);
        single.content = given(article->assembly.html);
        single.meta_title = given(article->meta_title);
        single.meta_description = given(article->meta_description);
        single.status = STR("qc");
        made = article_of(article);
        single.articles = (struct new_article_replies){&made, 1};
    }
    article_generate_reply_write(&reply->json, &single);
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
