/* /api/seo/generate-headlines: a campaign's headlines into its inventory, or a look at them. */
#include "factory/headlines/headline_store.h"
#include "gen/routes/factory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static void put_u64(struct reply *reply, const char *key, uint64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, value);
    json_key(&reply->json, str_from_z(key));
    json_put_raw(&reply->json, str_of(text, (size_t)len));
}

/* "*" and "all" alone mean every pattern. */
static Err take_key(struct ctx *ctx, const struct json *value, struct headline_run *run, Str *keys)
{
    Str key = json_kind(value) == JSON_STRING ? str_trim(json_str(value)) : STR_NONE;
    if (key.len == 0 || key.len > HEADLINE_PATTERN_KEY_MAX)
        return field_refuse(ctx, "patterns", "patterns has to be an array of pattern keys");
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
        return field_refuse(ctx, "patterns", "patterns has to be an array of 1 to 100 keys");
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

/* The table of a run over patterns: what each formula is good for. */
static void put_origins(struct reply *reply, const struct headline_numbers *numbers)
{
    struct json_writer *w = &reply->json;
    if (numbers->origin_count == 0)
        return;
    json_key(w, STR("patterns"));
    json_array_begin(w);
    for (uint32_t i = 0; i < numbers->origin_count; i++) {
        const struct headline_origin *origin = &numbers->origins[i];
        json_object_begin(w);
        json_field_str(w, "pattern", origin->pattern);
        json_field_str(w, "id", origin->id);
        json_field_str(w, "formula", origin->formula);
        put_u64(reply, "spintaxCombinations", origin->texts);
        json_field_int(w, "nicheCount", origin->niches);
        json_field_int(w, "locationCount", origin->locations);
        put_u64(reply, "totalPossible", origin->total);
        json_object_end(w);
    }
    json_array_end(w);
}

static void put_result(struct reply *reply, const struct headline_result *result)
{
    struct json_writer *w = &reply->json;
    const struct headline_numbers *numbers = &result->numbers;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    put_u64(reply, "generated", result->inserted);
    put_u64(reply, "next_offset", result->next_offset);
    json_key(w, STR("metadata"));
    json_object_begin(w);
    json_field_str(w, "template", numbers->template);
    json_field_int(w, "slotCount", numbers->slots);
    put_u64(reply, "spintaxCombinations", numbers->combinations);
    json_field_int(w, "locationCount", numbers->locations);
    put_u64(reply, "totalPossible", numbers->total);
    json_field_bool(w, "wasTruncated", result->was_truncated);
    put_origins(reply, numbers);
    json_object_end(w);
    json_key(w, STR("results"));
    json_object_begin(w);
    put_u64(reply, "processed", result->processed);
    put_u64(reply, "inserted", result->inserted);
    put_u64(reply, "skipped", result->processed - result->inserted);
    put_u64(reply, "alreadyExisted", result->existed);
    json_object_end(w);
    json_field_raw(w, "headlines", result->page.len > 0 ? result->page : STR("[]"));
    json_object_end(w);
}

static fiber_fn Err queue(struct ctx *ctx, const struct campaign *campaign,
                          const struct headline_run *run, struct reply *reply)
{
    Uuid batch;
    TRY(headlines_queue(ctx, campaign, run, &batch));
    reply->status = 202;
    json_object_begin(&reply->json);
    json_field_bool(&reply->json, "success", true);
    json_field_uuid(&reply->json, "job_id", batch);
    json_field_int(&reply->json, "jobs", 1);
    json_object_end(&reply->json);
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
    put_result(reply, &result);
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
            return fail(ctx, ERR_INVALID_QUERY, "\"patterns\" has to name 1 to %d patterns",
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

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_key(w, STR("metadata"));
    json_object_begin(w);
    json_field_str(w, "template", numbers.template);
    json_field_int(w, "slotCount", numbers.slots);
    put_u64(reply, "totalSpintaxCombinations", numbers.combinations);
    json_field_int(w, "locationCount", numbers.locations);
    put_u64(reply, "totalPossibleCombinations", numbers.total);
    put_u64(reply, "generatedCount", stored);
    put_u64(reply, "next_offset", campaign.headline_cursor);
    json_field_bool(w, "wasTruncated", numbers.total > count);
    put_origins(reply, &numbers);
    json_object_end(w);
    json_field_raw(w, "preview", page);
    json_object_end(w);
    return OK;
}
