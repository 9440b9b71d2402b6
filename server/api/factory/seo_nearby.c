/* GET /api/seo/get-nearby: articles of the same county, then of the same state, and the hub pages
 * above. */
#include "gen/routes/factory.h"
#include "gen/sql.h"

#include <assert.h>

/* One article with its place; both statements begin with these columns. */
static struct place_article_reply article_of(const struct rows *rows)
{
    static_assert((int)NEARBY_ARTICLE_STATE == (int)NEARBY_ARTICLES_STATE, "as nearby_of");
    return (struct place_article_reply){
        .id = row_uuid(rows, 0, NEARBY_ARTICLE_ID),
        .title = row_text(rows, 0, NEARBY_ARTICLE_TITLE),
        .url = row_text(rows, 0, NEARBY_ARTICLE_PATH),
        .location_city = row_text(rows, 0, NEARBY_ARTICLE_CITY),
        .location_county = row_text(rows, 0, NEARBY_ARTICLE_COUNTY),
        .location_state = row_text(rows, 0, NEARBY_ARTICLE_STATE),
    };
}

static struct nearby_article_reply nearby_of(const struct rows *rows, uint32_t i)
{
    return (struct nearby_article_reply){
        .id = row_uuid(rows, i, NEARBY_ARTICLES_ID),
        .title = row_text(rows, i, NEARBY_ARTICLES_TITLE),
        .url = row_text(rows, i, NEARBY_ARTICLES_PATH),
        .location_city = row_text(rows, i, NEARBY_ARTICLES_CITY),
        .location_county = row_text(rows, i, NEARBY_ARTICLES_COUNTY),
        .location_state = row_text(rows, i, NEARBY_ARTICLES_STATE),
        .relation = row_bool(rows, i, NEARBY_ARTICLES_IS_COUNTY) ? STR("county") : STR("state"),
    };
}

static struct hub_reply hub_of(const struct rows *hubs, uint32_t i)
{
    return (struct hub_reply){
        .id = row_uuid(hubs, i, NEARBY_HUBS_ID),
        .title = row_text(hubs, i, NEARBY_HUBS_TITLE),
        .url = row_text(hubs, i, NEARBY_HUBS_PATH),
        .level = row_text(hubs, i, NEARBY_HUBS_LEVEL),
    };
}

/* Hubs are ordered from the article upwards; the trail is ordered from the top down. */
static void hubs_of(struct arena *arena, const struct rows *article, const struct rows *hubs,
                    struct nearby_show_reply *ret)
{
    uint32_t parents = 0;
    for (uint32_t i = 0; i < hubs->count; i++) {
        parents += row_bool(hubs, i, NEARBY_HUBS_IS_PARENT);
        if (!ret->has_state_hub && str_eq(row_text(hubs, i, NEARBY_HUBS_LEVEL), STR("state"))) {
            ret->state_hub = hub_of(hubs, i);
            ret->has_state_hub = true;
        }
    }
    ret->has_parent_hub = parents > 0;
    if (parents > 0)
        ret->parent_hub = hub_of(hubs, 0);
    struct crumb_reply *crumbs = arena_array(arena, struct crumb_reply, parents + 1);
    for (uint32_t i = 0; i < parents; i++) {
        struct hub_reply hub = hub_of(hubs, parents - 1 - i);
        crumbs[i] = (struct crumb_reply){hub.title, hub.url};
    }
    crumbs[parents] = (struct crumb_reply){row_text(article, 0, NEARBY_ARTICLE_TITLE),
                                           row_text(article, 0, NEARBY_ARTICLE_PATH)};
    ret->breadcrumb = (struct crumb_replies){crumbs, parents + 1};
}

fiber_fn Err route_nearby_show(struct ctx *ctx, const struct request *request,
                               const struct nearby_show_input *input, struct reply *reply)
{
    (void)request;
    DbArg site = db_uuid(ctx->scope.site);
    DbArg id = db_uuid(input->article_id);
    struct rows article;
    struct rows nearby;
    struct rows hubs;
    struct db_batch batch = {.lane = DB_READ};
    db_batch_add(&batch, &SQL_NEARBY_ARTICLE, ARGS(site, id), &article);
    db_batch_add(&batch, &SQL_NEARBY_ARTICLES, ARGS(site, id, db_int(input->limit)), &nearby);
    db_batch_add(&batch, &SQL_NEARBY_HUBS, ARGS(site, id), &hubs);
    TRY(db_batch_run(ctx, &batch));
    if (article.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such article.");

    struct nearby_article_reply *list =
        arena_array(ctx->arena, struct nearby_article_reply, nearby.count);
    for (uint32_t i = 0; i < nearby.count; i++)
        list[i] = nearby_of(&nearby, i);
    struct nearby_show_reply found = {
        .article = article_of(&article),
        .nearby = {list, nearby.count},
    };
    hubs_of(ctx->arena, &article, &hubs, &found);
    nearby_show_reply_write(&reply->json, &found);
    return OK;
}
