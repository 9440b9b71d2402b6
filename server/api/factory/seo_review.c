/* /api/seo/approve-batch and /api/seo/publish-article: what an editor decides about articles. */
#include "factory/review/review.h"
#include "gen/sql.h"
#include "server/api/factory/factory.h"
#include "server/dispatch/handlers.h"

static fiber_fn Err approve_queue(struct ctx *ctx, const struct json *body, Uuid named,
                                  struct reply *reply)
{
    Uuid queue = {0};
    bool is_approved = true;
    TRY(json_take_uuid(ctx, body, "queue_id", &queue));
    TRY(json_take_bool(ctx, body, "approved", &is_approved));
    if (uuid_is_nil(queue))
        return factory_refuse(ctx, "queue_id", "queue_id or article_ids is required");
    TRY(factory_enter(ctx, named, &(struct factory_subject){&SQL_QUEUE_SITES, "queue", &queue, 1}));
    TRY(queue_decide(ctx, queue, is_approved));

    json_object_begin(&reply->json);
    json_field_bool(&reply->json, "success", true);
    json_field_uuid(&reply->json, "queue_id", queue);
    json_field_str(&reply->json, "status", is_approved ? STR("approved") : STR("pending"));
    json_field_str(&reply->json, "next_step",
                   is_approved ? STR("Process the queue to generate its articles.")
                               : STR("Change the campaign and make a new test batch."));
    json_object_end(&reply->json);
    return OK;
}

static void put_skipped(struct json_writer *w, struct ctx *ctx, const struct approval *approval)
{
    json_object_begin(w);
    json_field_uuid(w, "id", approval->id);
    Str reason = STR("There is no such article.");
    if (approval->status.len > 0)
        reason = str_printf(ctx->arena, "It is %.*s, not qc.", STR_FMT(approval->status));
    json_field_str(w, "reason", reason);
    json_object_end(w);
}

static fiber_fn Err approve_articles(struct ctx *ctx, const struct json *body, Uuid named,
                                     struct reply *reply)
{
    Uuid *ids;
    uint32_t count;
    struct approval_terms terms = {.reason = STR_NONE};
    TRY(json_take_bool(ctx, body, "waive_word_target", &terms.waives_word_target));
    TRY(json_take_str(ctx, body, "reason", REVIEW_REASON_MAX, &terms.reason));
    TRY(factory_take_ids(ctx, body, "article_ids", REVIEW_ARTICLES_MAX, &ids, &count));
    TRY(factory_enter(ctx, named,
                      &(struct factory_subject){&SQL_ARTICLE_SITES, "article", ids, count}));
    struct approval *approvals = arena_array(ctx->arena, struct approval, count);
    TRY(articles_approve(ctx, &terms, ids, count, approvals));

    struct json_writer *w = &reply->json;
    uint32_t approved = 0;
    for (uint32_t i = 0; i < count; i++)
        approved += approvals[i].is_approved ? 1 : 0;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_int(w, "approved", approved);
    json_key(w, STR("skipped"));
    json_array_begin(w);
    for (uint32_t i = 0; i < count; i++)
        if (!approvals[i].is_approved)
            put_skipped(w, ctx, &approvals[i]);
    json_array_end(w);
    json_object_end(w);
    return OK;
}

fiber_fn Err approve_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(factory_check_write(ctx));
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    Uuid named;
    TRY(factory_named_site(ctx, body, &named));
    if (json_is_null(json_get(body, STR("article_ids"))))
        return approve_queue(ctx, body, named, reply);
    return approve_articles(ctx, body, named, reply);
}

/* A post is born as a draft unless the caller says so. */
static Err take_status(struct ctx *ctx, const struct json *body, bool *ret_is_draft)
{
    Str status = STR("draft");
    TRY(json_take_str(ctx, body, "status", 20, &status));
    *ret_is_draft = str_eq(status, STR("draft"));
    if (!*ret_is_draft && !str_eq(status, STR("published")))
        return factory_refuse(ctx, "status", "status has to be draft or published");
    return OK;
}

fiber_fn Err publish_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(factory_check_write(ctx));
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    Uuid article = {0};
    Uuid named;
    bool is_draft;
    TRY(json_take_uuid(ctx, body, "article_id", &article));
    TRY(factory_named_site(ctx, body, &named));
    TRY(take_status(ctx, body, &is_draft));
    if (uuid_is_nil(article))
        return factory_refuse(ctx, "article_id", "article_id is required");
    TRY(factory_enter(ctx, named,
                      &(struct factory_subject){&SQL_ARTICLE_SITES, "article", &article, 1}));
    struct published_post post;
    TRY(article_publish(ctx, article, is_draft, &post));

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_uuid(w, "post_id", post.id);
    json_field_str(w, "slug", post.slug);
    json_field_str(w, "status", is_draft ? STR("draft") : STR("published"));
    json_field_str(w, "message",
                   is_draft ? STR("The post is a draft.") : STR("The post is published."));
    json_object_end(w);
    return OK;
}

/* One article that cannot be published is its own result, not the end of the others. */
static fiber_fn Err publish_one(struct ctx *ctx, struct json_writer *w, Uuid article, bool is_draft,
                                bool *ret_is_published)
{
    struct published_post post;
    Err err = article_publish(ctx, article, is_draft, &post);
    bool is_refused = err == ERR_NOT_FOUND || err == ERR_CONFLICT || err == ERR_FAILED_VALIDATION ||
                      err == ERR_QUALITY_GATE;
    if (err != OK && !is_refused)
        return err;
    json_object_begin(w);
    json_field_uuid(w, "article_id", article);
    if (err == OK) {
        json_field_uuid(w, "post_id", post.id);
        json_field_str(w, "slug", post.slug);
    } else {
        json_field_str(w, "error", diag_message(ctx, ctx->diag.last));
        json_field_str(w, "code", str_from_z(err_info(err)->code));
        diag_clear(ctx);
    }
    json_object_end(w);
    *ret_is_published = err == OK;
    return OK;
}

fiber_fn Err publish_put(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(factory_check_write(ctx));
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    Uuid *ids;
    uint32_t count;
    Uuid named;
    bool is_draft;
    TRY(factory_take_ids(ctx, body, "article_ids", PUBLISH_BULK_MAX, &ids, &count));
    TRY(factory_named_site(ctx, body, &named));
    TRY(take_status(ctx, body, &is_draft));
    TRY(factory_enter(ctx, named,
                      &(struct factory_subject){&SQL_ARTICLE_SITES, "article", ids, count}));

    struct json_writer *w = &reply->json;
    uint32_t published = 0;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_key(w, STR("results"));
    json_array_begin(w);
    for (uint32_t i = 0; i < count; i++) {
        bool is_published;
        TRY(publish_one(ctx, w, ids[i], is_draft, &is_published));
        published += is_published ? 1 : 0;
    }
    json_array_end(w);
    json_field_int(w, "published", published);
    json_field_int(w, "total", count);
    json_object_end(w);
    return OK;
}
