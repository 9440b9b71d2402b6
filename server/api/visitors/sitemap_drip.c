/* POST /api/seo/sitemap-drip: releases the day's addresses into the sitemap. */
#include "access/audit/audit.h"
#include "gen/routes/visitors.h"
#include "gen/sql.h"

/* Why nothing was released. */
static const char *reason_of(const struct rows *rows)
{
    if (row_bool(rows, 0, SITEMAP_DRIP_WAS_DONE))
        return "This day had its drip; the next one is tomorrow (UTC).";
    if (row_int(rows, 0, SITEMAP_DRIP_RATE) == 0)
        return "The sitemap_drip_rate of this site is 0.";
    return "Nothing waits to be released.";
}

static void put_result(struct json_writer *w, const struct rows *rows)
{
    int64_t articles = row_int(rows, 0, SITEMAP_DRIP_ARTICLES);
    int64_t hubs = row_int(rows, 0, SITEMAP_DRIP_HUBS);
    sitemap_drip_post_reply_write(
        w, &(struct sitemap_drip_post_reply){
               .indexed = articles + hubs,
               .articles_indexed = articles,
               .hubs_indexed = hubs,
               .remaining = row_int(rows, 0, SITEMAP_DRIP_REMAINING),
               .rate = row_int(rows, 0, SITEMAP_DRIP_RATE),
               .day = row_text(rows, 0, SITEMAP_DRIP_DAY),
               .reason = articles + hubs == 0 ? str_from_z(reason_of(rows)) : STR_NONE,
           });
}

fiber_fn Err route_sitemap_drip_post(struct ctx *ctx, const struct request *request,
                                     const struct sitemap_drip_post_input *input,
                                     struct reply *reply)
{
    (void)request;
    (void)input;
    DbArg site = db_uuid(ctx->scope.site);
    struct rows rows;
    /* Thousands of articles may have been added since the last statistics: see
     * refresh_statistics. */
    TRY(db_query(ctx, &SQL_STATISTICS_REFRESH, NO_ARGS, NULL));
    struct db_batch batch = {.lane = DB_WRITE};
    db_batch_add(&batch, &SQL_SITEMAP_LOCK, ARGS(site), NULL);
    db_batch_add(&batch, &SQL_SITEMAP_DRIP,
                 ARGS(site, audit_user(ctx), audit_actor(ctx), audit_ip(ctx)), &rows);
    TRY(db_batch_run(ctx, &batch));
    if (rows.count == 0)
        return fail(ctx, ERR_UNKNOWN_SITE, "There is no such site.");
    put_result(&reply->json, &rows);
    return OK;
}
