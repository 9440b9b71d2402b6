/* /api/seo/approve-batch and /api/seo/publish-article: what an editor decides about articles. */
#include "factory/review/review.h"
#include "gen/routes/factory.h"

static fiber_fn Err approve_queue(struct ctx *ctx, Uuid queue, bool is_approved,
                                  struct reply *reply)
{
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

static fiber_fn Err approve_articles(struct ctx *ctx, const struct approve_post_input *input,
                                     struct reply *reply)
{
    const uint32_t count = input->article_ids.count;
    struct approval_terms terms = {
        .waives_word_target = input->waive_word_target,
        .reason = input->reason,
    };
    struct approval *approvals = arena_array(ctx->arena, struct approval, count);
    TRY(articles_approve(ctx, &terms, input->article_ids.list, count, approvals));

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

fiber_fn Err route_approve_post(struct ctx *ctx, const struct request *request,
                                const struct approve_post_input *input, struct reply *reply)
{
    (void)request;
    if (input->article_ids.count == 0)
        return approve_queue(ctx, input->queue_id, input->approved, reply);
    return approve_articles(ctx, input, reply);
}

fiber_fn Err route_publish_post(struct ctx *ctx, const struct request *request,
                                const struct publish_post_input *input, struct reply *reply)
{
    (void)request;
    bool is_draft = str_eq(input->status, STR("draft"));
    struct published_post post;
    TRY(article_publish(ctx, input->article_id, is_draft, &post));

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

fiber_fn Err route_publish_put(struct ctx *ctx, const struct request *request,
                               const struct publish_put_input *input, struct reply *reply)
{
    (void)request;
    bool is_draft = str_eq(input->status, STR("draft"));
    const uint32_t count = input->article_ids.count;
    struct json_writer *w = &reply->json;
    uint32_t published = 0;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_key(w, STR("results"));
    json_array_begin(w);
    for (uint32_t i = 0; i < count; i++) {
        bool is_published;
        TRY(publish_one(ctx, w, input->article_ids.list[i], is_draft, &is_published));
        published += is_published ? 1 : 0;
    }
    json_array_end(w);
    json_field_int(w, "published", published);
    json_field_int(w, "total", count);
    json_object_end(w);
    return OK;
}
