/* POST /api/seo/generate-article: one article at once, or a batch for the workers. */
#include "factory/articles/generate.h"
#include "server/api/factory/factory.h"
#include "server/dispatch/handlers.h"

enum { TOTAL_MAX = GENERATION_JOBS_MAX * ARTICLE_BATCH_MAX, HEADLINE_MAX_LEN = 500 };

struct article_body {
    int64_t batch_size;
    int64_t total;
    bool is_async;
    Str headline;
    Str location;
    struct avatar_choice avatar;
};

static Err body_read(struct ctx *ctx, const struct json *body, struct article_body *ret)
{
    *ret = (struct article_body){.batch_size = 1};
    TRY(json_take_int(ctx, body, "batch_size", 1, TOTAL_MAX, &ret->batch_size));
    TRY(json_take_int(ctx, body, "count", 1, TOTAL_MAX, &ret->total));
    TRY(json_take_int(ctx, body, "total", 1, TOTAL_MAX, &ret->total));
    TRY(json_take_bool(ctx, body, "async", &ret->is_async));
    TRY(json_take_str(ctx, body, "headline", HEADLINE_MAX_LEN, &ret->headline));
    TRY(factory_take_avatar(ctx, body, &ret->avatar));
    if (ret->batch_size > ARTICLE_BATCH_MAX)
        ret->batch_size = ARTICLE_BATCH_MAX;
    if (ret->total == 0)
        ret->total = ret->batch_size;
    ret->is_async = ret->is_async || ret->batch_size > 1 || ret->total > 1;

    const struct json *location = json_get(body, STR("location"));
    if (!json_is_null(location) && json_kind(location) != JSON_OBJECT)
        return factory_refuse(ctx, "location", "location has to be an object");
    if (!json_is_null(location)) {
        struct geo_location place = place_from_json(location);
        ret->location = place_json(ctx->arena, NULL, &place);
    }
    bool is_single = ret->headline.len > 0 || ret->location.len > 0;
    if (is_single && ret->is_async)
        return factory_refuse(ctx, "headline",
                              "headline and location are for one article at once: leave "
                              "batch_size, total and async out");
    if (ret->location.len > 0 && ret->headline.len == 0)
        return factory_refuse(ctx, "headline", "A location needs the headline that it is for");
    return OK;
}

static fiber_fn Err start(struct ctx *ctx, Uuid campaign, const struct article_body *body,
                          struct reply *reply)
{
    struct generation_request request = {
        .campaign = campaign,
        .batch_size = (uint32_t)body->batch_size,
        .total = (uint32_t)body->total,
        .avatar = body->avatar,
    };
    Uuid id;
    uint32_t jobs;
    TRY(generation_start(ctx, &request, &id, &jobs));
    reply->status = 202;
    json_object_begin(&reply->json);
    json_field_bool(&reply->json, "success", true);
    json_field_uuid(&reply->json, "job_id", id);
    json_field_int(&reply->json, "jobs", jobs);
    json_field_int(&reply->json, "target_quantity", body->total);
    json_object_end(&reply->json);
    return OK;
}

static void put_location(struct json_writer *w, const struct geo_location *location)
{
    json_key(w, STR("location"));
    json_object_begin(w);
    json_field_str(w, "city", location->city);
    json_field_str(w, "county", location->county);
    json_field_str(w, "state", location->state);
    json_object_end(w);
}

static void put_article(struct json_writer *w, const struct article_draft *article)
{
    json_field_uuid(w, "article_id", article->id);
    json_field_str(w, "title", article->title);
    json_field_str(w, "slug", article->slug);
    json_field_str(w, "content", article->assembly.html);
    json_field_str(w, "meta_title", article->meta_title);
    json_field_str(w, "meta_description", article->meta_description);
    json_field_str(w, "status", STR("qc"));
}

static void put_single(struct reply *reply, const struct article_draft *article, bool is_made,
                       uint64_t remaining)
{
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_int(w, "generated", is_made ? 1 : 0);
    if (is_made)
        put_article(w, article);
    json_key(w, STR("articles"));
    json_array_begin(w);
    if (is_made) {
        json_object_begin(w);
        json_field_uuid(w, "id", article->id);
        json_field_str(w, "headline", article->title);
        json_field_int(w, "word_count", article->assembly.words);
        json_field_str(w, "word_count_status",
                       word_count_status_name(article->assembly.words_status));
        put_location(w, &article->location);
        json_object_end(w);
    }
    json_array_end(w);
    json_field_int(w, "remaining_headlines", (int64_t)remaining);
    json_object_end(w);
}

fiber_fn Err article_generate(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(factory_check_write(ctx));
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct article_body wanted;
    TRY(body_read(ctx, body, &wanted));
    Uuid campaign;
    TRY(factory_enter_campaign(ctx, body, &campaign));
    if (wanted.is_async)
        return start(ctx, campaign, &wanted, reply);

    struct single_request single = {
        .campaign = campaign,
        .headline = wanted.headline,
        .location = wanted.location,
        .avatar = wanted.avatar,
    };
    struct article_draft *article = arena_new(ctx->arena, struct article_draft);
    bool is_made;
    uint64_t remaining;
    TRY(generation_single(ctx, &single, article, &is_made, &remaining));
    put_single(reply, article, is_made, remaining);
    return OK;
}
