/* POST /api/seo/scan-duplicates: finds similar articles of a site. */
#include "base/memory/array.h"
#include "base/system/range.h"
#include "factory/duplicates/duplicates.h"
#include "gen/routes/factory.h"

enum { MIN_SHARED_MAX = 100 * 1000, DETAILS_MAX = 100 };

/* A similarity up to 1, or, from older clients, the minimum number of shared shingles. */
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
                            "threshold must be a similarity from 0.05 to 1, or a whole number "
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
    duplicates_post_reply_write(&reply->json, &(struct duplicates_post_reply){
                                                  .job_id = job,
                                                  .has_job_id = true,
                                                  .message = STR("The scan is queued."),
                                              });
}

/* Examples are separated by " | ". */
static struct db_texts examples_of(struct arena *arena, Str examples)
{
    Str *list = NULL;
    uint32_t count = 0;
    uint32_t capacity = 0;
    while (examples.len > 0) {
        ptrdiff_t end = str_find(examples, STR(" | "));
        ARRAY_GROW_IN(arena, list, count, capacity, 4);
        list[count++] = end < 0 ? examples : str_slice(examples, 0, (size_t)end);
        examples = end < 0 ? STR_NONE : str_slice(examples, (size_t)end + 3, examples.len);
    }
    return (struct db_texts){list, count};
}

static Str percent_of(struct arena *arena, double share)
{
    return str_printf(arena, "%.1f%%", share * 100);
}

static struct duplicate_pair_reply pair_of(struct arena *arena, const struct duplicate *pair)
{
    return (struct duplicate_pair_reply){
        .article_a = pair->a,
        .article_b = pair->b,
        .similarity = percent_of(arena, pair->match.jaccard),
        .containment = percent_of(arena, pair->match.containment),
        .shared = pair->match.shared,
        .examples = examples_of(arena, pair->examples),
    };
}

static void put_report(struct reply *reply, struct arena *arena,
                       const struct duplicate_report *report)
{
    uint32_t count = min_u32(report->found, DETAILS_MAX);
    struct duplicate_pair_reply *pairs = arena_array(arena, struct duplicate_pair_reply, count);
    for (uint32_t i = 0; i < count; i++)
        pairs[i] = pair_of(arena, &report->list[i]);
    struct duplicates_post_reply scanned = {
        .articles_scanned = report->scanned,
        .has_articles_scanned = true,
        .collisions_found = report->found,
        .has_collisions_found = true,
        .flags_created = report->created,
        .has_flags_created = true,
        .details = {pairs, count},
        .has_details = true,
    };
    if (report->scanned < 2)
        scanned.message = STR("There are fewer than two articles to compare.");
    duplicates_post_reply_write(&reply->json, &scanned);
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
