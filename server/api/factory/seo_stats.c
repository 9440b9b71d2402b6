/* /api/seo/stats and /api/seo/articles: counts articles, and lists the newest. */
#include "gen/routes/factory.h"
#include "gen/sql.h"
#include "server/api/listing.h"

fiber_fn Err route_article_stats_show(struct ctx *ctx, const struct request *request,
                                      const struct article_stats_show_input *input,
                                      struct reply *reply)
{
    (void)request;
    (void)input;
    struct rows rows;
    TRY(db_query(ctx, &SQL_ARTICLE_STATS, ARGS(listing_site(ctx)), &rows));
    article_stats_show_reply_write(&reply->json,
                                   &(struct article_stats_show_reply){
                                       .total = row_int(&rows, 0, ARTICLE_STATS_TOTAL),
                                       .ghost = row_int(&rows, 0, ARTICLE_STATS_GHOST),
                                       .queued = row_int(&rows, 0, ARTICLE_STATS_QUEUED),
                                       .indexed = row_int(&rows, 0, ARTICLE_STATS_INDEXED),
                                       .published = row_int(&rows, 0, ARTICLE_STATS_PUBLISHED),
                                       .draft = row_int(&rows, 0, ARTICLE_STATS_DRAFT),
                                   });
    return OK;
}

static struct article_row_reply article_of(const struct rows *rows, uint32_t i)
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
        articles[i] = article_of(&rows, i);
    articles_index_reply_write(&reply->json,
                               &(struct articles_index_reply){.articles = {articles, rows.count}});
    return OK;
}
