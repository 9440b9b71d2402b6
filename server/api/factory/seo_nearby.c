/* GET /api/seo/get-nearby: articles of the same county, then of the same state, and the hubs above.
 */
#include "gen/routes/factory.h"
#include "gen/sql.h"
#include "server/api/listing.h"

#include <assert.h>

/* One article, its place included; both statements have these columns in front. */
static void put_place(struct json_writer *w, const struct rows *rows, uint32_t row)
{
    static_assert((int)NEARBY_ARTICLE_STATE == (int)NEARBY_ARTICLES_STATE, "one reader for two");
    json_field_uuid(w, "id", row_uuid(rows, row, NEARBY_ARTICLES_ID));
    put_text(w, "title", row_text(rows, row, NEARBY_ARTICLES_TITLE));
    put_text(w, "url", row_text(rows, row, NEARBY_ARTICLES_PATH));
    put_text(w, "location_city", row_text(rows, row, NEARBY_ARTICLES_CITY));
    put_text(w, "location_county", row_text(rows, row, NEARBY_ARTICLES_COUNTY));
    put_text(w, "location_state", row_text(rows, row, NEARBY_ARTICLES_STATE));
}

static void put_nearby(struct json_writer *w, const struct rows *rows)
{
    json_key(w, STR("nearby"));
    json_array_begin(w);
    for (uint32_t i = 0; i < rows->count; i++) {
        json_object_begin(w);
        put_place(w, rows, i);
        json_field_str(w, "relation",
                       row_bool(rows, i, NEARBY_ARTICLES_IS_COUNTY) ? STR("county") : STR("state"));
        json_object_end(w);
    }
    json_array_end(w);
}

static void put_hub(struct json_writer *w, const struct rows *hubs, uint32_t row)
{
    json_object_begin(w);
    json_field_uuid(w, "id", row_uuid(hubs, row, NEARBY_HUBS_ID));
    put_text(w, "title", row_text(hubs, row, NEARBY_HUBS_TITLE));
    put_text(w, "url", row_text(hubs, row, NEARBY_HUBS_PATH));
    put_text(w, "level", row_text(hubs, row, NEARBY_HUBS_LEVEL));
    json_object_end(w);
}

static void put_hub_if(struct json_writer *w, const char *key, const struct rows *hubs, int64_t row)
{
    json_key(w, str_from_z(key));
    if (row < 0)
        json_put_null(w);
    else
        put_hub(w, hubs, (uint32_t)row);
}

static void put_crumb(struct json_writer *w, Str title, Str path)
{
    json_object_begin(w);
    put_text(w, "title", title);
    put_text(w, "url", path);
    json_object_end(w);
}

/* Hubs come from the article upwards; the trail goes down to it. */
static void put_hubs(struct json_writer *w, const struct rows *article, const struct rows *hubs)
{
    int64_t state = -1;
    uint32_t parents = 0;
    for (uint32_t i = 0; i < hubs->count; i++) {
        parents += row_bool(hubs, i, NEARBY_HUBS_IS_PARENT);
        if (state < 0 && str_eq(row_text(hubs, i, NEARBY_HUBS_LEVEL), STR("state")))
            state = i;
    }
    put_hub_if(w, "parent_hub", hubs, parents > 0 ? 0 : -1);
    put_hub_if(w, "state_hub", hubs, state);
    json_key(w, STR("breadcrumb"));
    json_array_begin(w);
    for (uint32_t i = parents; i-- > 0;)
        put_crumb(w, row_text(hubs, i, NEARBY_HUBS_TITLE), row_text(hubs, i, NEARBY_HUBS_PATH));
    put_crumb(w, row_text(article, 0, NEARBY_ARTICLE_TITLE),
              row_text(article, 0, NEARBY_ARTICLE_PATH));
    json_array_end(w);
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

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_key(w, STR("article"));
    json_object_begin(w);
    put_place(w, &article, 0);
    json_object_end(w);
    put_nearby(w, &nearby);
    put_hubs(w, &article, &hubs);
    json_object_end(w);
    return OK;
}
