/* /api/seo/insert-links and /api/seo/remove-links: an article's words become links, and back. */
#include "factory/links/links_store.h"
#include "gen/sql.h"
#include "server/api/factory/factory.h"
#include "server/dispatch/handlers.h"

static Err take_limits(struct ctx *ctx, const struct json *body, struct link_limits *ret)
{
    int64_t max_links = LINKS_PER_ARTICLE_DEFAULT;
    int64_t min_distance = LINK_DISTANCE_DEFAULT;
    TRY(json_take_int(ctx, body, "max_links", 1, LINKS_PER_ARTICLE_MAX, &max_links));
    TRY(json_take_int(ctx, body, "min_distance", 0, LINK_DISTANCE_MAX, &min_distance));
    *ret = (struct link_limits){(uint32_t)max_links, (uint32_t)min_distance};
    return OK;
}

/* The article named in the body, in the scope of its site. */
static fiber_fn Err enter_article(struct ctx *ctx, const struct json *body, Uuid *ret)
{
    Uuid article = {0};
    Uuid named;
    TRY(json_take_uuid(ctx, body, "article", &article));
    TRY(json_take_uuid(ctx, body, "article_id", &article));
    TRY(factory_named_site(ctx, body, &named));
    if (uuid_is_nil(article))
        return factory_refuse(ctx, "article_id", "article_id is required");
    TRY(factory_enter(ctx, named,
                      &(struct factory_subject){&SQL_ARTICLE_SITES, "article", &article, 1}));
    *ret = article;
    return OK;
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

static fiber_fn Err insert_one(struct ctx *ctx, const struct json *body, struct reply *reply)
{
    Uuid article;
    struct link_order order = {0};
    TRY(take_limits(ctx, body, &order.limits));
    TRY(json_take_bool(ctx, body, "dry_run", &order.is_dry_run));
    TRY(enter_article(ctx, body, &article));
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
static fiber_fn Err insert_many(struct ctx *ctx, const struct json *body, struct reply *reply)
{
    struct links_bulk bulk = {0};
    TRY(take_limits(ctx, body, &bulk.limits));
    if (!json_is_null(json_get(body, STR("article_ids")))) {
        Uuid *ids;
        Uuid named;
        TRY(factory_take_ids(ctx, body, "article_ids", LINK_ARTICLES_MAX, &ids, &bulk.count));
        TRY(factory_named_site(ctx, body, &named));
        TRY(factory_enter(
            ctx, named, &(struct factory_subject){&SQL_ARTICLE_SITES, "article", ids, bulk.count}));
        bulk.articles = ids;
    } else {
        TRY(factory_enter_campaign(ctx, body, &bulk.campaign));
    }
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

fiber_fn Err links_insert_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(factory_check_write(ctx));
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    bool is_one = !json_is_null(json_get(body, STR("article_id"))) ||
                  !json_is_null(json_get(body, STR("article")));
    bool is_many = !json_is_null(json_get(body, STR("article_ids"))) ||
                   !json_is_null(json_get(body, STR("campaign_id"))) ||
                   !json_is_null(json_get(body, STR("campaign")));
    return is_many && !is_one ? insert_many(ctx, body, reply) : insert_one(ctx, body, reply);
}

fiber_fn Err links_remove_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(factory_check_write(ctx));
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    Uuid article;
    Uuid batch = {0};
    TRY(json_take_uuid(ctx, body, "batch_id", &batch));
    TRY(enter_article(ctx, body, &article));
    uint32_t removed;
    uint32_t missing;
    TRY(links_remove_article(ctx, article, batch, &removed, &missing));

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_uuid(w, "article_id", article);
    json_field_int(w, "links_removed", removed);
    json_field_int(w, "links_missing", missing);
    json_object_end(w);
    return OK;
}
