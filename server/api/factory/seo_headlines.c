/* /api/seo/generate-headlines: writes a campaign's headlines to its inventory, or previews them. */
#include "factory/headlines/headline_store.h"
#include "gen/routes/factory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* "*" and "all" select every pattern. */
static Err take_key(struct ctx *ctx, const struct json *value, struct headline_run *run, Str *keys)
{
    Str key = json_kind(value) == JSON_STRING ? str_trim(json_str(value)) : STR_NONE;
    if (key.len == 0 || key.len > HEADLINE_PATTERN_KEY_MAX)
        return field_refuse(ctx, "patterns", "patterns must be an array of pattern keys");
    keys[run->pattern_count++] = str_eq(key, STR("all")) ? STR("*") : key;
    run->patterns = keys;
    return OK;
}

static Err patterns_read(struct ctx *ctx, const struct json *one, const struct json *all,
                         struct headline_run *run)
{
    static_assert(HEADLINE_PATTERNS_MAX == 100, "the sentence below");
    Str *keys = arena_array(ctx->arena, Str, HEADLINE_PATTERNS_MAX);
    if (!json_is_null(one))
        TRY(take_key(ctx, one, run, keys));
    else if (json_kind(all) == JSON_STRING)
        TRY(take_key(ctx, all, run, keys));
    else if (!json_is_null(all) && (json_kind(all) != JSON_ARRAY || json_len(all) == 0 ||
                                    json_len(all) > HEADLINE_PATTERNS_MAX))
        return field_refuse(ctx, "patterns", "patterns must be an array of 1 to 100 keys");
    else
        for (uint32_t i = 0; i < json_len(all); i++)
            TRY(take_key(ctx, json_at(all, i), run, keys));
    if (run->pattern_count > 0 && run->spintax_root.len > 0)
        return field_refuse(ctx, "patterns", "Send patterns or spintax_root, not both");
    return OK;
}

Err route_headlines_post_check(struct ctx *ctx, struct headlines_post_input *input)
{
    input->run = (struct headline_run){
        .spintax_root = input->spintax_root,
        .max = (uint64_t)input->max_headlines,
        .has_offset = input->has_offset,
        .offset = (uint64_t)input->offset,
    };
    input->async = input->async || input->max_headlines > HEADLINES_SYNC_MAX;
    return patterns_read(ctx, input->pattern, input->patterns, &input->run);
}

/* The numbers for each pattern. */
static struct headline_pattern_replies patterns_of(struct arena *arena,
                                                   const struct headline_numbers *numbers)
{
    struct headline_pattern_reply *patterns =
        arena_array(arena, struct headline_pattern_reply, numbers->origin_count);
    for (uint32_t i = 0; i < numbers->origin_count; i++) {
        const struct headline_origin *origin = &numbers->origins[i];
        patterns[i] = (struct headline_pattern_reply){
            .pattern = origin->pattern,
            .id = origin->id,
            .formula = origin->formula,
            .spintaxCombinations = origin->texts,
            .nicheCount = origin->niches,
            .locationCount = origin->locations,
            .totalPossible = origin->total,
        };
    }
    return (struct headline_pattern_replies){patterns, numbers->origin_count};
}

static void put_result(struct ctx *ctx, struct reply *reply, const struct headline_result *result)
{
    const struct headline_numbers *numbers = &result->numbers;
    struct headlines_post_reply made = {
        .generated = result->inserted,
        .has_generated = true,
        .next_offset = result->next_offset,
        .has_next_offset = true,
        .metadata = {.template = numbers->template,
                     .slotCount = numbers->slots,
                     .spintaxCombinations = numbers->combinations,
                     .locationCount = numbers->locations,
                     .totalPossible = numbers->total,
                     .wasTruncated = result->was_truncated,
                     .patterns = patterns_of(ctx->arena, numbers),
                     .has_patterns = numbers->origin_count > 0},
        .has_metadata = true,
        .results = {.processed = result->processed,
                    .inserted = result->inserted,
                    .skipped = result->processed - result->inserted,
                    .alreadyExisted = result->existed},
        .has_results = true,
        .headlines = result->page.len > 0 ? result->page : STR("[]"),
    };
    headlines_post_reply_write(&reply->json, &made);
}

static fiber_fn Err queue(struct ctx *ctx, const struct campaign *campaign,
                          const struct headline_run *run, struct reply *reply)
{
    struct headlines_post_reply queued = {.jobs = 1, .has_jobs = true};
    TRY(headlines_queue(ctx, campaign, run, &queued.job_id));
    reply->status = 202;
    headlines_post_reply_write(&reply->json, &queued);
    return OK;
}

fiber_fn Err route_headlines_post(struct ctx *ctx, const struct request *request,
                                  const struct headlines_post_input *input, struct reply *reply)
{
    (void)request;
    struct campaign campaign;
    TRY(campaign_find(ctx, input->campaign_id, &campaign));
    if (input->async)
        return queue(ctx, &campaign, &input->run, reply);
    struct headline_result result;
    TRY(headlines_generate(ctx, &campaign, &input->run, &result));
    put_result(ctx, reply, &result);
    return OK;
}

/* patterns=a,b or patterns=all */
static Err query_patterns(struct ctx *ctx, Str rest, struct headline_run *run)
{
    Str *keys = arena_array(ctx->arena, Str, HEADLINE_PATTERNS_MAX);
    Str key;
    while (str_next(&rest, ',', &key)) {
        key = str_trim(key);
        if (key.len == 0 || run->pattern_count == HEADLINE_PATTERNS_MAX)
            return fail(ctx, ERR_INVALID_QUERY, "\"patterns\" must name 1 to %d patterns",
                        HEADLINE_PATTERNS_MAX);
        keys[run->pattern_count++] = str_eq(key, STR("all")) ? STR("*") : key;
    }
    run->patterns = keys;
    return OK;
}

fiber_fn Err route_headlines_show(struct ctx *ctx, const struct request *request,
                                  const struct headlines_show_input *input, struct reply *reply)
{
    (void)request;
    uint32_t count = (uint32_t)input->preview;
    struct campaign campaign;
    TRY(campaign_find(ctx, input->campaign_id, &campaign));
    struct headline_run run = {0};
    TRY(query_patterns(ctx, input->patterns, &run));
    struct headline_numbers numbers;
    uint64_t stored;
    Str page;
    TRY(headlines_preview(ctx, &campaign, &run, count, &numbers, &stored, &page));

    struct headlines_show_reply found = {
        .metadata = {.template = numbers.template,
                     .slotCount = numbers.slots,
                     .totalSpintaxCombinations = numbers.combinations,
                     .locationCount = numbers.locations,
                     .totalPossibleCombinations = numbers.total,
                     .generatedCount = stored,
                     .next_offset = campaign.headline_cursor,
                     .wasTruncated = numbers.total > count,
                     .patterns = patterns_of(ctx->arena, &numbers),
                     .has_patterns = numbers.origin_count > 0},
        .preview = page,
    };
    headlines_show_reply_write(&reply->json, &found);
    return OK;
}
