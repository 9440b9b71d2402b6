/* /api/seo/stats and /api/seo/articles: how many articles there are, and the newest of them. */
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
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_int(w, "total", row_int(&rows, 0, ARTICLE_STATS_TOTAL));
    json_field_int(w, "ghost", row_int(&rows, 0, ARTICLE_STATS_GHOST));
    json_field_int(w, "queued", row_int(&rows, 0, ARTICLE_STATS_QUEUED));
    json_field_int(w, "indexed", row_int(&rows, 0, ARTICLE_STATS_INDEXED));
    json_field_int(w, "published", row_int(&rows, 0, ARTICLE_STATS_PUBLISHED));
    json_field_int(w, "draft", row_int(&rows, 0, ARTICLE_STATS_DRAFT));
    json_object_end(w);
    return OK;
}

static void put_article(struct json_writer *w, const struct rows *rows, uint32_t i)
{
    json_object_begin(w);
    json_field_uuid(w, "id", row_uuid(rows, i, ARTICLES_PAGE_ID));
    json_field_uuid(w, "site_id", row_uuid(rows, i, ARTICLES_PAGE_SITE_ID));
    put_uuid(w, "campaign_id", row_uuid(rows, i, ARTICLES_PAGE_CAMPAIGN_ID));
    put_text(w, "status", row_text(rows, i, ARTICLES_PAGE_STATUS));
    put_text(w, "title", row_text(rows, i, ARTICLES_PAGE_TITLE));
    put_text(w, "meta_title", row_text(rows, i, ARTICLES_PAGE_META_TITLE));
    json_field_int(w, "word_count", row_int(rows, i, ARTICLES_PAGE_WORD_COUNT));
    json_field_bool(w, "is_published", row_bool(rows, i, ARTICLES_PAGE_IS_PUBLISHED));
    put_text(w, "sitemap_status", row_text(rows, i, ARTICLES_PAGE_SITEMAP_STATUS));
    put_text(w, "location_city", row_text(rows, i, ARTICLES_PAGE_CITY));
    put_text(w, "location_county", row_text(rows, i, ARTICLES_PAGE_COUNTY));
    put_text(w, "location_state", row_text(rows, i, ARTICLES_PAGE_STATE));
    put_time(w, "date_created", row_time(rows, i, ARTICLES_PAGE_DATE_CREATED));
    json_object_end(w);
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
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_key(w, STR("articles"));
    json_array_begin(w);
    for (uint32_t i = 0; i < rows.count; i++)
        put_article(w, &rows, i);
    json_array_end(w);
    json_object_end(w);
    return OK;
}
