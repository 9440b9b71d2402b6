#include "base/json/json_writer.h"
#include "factory/articles/campaign.h"
#include "factory/links/links_store.h"
#include "gen/sql.h"

#include <assert.h>

enum { RESULT_MAX = 512 };

/* Enqueueing */

struct links_payload {
    int64_t max_links;
    int64_t min_distance;
    Uuid campaign_id; /* all articles of this campaign, or article_ids */
    const Uuid *article_ids;
    uint32_t article_ids_count;
};
static const struct job_field LINKS_FIELDS[] = {
    JOB_INT(struct links_payload, max_links, 1, LINKS_PER_ARTICLE_MAX, LINKS_PER_ARTICLE_DEFAULT),
    JOB_INT(struct links_payload, min_distance, 0, LINK_DISTANCE_MAX, LINK_DISTANCE_DEFAULT),
    JOB_UUID(struct links_payload, campaign_id, JOB_OPTIONAL),
    JOB_UUIDS(struct links_payload, article_ids, LINK_ARTICLES_MAX),
};
const struct job_kind JOB_INSERT_LINKS =
    JOB_KIND("insert-links", links_run, JOB_OF_SITE, 600, JOB_LOW,
             "Turns words of articles into links to their site's targets.",
             JOB_PAYLOAD(struct links_payload, LINKS_FIELDS));

/* Refuses unknown ids in the request, instead of failing later in the worker. */
static fiber_fn Err keep_known(struct ctx *ctx, struct links_bulk *bulk)
{
    struct campaign campaign;
    if (!uuid_is_nil(bulk->campaign))
        return campaign_find(ctx, bulk->campaign, &campaign);
    struct rows rows;
    TRY(db_query(
        ctx, &SQL_LINK_ARTICLES_KNOWN,
        ARGS(db_uuid(ctx->scope.site), db_uuid_array(ctx->arena, bulk->articles, bulk->count)),
        &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such article.");
    Uuid *known = arena_array(ctx->arena, Uuid, rows.count);
    for (uint32_t i = 0; i < rows.count; i++)
        known[i] = row_uuid(&rows, i, LINK_ARTICLES_KNOWN_ID);
    bulk->articles = known;
    bulk->count = rows.count;
    return OK;
}

fiber_fn Err links_enqueue(struct ctx *ctx, struct links_bulk *bulk, int64_t *ret_job)
{
    assert(ctx->scope.kind == SCOPE_SITE && bulk->count <= LINK_ARTICLES_MAX);
    TRY(keep_known(ctx, bulk));
    struct links_payload payload = {
        .max_links = bulk->limits.max_links,
        .min_distance = bulk->limits.min_distance,
        .campaign_id = bulk->campaign,
        .article_ids = bulk->articles,
        .article_ids_count = bulk->count,
    };
    struct job_spec spec;
    TRY(job_spec_make(ctx, &JOB_INSERT_LINKS, &payload, &spec));
    return job_enqueue_now(ctx, &spec, ret_job);
}

/* The job: links_bulk.c does the work */

static Err payload_read(struct ctx *ctx, const struct job *job, struct links_bulk *ret)
{
    struct links_payload payload;
    TRY(job_payload_read(ctx, &JOB_INSERT_LINKS, job, &payload));
    *ret = (struct links_bulk){
        .campaign = payload.campaign_id,
        .articles = payload.article_ids,
        .count = payload.article_ids_count,
        .limits = {(uint32_t)payload.max_links, (uint32_t)payload.min_distance},
    };
    if (uuid_is_nil(ret->campaign) && ret->count == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "The job names no articles");
    return OK;
}

fiber_fn Err links_run(struct ctx *ctx, struct job *job)
{
    struct links_bulk bulk = {0};
    const struct link_index *index;
    struct links_total total;
    TRY(payload_read(ctx, job, &bulk));
    TRY(links_index_of_site(ctx, &index));
    TRY(links_bulk_insert(ctx, job, index, &bulk, &total));

    struct buf *out = buf_in_arena(ctx->arena, RESULT_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_int(&w, "articles", total.articles);
    json_field_int(&w, "links_inserted", total.links);
    json_field_int(&w, "skipped", total.skipped);
    json_object_end(&w);
    return job_finish(ctx, job, NULL, buf_str(out));
}
