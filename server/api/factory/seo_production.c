/* /api/seo/generate-test-batch, process-queue and queue-control: a production queue at work. */
#include "base/memory/array.h"
#include "factory/production/production.h"
#include "gen/routes/factory.h"

static void put_progress(struct json_writer *w, const struct production_state *state)
{
    json_key(w, STR("progress"));
    json_object_begin(w);
    json_field_int(w, "completed", state->done);
    json_field_int(w, "total", state->total);
    /* Rounded down: 100 is all of them. */
    json_field_int(w, "percent",
                   state->total == 0 ? 100 : (int64_t)state->done * 100 / (int64_t)state->total);
    json_field_int(w, "failed", state->failed);
    json_field_int(w, "claimed", state->claimed);
    json_field_int(w, "pending", state->pending);
    json_field_int(w, "published", state->published);
    json_field_int(w, "refused", state->refused);
    json_object_end(w);
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

static void put_state(struct json_writer *w, const struct production_state *state)
{
    put_progress(w, state);
    json_field_str(w, "status", state->status);
    if (state->error.len > 0)
        json_field_str(w, "error_log", state->error);
    json_field_str(w, "next_step", next_step(state));
}

/* process-queue -------------------------------------------------------------------------------- */

static void put_complete(struct reply *reply, const struct production_state *state)
{
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_str(w, "message", STR("Queue complete"));
    json_field_int(w, "total_generated", state->done);
    json_object_end(w);
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
    if (did_nothing && str_eq(result.state.status, STR("done"))) {
        put_complete(reply, &result.state);
        return OK;
    }
    struct json_writer *w = &reply->json;
    reply->status = result.jobs > 0 ? 202 : 200;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_int(w, "generated", result.generated);
    json_field_int(w, "errors", result.errors);
    if (result.jobs > 0) {
        json_field_int(w, "queued", result.queued);
        json_field_int(w, "jobs", result.jobs);
    }
    put_state(w, &result.state);
    json_object_end(w);
    return OK;
}

/* queue-control -------------------------------------------------------------------------------- */

fiber_fn Err route_queue_control_post(struct ctx *ctx, const struct request *request,
                                      const struct queue_control_post_input *input,
                                      struct reply *reply)
{
    (void)request;
    struct production_state state;
    TRY(production_control(ctx, input->queue_id, input->action, &state));

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_uuid(w, "queue_id", input->queue_id);
    put_state(w, &state);
    json_object_end(w);
    return OK;
}

/* generate-test-batch -------------------------------------------------------------------------- */

static void put_articles(struct json_writer *w, const struct article_draft *drafts, uint32_t count)
{
    json_key(w, STR("articles"));
    json_array_begin(w);
    for (uint32_t i = 0; i < count; i++) {
        json_object_begin(w);
        json_field_uuid(w, "id", drafts[i].id);
        json_field_str(w, "headline", drafts[i].title);
        json_field_str(w, "slug", drafts[i].slug);
        json_field_int(w, "word_count", drafts[i].assembly.words);
        json_object_end(w);
    }
    json_array_end(w);
}

fiber_fn Err route_test_batch_post(struct ctx *ctx, const struct request *request,
                                   const struct test_batch_post_input *input, struct reply *reply)
{
    (void)request;
    const Uuid queue = input->queue_id;
    Uuid campaign = input->campaign_id;
    if (!uuid_is_nil(queue)) { /* by its schedule, or by the campaign alone */
        struct production_state state;
        TRY(production_find(ctx, queue, &state));
        campaign = state.campaign;
    }
    uint32_t size = (uint32_t)input->batch_size;
    struct article_draft *drafts = arena_array(ctx->arena, struct article_draft, size);
    uint32_t made;
    TRY(production_test_batch(ctx, queue, campaign, size, drafts, &made));

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    if (!uuid_is_nil(queue))
        json_field_uuid(w, "queue_id", queue);
    json_field_uuid(w, "campaign_id", campaign);
    json_field_int(w, "generated", made);
    json_field_str(w, "test_batch_status", STR("ready"));
    put_articles(w, drafts, made);
    json_field_str(w, "next_step",
                   uuid_is_nil(queue) ? STR("Look at the articles, then schedule the production.")
                                      : STR("Look at the articles, then approve the queue."));
    json_object_end(w);
    return OK;
}
