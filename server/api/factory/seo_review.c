/* /api/seo/approve-batch and /api/seo/publish-article: an editor's decisions about articles. */
#include "factory/review/review.h"
#include "gen/routes/factory.h"

static fiber_fn Err approve_queue(struct ctx *ctx, Uuid queue, bool is_approved,
                                  struct reply *reply)
{
    TRY(queue_decide(ctx, queue, is_approved));

    struct approve_post_reply decided = {
        .queue_id = queue,
        .status = is_approved ? STR("approved") : STR("pending"),
        .next_step = is_approved ? STR("Process the queue to generate its articles.")
                                 : STR("Change the campaign and make a new test batch."),
    };
    approve_post_reply_write(&reply->json, &decided);
    return OK;
}

static struct skipped_article_reply skipped_of(struct ctx *ctx, const struct approval *approval)
{
    Str reason = STR("There is no such article.");
    if (approval->status.len > 0)
        reason = str_printf(ctx->arena, "It is %.*s, not qc.", STR_FMT(approval->status));
    return (struct skipped_article_reply){approval->id, reason};
}

static void put_approvals(struct ctx *ctx, struct json_writer *w, const struct approval *approvals,
                          uint32_t count)
{
    struct skipped_article_reply *skipped =
        arena_array(ctx->arena, struct skipped_article_reply, count);
    uint32_t skipped_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!approvals[i].is_approved)
            skipped[skipped_count++] = skipped_of(ctx, &approvals[i]);
    approve_post_reply_write(w, &(struct approve_post_reply){
                                    .approved = count - skipped_count,
                                    .has_approved = true,
                                    .skipped = {skipped, skipped_count},
                                    .has_skipped = true,
                                });
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

    put_approvals(ctx, &reply->json, approvals, count);
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

    publish_post_reply_write(&reply->json, &(struct publish_post_reply){
                                               .post_id = post.id,
                                               .slug = post.slug,
                                               .status = is_draft ? STR("draft") : STR("published"),
                                               .message = is_draft ? STR("The post is a draft.")
                                                                   : STR("The post is published."),
                                           });
    return OK;
}

/* An article that cannot be published is reported in its own result and does not stop the
 * others. */
static fiber_fn Err publish_one(struct ctx *ctx, Uuid article, bool is_draft,
                                struct publication_reply *ret, bool *ret_is_published)
{
    struct published_post post;
    Err err = article_publish(ctx, article, is_draft, &post);
    bool is_refused = err == ERR_NOT_FOUND || err == ERR_CONFLICT || err == ERR_FAILED_VALIDATION ||
                      err == ERR_QUALITY_GATE;
    if (err != OK && !is_refused)
        return err;
    *ret = (struct publication_reply){.article_id = article};
    if (err == OK) {
        ret->post_id = post.id;
        ret->slug = post.slug;
    } else {
        ret->error = diag_message(ctx, ctx->diag.last);
        ret->code = str_from_z(err_info(err)->code);
        diag_clear(ctx);
    }
    *ret_is_published = err == OK;
    return OK;
}

fiber_fn Err route_publish_put(struct ctx *ctx, const struct request *request,
                               const struct publish_put_input *input, struct reply *reply)
{
    (void)request;
    bool is_draft = str_eq(input->status, STR("draft"));
    const uint32_t count = input->article_ids.count;
    struct publication_reply *results = arena_array(ctx->arena, struct publication_reply, count);
    uint32_t published = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_published;
        TRY(publish_one(ctx, input->article_ids.list[i], is_draft, &results[i], &is_published));
        published += is_published ? 1 : 0;
    }
    publish_put_reply_write(&reply->json, &(struct publish_put_reply){
                                              .results = {results, count},
                                              .published = published,
                                              .total = count,
                                          });
    return OK;
}
