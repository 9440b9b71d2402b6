/* POST /api/seo/scan-duplicates: which articles of a site say much the same. */
#include "factory/duplicates/duplicates.h"
#include "gen/routes/factory.h"

enum { MIN_SHARED_MAX = 100 * 1000, DETAILS_MAX = 100 };

/* A share of 1; or, as older clients say it, how many shingles have to be shared. */
static Err take_threshold(struct ctx *ctx, struct duplicates_post_input *input)
{
    const struct json *threshold = input->threshold;
    if (json_is_null(threshold))
        return OK;
    bool is_number = json_kind(threshold) == JSON_INT || json_kind(threshold) == JSON_REAL;
    if (is_number && json_number(threshold) >= 0.05 && json_number(threshold) <= 1)
        input->review = json_number(threshold);
    else if (json_kind(threshold) == JSON_INT && json_int(threshold) > 1 &&
             json_int(threshold) <= MIN_SHARED_MAX)
        input->min_shared = json_int(threshold);
    else
        return field_refuse(ctx, "threshold",
                            "threshold has to be a similarity from 0.05 to 1, or a whole number "
                            "of shared shingles from 2 to 100000");
    return OK;
}

Err route_duplicates_post_check(struct ctx *ctx, struct duplicates_post_input *input)
{
    TRY(take_threshold(ctx, input));
    if (input->batch_ids.count > 0 && !uuid_is_nil(input->queue_id))
        return field_refuse(ctx, "queue_id", "Send queue_id or batch_ids, not both");
    return OK;
}

static void put_job(struct reply *reply, int64_t job)
{
    reply->status = 202;
    json_object_begin(&reply->json);
    json_field_bool(&reply->json, "success", true);
    json_field_int(&reply->json, "job_id", job);
    json_field_str(&reply->json, "message", STR("The scan is queued."));
    json_object_end(&reply->json);
}

static void put_examples(struct json_writer *w, Str examples)
{
    json_key(w, STR("examples"));
    json_array_begin(w);
    while (examples.len > 0) {
        ptrdiff_t end = str_find(examples, STR(" | "));
        json_put_str(w, end < 0 ? examples : str_slice(examples, 0, (size_t)end));
        examples = end < 0 ? STR_NONE : str_slice(examples, (size_t)end + 3, examples.len);
    }
    json_array_end(w);
}

static void put_percent(struct json_writer *w, struct arena *arena, const char *key, double share)
{
    json_field_str(w, key, str_printf(arena, "%.1f%%", share * 100));
}

static void put_pair(struct json_writer *w, struct arena *arena, const struct duplicate *pair)
{
    json_object_begin(w);
    json_field_uuid(w, "article_a", pair->a);
    json_field_uuid(w, "article_b", pair->b);
    put_percent(w, arena, "similarity", pair->match.jaccard);
    put_percent(w, arena, "containment", pair->match.containment);
    json_field_int(w, "shared", pair->match.shared);
    put_examples(w, pair->examples);
    json_object_end(w);
}

static void put_report(struct reply *reply, struct arena *arena,
                       const struct duplicate_report *report)
{
    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    if (report->scanned < 2)
        json_field_str(w, "message", STR("There are fewer than two articles to compare."));
    json_field_int(w, "articles_scanned", report->scanned);
    json_field_int(w, "collisions_found", report->found);
    json_field_int(w, "flags_created", report->created);
    json_key(w, STR("details"));
    json_array_begin(w);
    for (uint32_t i = 0; i < report->found && i < DETAILS_MAX; i++)
        put_pair(w, arena, &report->list[i]);
    json_array_end(w);
    json_object_end(w);
}

fiber_fn Err route_duplicates_post(struct ctx *ctx, const struct request *request,
                                   const struct duplicates_post_input *input, struct reply *reply)
{
    (void)request;
    struct duplicate_request wanted = {
        .review = input->review,
        .min_shared = input->min_shared,
        .words = input->ngram_size,
        .queue = input->queue_id,
        .ids = input->batch_ids.list,
        .id_count = input->batch_ids.count,
    };
    struct duplicate_report report = {0};
    int64_t job;
    TRY(duplicates_scan(ctx, &wanted, &report, &job));
    if (job != 0)
        put_job(reply, job);
    else
        put_report(reply, ctx->arena, &report);
    return OK;
}
