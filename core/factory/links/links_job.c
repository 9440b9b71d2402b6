#include "base/json/json_writer.h"
#include "factory/articles/campaign.h"
#include "factory/links/links_store.h"
#include "gen/sql.h"

#include <assert.h>

enum { RESULT_MAX = 512 };

/* Queueing ------------------------------------------------------------------------------------ */

static Str payload_of(struct ctx *ctx, const struct links_bulk *bulk)
{
    struct buf *out = buf_in_arena(ctx->arena, JOB_PAYLOAD_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_int(&w, "max_links", bulk->limits.max_links);
    json_field_int(&w, "min_distance", bulk->limits.min_distance);
    if (!uuid_is_nil(bulk->campaign))
        json_field_uuid(&w, "campaign_id", bulk->campaign);
    json_key(&w, STR("article_ids"));
    json_array_begin(&w);
    for (uint32_t i = 0; i < bulk->count; i++)
        json_put_uuid(&w, bulk->articles[i]);
    json_array_end(&w);
    json_object_end(&w);
    assert(!out->is_full); /* LINK_ARTICLES_MAX ids are 39 KB */
    return buf_str(out);
}

/* What is named and not there is refused now, not found missing by a worker later. */
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
    struct job_spec spec = {
        .kind = STR(LINKS_KIND), .payload = payload_of(ctx, bulk), .priority = JOB_LOW};
    return job_enqueue_now(ctx, &spec, ret_job);
}

/* The job: links_bulk.c does the work ------------------------------------------------------------
 */

static Err take_articles(struct ctx *ctx, const struct json *payload, struct links_bulk *ret)
{
    const struct json *list = json_get(payload, STR("article_ids"));
    ret->count = json_len(list);
    if (ret->count > LINK_ARTICLES_MAX)
        return fail(ctx, ERR_INVALID_PAYLOAD, "article_ids has more than %d ids",
                    LINK_ARTICLES_MAX);
    Uuid *ids = arena_array(ctx->arena, Uuid, ret->count);
    for (uint32_t i = 0; i < ret->count; i++) {
        const struct json *id = json_at(list, i);
        if (json_kind(id) != JSON_STRING || !uuid_parse(json_str(id), &ids[i]))
            return fail(ctx, ERR_INVALID_PAYLOAD, "article_ids[%u] is not a UUID", i);
    }
    ret->articles = ids;
    return OK;
}

static Err payload_read(struct ctx *ctx, const struct json *payload, struct links_bulk *ret)
{
    int64_t max_links = LINKS_PER_ARTICLE_DEFAULT;
    int64_t min_distance = LINK_DISTANCE_DEFAULT;
    TRY(json_take_int(ctx, payload, "max_links", 1, LINKS_PER_ARTICLE_MAX, &max_links));
    TRY(json_take_int(ctx, payload, "min_distance", 0, LINK_DISTANCE_MAX, &min_distance));
    TRY(json_take_uuid(ctx, payload, "campaign_id", &ret->campaign));
    TRY(take_articles(ctx, payload, ret));
    ret->limits = (struct link_limits){(uint32_t)max_links, (uint32_t)min_distance};
    if (uuid_is_nil(ret->campaign) && ret->count == 0)
        return fail(ctx, ERR_INVALID_PAYLOAD, "The job names no articles");
    return OK;
}

fiber_fn Err links_run(struct ctx *ctx, struct job *job)
{
    struct links_bulk bulk = {0};
    const struct link_index *index;
    struct links_total total;
    TRY(payload_read(ctx, job->payload, &bulk));
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
