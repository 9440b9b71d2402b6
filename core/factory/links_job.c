#include "base/json_writer.h"
#include "factory/campaign.h"
#include "factory/links_store.h"
#include "gen/sql.h"

#include <assert.h>

enum { PAGE_ARTICLES = 500, RESULT_MAX = 512 };

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

/* The job ------------------------------------------------------------------------------------- */

struct bulk_run {
    struct job *job;
    const struct link_index *index;
    struct links_bulk bulk;
    int64_t articles;
    int64_t links;
    int64_t skipped;
};

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

/* An article that went, or that somebody edits all the time, is not the end of the others. */
static fiber_fn Err link_one(struct ctx *ctx, struct bulk_run *run, Uuid article)
{
    ArenaMark mark = arena_mark(ctx->arena);
    struct link_order order = {.limits = run->bulk.limits};
    struct links_stored stored = {0};
    Err err = links_insert_article(ctx, run->index, article, &order, &stored);
    if (err != OK && err != ERR_NOT_FOUND && err != ERR_CONFLICT && err != ERR_TOO_LARGE)
        return err;
    if (err != OK) {
        run->skipped++;
        diag_clear(ctx);
    }
    run->links += stored.links.count;
    run->articles++;
    arena_rewind(ctx->arena, mark);
    return fiber_breathe(ctx);
}

static fiber_fn Err link_list(struct ctx *ctx, struct bulk_run *run, const Uuid *articles,
                              uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        TRY(link_one(ctx, run, articles[i]));
    return job_progress(ctx, run->job, run->articles, 0);
}

static fiber_fn Err link_campaign(struct ctx *ctx, struct bulk_run *run)
{
    Uuid last = {0};
    Uuid *page = arena_array(ctx->arena, Uuid, PAGE_ARTICLES);
    for (;;) {
        ArenaMark mark = arena_mark(ctx->arena);
        struct rows rows;
        TRY(db_query(ctx, &SQL_LINK_ARTICLES_OF_CAMPAIGN,
                     ARGS(db_uuid(ctx->scope.site), db_uuid(run->bulk.campaign), db_uuid(last),
                          db_int(PAGE_ARTICLES)),
                     &rows));
        uint32_t count = rows.count;
        for (uint32_t i = 0; i < count; i++)
            page[i] = row_uuid(&rows, i, LINK_ARTICLES_OF_CAMPAIGN_ID);
        arena_rewind(ctx->arena, mark);
        if (count == 0)
            return OK;
        TRY(link_list(ctx, run, page, count));
        last = page[count - 1];
    }
}

fiber_fn Err links_run(struct ctx *ctx, struct job *job)
{
    struct bulk_run run = {.job = job};
    TRY(payload_read(ctx, job->payload, &run.bulk));
    TRY(links_index_of_site(ctx, &run.index));
    if (!uuid_is_nil(run.bulk.campaign))
        TRY(link_campaign(ctx, &run));
    TRY(link_list(ctx, &run, run.bulk.articles, run.bulk.count));

    struct buf *out = buf_in_arena(ctx->arena, RESULT_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_int(&w, "articles", run.articles);
    json_field_int(&w, "links_inserted", run.links);
    json_field_int(&w, "skipped", run.skipped);
    json_object_end(&w);
    return job_finish(ctx, job, NULL, buf_str(out));
}
