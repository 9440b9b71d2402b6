/* POST /api/seo/generate-article: one article at once, or a batch for the workers.
 * GET /api/seo/articles: the newest of them. */
#include "base/system/range.h"
#include "factory/articles/generate.h"
#include "gen/routes/factory.h"
#include "gen/sql.h"
#include "server/api/factory/factory.h"
#include "server/api/listing.h"

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

static struct article_row_reply article_row_of(const struct rows *rows, uint32_t i)
{
    return (struct article_row_reply){
        .id = row_uuid(rows, i, ARTICLES_PAGE_ID),
        .site_id = row_uuid(rows, i, ARTICLES_PAGE_SITE_ID),
        .campaign_id = row_uuid(rows, i, ARTICLES_PAGE_CAMPAIGN_ID),
        .status = row_text(rows, i, ARTICLES_PAGE_STATUS),
        .title = row_text(rows, i, ARTICLES_PAGE_TITLE),
        .meta_title = row_text(rows, i, ARTICLES_PAGE_META_TITLE),
        .word_count = row_int(rows, i, ARTICLES_PAGE_WORD_COUNT),
        .is_published = row_bool(rows, i, ARTICLES_PAGE_IS_PUBLISHED),
        .sitemap_status = row_text(rows, i, ARTICLES_PAGE_SITEMAP_STATUS),
        .location_city = row_text(rows, i, ARTICLES_PAGE_CITY),
        .location_county = row_text(rows, i, ARTICLES_PAGE_COUNTY),
        .location_state = row_text(rows, i, ARTICLES_PAGE_STATE),
        .date_created = row_time(rows, i, ARTICLES_PAGE_DATE_CREATED),
    };
}

fiber_fn Err route_articles_index(struct ctx *ctx, const struct request *request,
                                  const struct articles_index_input *input, struct reply *reply)
{
    (void)request;
    struct rows rows;
    TRY(db_query(ctx, &SQL_ARTICLES_PAGE,
                 ARGS(listing_site(ctx), db_uuid_or_null(input->campaign_id),
                      db_text_z(input->status), db_int(input->limit), db_int(input->offset)),
                 &rows));
    struct article_row_reply *articles =
        arena_array(ctx->arena, struct article_row_reply, rows.count);
    for (uint32_t i = 0; i < rows.count; i++)
        articles[i] = article_row_of(&rows, i);
    articles_index_reply_write(&reply->json,
                               &(struct articles_index_reply){.articles = {articles, rows.count}});
    return OK;
}
