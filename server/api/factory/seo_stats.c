/* GET /api/seo/stats: counts articles. */
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
