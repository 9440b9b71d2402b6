/* /api/seo/generate-test-batch, process-queue and queue-control: executing a production
 * schedule. */
#include "base/memory/array.h"
#include "factory/production/production.h"
#include "gen/routes/factory.h"

static struct queue_progress_reply progress_of(const struct production_state *state)
{
    return (struct queue_progress_reply){
        .completed = state->done,
        .total = state->total,
        /* Rounded down: 100 only if all are done. */
        .percent = state->total == 0 ? 100 : (int64_t)state->done * 100 / (int64_t)state->total,
        .failed = state->failed,
        .claimed = state->claimed,
        .pending = state->pending,
        .published = state->published,
        .refused = state->refused,
    };
}

static Str error_of(const struct production_state *state)
{
    return state->error.len > 0 ? state->error : STR_NONE;
}

static Str next_step(const struct production_state *state)
{
    static const struct {
        Str status;
        Str sentence;
    } STEPS[] = {
        {STR_INIT("pending"), STR_INIT("Approve the queue, or make a test batch first.")},
        {STR_INIT("test_batch"), STR_INIT("Look at the test batch and approve the queue.")},
        {STR_INIT("approved"), STR_INIT("Process the queue.")},
        {STR_INIT("paused"), STR_INIT("Resume the queue, then process it.")},
        {STR_INIT("failed"), STR_INIT("See error, mend its cause, and retry the queue.")},
        {STR_INIT("done"),
         STR_INIT("Review the articles: what is approved is published at its date.")},
        {STR_INIT("cancelled"), STR_INIT("Nothing: the queue is cancelled.")},
    };
    for (size_t i = 0; i < COUNT_OF(STEPS); i++)
        if (str_eq(STEPS[i].status, state->status))
            return STEPS[i].sentence;
    return state->pending > 0 ? STR("Process the queue again.")
                              : STR("Wait for the workers to finish.");
}

/* process-queue */

static void put_complete(struct reply *reply, const struct production_state *state)
{
    process_queue_post_reply_write(&reply->json, &(struct process_queue_post_reply){
                                                     .message = STR("Queue complete"),
                                                     .total_generated = state->done,
                                                     .has_total_generated = true,
                                                 });
}

static void put_processed(struct reply *reply, const struct production_result *result)
{
    bool has_jobs = result->jobs > 0;
    reply->status = has_jobs ? 202 : 200;
    process_queue_post_reply_write(&reply->json, &(struct process_queue_post_reply){
                                                     .generated = result->generated,
                                                     .has_generated = true,
                                                     .errors = result->errors,
                                                     .has_errors = true,
                                                     .queued = result->queued,
                                                     .has_queued = has_jobs,
                                                     .jobs = result->jobs,
                                                     .has_jobs = has_jobs,
                                                     .progress = progress_of(&result->state),
                                                     .has_progress = true,
                                                     .status = result->state.status,
                                                     .error_log = error_of(&result->state),
                                                     .next_step = next_step(&result->state),
                                                 });
}

static enum job_priority priority_of(Str name)
{
    static const struct {
        Str name;
        enum job_priority priority;
    } NAMES[] = {{STR_INIT("high"), JOB_HIGH},
                 {STR_INIT("medium"), JOB_NORMAL},
                 {STR_INIT("normal"), JOB_NORMAL},
                 {STR_INIT("low"), JOB_LOW}};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        if (str_eq(NAMES[i].name, name))
            return NAMES[i].priority;
    return JOB_NORMAL;
}

fiber_fn Err route_process_queue_post(struct ctx *ctx, const struct request *request,
                                      const struct process_queue_post_input *input,
                                      struct reply *reply)
{
    (void)request;
    struct production_order order = {
        .limit = (uint32_t)input->batch_limit,
        .is_async = input->async,
        .priority = priority_of(input->priority),
    };
    struct production_result result;
    TRY(production_process(ctx, input->queue_id, &order, &result));
    bool did_nothing = result.generated + result.errors + result.queued == 0;
    if (did_nothing && str_eq(result.state.status, STR("done")))
        put_complete(reply, &result.state);
    else
        put_processed(reply, &result);
    return OK;
}

/* queue-control */

fiber_fn Err route_queue_control_post(struct ctx *ctx, const struct request *request,
                                      const struct queue_control_post_input *input,
                                      struct reply *reply)
{
    (void)request;
    struct production_state state;
    TRY(production_control(ctx, input->queue_id, input->action, &state));

    queue_control_post_reply_write(&reply->json, &(struct queue_control_post_reply){
                                                     .queue_id = input->queue_id,
                                                     .progress = progress_of(&state),
                                                     .status = state.status,
                                                     .error_log = error_of(&state),
                                                     .next_step = next_step(&state),
                                                 });
    return OK;
}

/* generate-test-batch */

static struct test_article_replies articles_of(struct arena *arena,
                                               const struct article_draft *drafts, uint32_t count)
{
    struct test_article_reply *articles = arena_array(arena, struct test_article_reply, count);
    for (uint32_t i = 0; i < count; i++)
        articles[i] = (struct test_article_reply){
            .id = drafts[i].id,
            .headline = drafts[i].title,
            .slug = drafts[i].slug,
            .word_count = drafts[i].assembly.words,
        };
    return (struct test_article_replies){articles, count};
}

fiber_fn Err route_test_batch_post(struct ctx *ctx, const struct request *request,
                                   const struct test_batch_post_input *input, struct reply *reply)
{
    (void)request;
    const Uuid queue = input->queue_id;
    Uuid campaign = input->campaign_id;
    if (!uuid_is_nil(queue)) { /* by its schedule, or by the campaign */
        struct production_state state;
        TRY(production_find(ctx, queue, &state));
        campaign = state.campaign;
    }
    uint32_t size = (uint32_t)input->batch_size;
    struct article_draft *drafts = arena_array(ctx->arena, struct article_draft, size);
    uint32_t made;
    TRY(production_test_batch(ctx, queue, campaign, size, drafts, &made));

    struct test_batch_post_reply batch = {
        .queue_id = queue,
        .campaign_id = campaign,
        .generated = made,
        .test_batch_status = STR("ready"),
        .articles = articles_of(ctx->arena, drafts, made),
        .next_step = uuid_is_nil(queue) ? STR("Look at the articles, then schedule the production.")
                                        : STR("Look at the articles, then approve the queue."),
    };
    test_batch_post_reply_write(&reply->json, &batch);
    return OK;
}
