/* /api/seo/insert-links and /api/seo/remove-links: an article's words become links, and back. */
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

static void put_links(struct json_writer *w, const struct links_result *links)
{
    json_key(w, STR("anchors_used"));
    json_array_begin(w);
    for (uint32_t i = 0; i < links->count; i++)
        json_put_str(w, links->made[i].anchor);
    json_array_end(w);
    json_key(w, STR("links"));
    json_array_begin(w);
    for (uint32_t i = 0; i < links->count; i++) {
        json_object_begin(w);
        json_field_uuid(w, "target_id", links->made[i].target->id);
        json_field_str(w, "url", links->made[i].target->href);
        json_field_str(w, "anchor", links->made[i].anchor);
        json_field_int(w, "position", links->made[i].word);
        json_object_end(w);
    }
    json_array_end(w);
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

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_uuid(w, "article_id", article);
    json_field_int(w, "links_inserted", order.is_dry_run ? 0 : stored.links.count);
    json_field_int(w, "links_present", stored.links.present);
    put_links(w, &stored.links);
    if (!uuid_is_nil(stored.batch))
        json_field_uuid(w, "batch_id", stored.batch);
    if (order.is_dry_run)
        json_field_bool(w, "dry_run", true);
    json_field_str(w, "message", message_of(index, &stored, order.is_dry_run));
    json_object_end(w);
    return OK;
}

/* article_ids or campaign_id: a worker does it. */
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
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_int(w, "job_id", job);
    json_field_str(w, "message", STR("A worker inserts the links."));
    json_object_end(w);
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

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_uuid(w, "article_id", article);
    json_field_int(w, "links_removed", removed);
    json_field_int(w, "links_missing", missing);
    json_object_end(w);
    return OK;
}
