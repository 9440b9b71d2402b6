/* /api/seo/insert-links and /api/seo/remove-links: turns words of an article into links, and
 * removes them. */
#include "factory/links/links_store.h"
#include "gen/routes/factory.h"

static struct link_limits limits_of(const struct links_insert_post_input *input)
{
    return (struct link_limits){(uint32_t)input->max_links, (uint32_t)input->min_distance};
}

static Str message_of(const struct link_index *index, const struct links_stored *stored,
                      bool is_dry_run)
{
    if (link_index_targets(index) == 0)
        return STR("The site has no active link targets.");
    if (stored->links.count == 0)
        return STR("There is no free place for another link.");
    return is_dry_run ? STR("Nothing was written: this was a dry run.")
                      : STR("The links are in the article.");
}

static struct db_texts anchors_of(struct arena *arena, const struct links_result *links)
{
    Str *anchors = arena_array(arena, Str, links->count);
    for (uint32_t i = 0; i < links->count; i++)
        anchors[i] = links->made[i].anchor;
    return (struct db_texts){anchors, links->count};
}

static struct new_link_replies links_of(struct arena *arena, const struct links_result *links)
{
    struct new_link_reply *list = arena_array(arena, struct new_link_reply, links->count);
    for (uint32_t i = 0; i < links->count; i++)
        list[i] = (struct new_link_reply){
            .target_id = links->made[i].target->id,
            .url = links->made[i].target->href,
            .anchor = links->made[i].anchor,
            .position = links->made[i].word,
        };
    return (struct new_link_replies){list, links->count};
}

static fiber_fn Err insert_one(struct ctx *ctx, const struct links_insert_post_input *input,
                               struct reply *reply)
{
    const Uuid article = input->article_id;
    struct link_order order = {.limits = limits_of(input), .is_dry_run = input->dry_run};
    const struct link_index *index;
    TRY(links_index_of_site(ctx, &index));
    struct links_stored stored;
    TRY(links_insert_article(ctx, index, article, &order, &stored));

    struct links_insert_post_reply inserted = {
        .article_id = article,
        .links_inserted = order.is_dry_run ? 0 : stored.links.count,
        .has_links_inserted = true,
        .links_present = stored.links.present,
        .has_links_present = true,
        .anchors_used = anchors_of(ctx->arena, &stored.links),
        .has_anchors_used = true,
        .links = links_of(ctx->arena, &stored.links),
        .has_links = true,
        .batch_id = stored.batch,
        .dry_run = true,
        .has_dry_run = order.is_dry_run,
        .message = message_of(index, &stored, order.is_dry_run),
    };
    links_insert_post_reply_write(&reply->json, &inserted);
    return OK;
}

/* article_ids or campaign_id: handled by a job. */
static fiber_fn Err insert_many(struct ctx *ctx, const struct links_insert_post_input *input,
                                struct reply *reply)
{
    struct links_bulk bulk = {
        .articles = input->article_ids.list,
        .count = input->article_ids.count,
        .limits = limits_of(input),
    };
    if (bulk.count == 0)
        bulk.campaign = input->campaign_id;
    int64_t job;
    TRY(links_enqueue(ctx, &bulk, &job));

    reply->status = 202;
    links_insert_post_reply_write(&reply->json, &(struct links_insert_post_reply){
                                                    .job_id = job,
                                                    .has_job_id = true,
                                                    .message = STR("A worker inserts the links."),
                                                });
    return OK;
}

fiber_fn Err route_links_insert_post(struct ctx *ctx, const struct request *request,
                                     const struct links_insert_post_input *input,
                                     struct reply *reply)
{
    (void)request;
    bool is_one = !uuid_is_nil(input->article_id);
    return is_one ? insert_one(ctx, input, reply) : insert_many(ctx, input, reply);
}

fiber_fn Err route_links_remove_post(struct ctx *ctx, const struct request *request,
                                     const struct links_remove_post_input *input,
                                     struct reply *reply)
{
    (void)request;
    const Uuid article = input->article_id;
    uint32_t removed;
    uint32_t missing;
    TRY(links_remove_article(ctx, article, input->batch_id, &removed, &missing));

    links_remove_post_reply_write(&reply->json, &(struct links_remove_post_reply){
                                                    .article_id = article,
                                                    .links_removed = removed,
                                                    .links_missing = missing,
                                                });
    return OK;
}
