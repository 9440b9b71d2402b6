/* POST /api/seo/schedule-production: a queue with a date for each article to be. */
#include "base/system/clock.h"
#include "factory/production/production.h"
#include "gen/routes/factory.h"

/* A date of ten characters is a day in the site's zone; anything longer is an instant. */
static Err take_bound(struct ctx *ctx, Str text, const char *key, struct production_bound *ret)
{
    enum { DATE_LEN = 10 };
    if (text.len == 0)
        return OK;
    int64_t wall_us;
    if (!clock_parse_iso(text, &wall_us)) {
        return fail_noted(ctx, ERR_FAILED_VALIDATION, "field",
                          str_printf(ctx->arena, "date_range.%s", key),
                          "date_range.%s has to be a date (2026-05-01) or an instant "
                          "(2026-05-01T09:00:00Z)",
                          key);
    }
    *ret = (struct production_bound){.date = text.len == DATE_LEN ? text : STR_NONE,
                                     .has_instant = text.len != DATE_LEN,
                                     .instant_us = wall_us};
    return OK;
}

Err route_schedule_post_check(struct ctx *ctx, struct schedule_post_input *input)
{
    TRY(take_bound(ctx, input->date_range_start, "start", &input->start));
    return take_bound(ctx, input->date_range_end, "end", &input->until);
}

static struct production_request request_of(const struct schedule_post_input *input)
{
    struct production_request wanted = {
        .campaign = input->campaign_id,
        .total = (uint32_t)input->total_articles,
        .start = input->start,
        .until = input->until,
        .has_throttle = input->has_velocity_weekend_throttle,
        .has_jitter = input->has_velocity_jitter_minutes,
        .has_hours = input->has_velocity_business_hours,
        .has_seed = input->has_velocity_seed,
        .throttles_weekends = input->velocity_weekend_throttle,
        .is_business = input->velocity_business_hours,
        .jitter_minutes = (uint32_t)input->velocity_jitter_minutes,
        .seed = (uint64_t)input->velocity_seed,
        .is_test_first = input->test_batch_first,
    };
    wanted.has_mode = velocity_mode_parse(input->velocity_mode, &wanted.mode);
    return wanted;
}

static void put_velocity(struct json_writer *w, const struct production_plan *plan)
{
    const struct velocity_plan *velocity = &plan->velocity;
    json_key(w, STR("date_range"));
    json_object_begin(w);
    json_key(w, STR("start"));
    json_put_time(w, velocity->from_us);
    json_key(w, STR("end"));
    json_put_time(w, velocity->until_us);
    json_object_end(w);
    json_key(w, STR("velocity"));
    json_object_begin(w);
    json_field_str(w, "mode", velocity_mode_name(velocity->mode));
    json_field_bool(w, "weekend_throttle", velocity->throttles_weekends);
    json_field_int(w, "jitter_minutes", velocity->jitter_minutes);
    json_field_bool(w, "business_hours", plan->is_business);
    json_field_str(w, "time_zone", plan->time_zone);
    json_field_int(w, "seed", (int64_t)velocity->seed);
    json_object_end(w);
}

static void put_sample(struct json_writer *w, const struct production_plan *plan)
{
    json_key(w, STR("sample_distribution"));
    json_array_begin(w);
    for (uint32_t i = 0; i < plan->velocity.day_count && i < PRODUCTION_SAMPLE_DAYS; i++) {
        json_object_begin(w);
        json_field_str(w, "date", plan->dates[i]);
        json_field_int(w, "count", plan->counts[i]);
        json_object_end(w);
    }
    json_array_end(w);
    json_key(w, STR("warnings"));
    json_array_begin(w);
    for (uint32_t i = 0; i < plan->warning_count; i++)
        json_put_str(w, plan->warnings[i]);
    json_array_end(w);
}

fiber_fn Err route_schedule_post(struct ctx *ctx, const struct request *request,
                                 const struct schedule_post_input *input, struct reply *reply)
{
    (void)request;
    struct production_request wanted = request_of(input);
    struct production_plan plan;
    TRY(production_schedule(ctx, &wanted, &plan));

    struct json_writer *w = &reply->json;
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_uuid(w, "queue_id", plan.queue);
    json_field_str(w, "status", plan.status);
    json_field_int(w, "total_scheduled", plan.velocity.total);
    put_velocity(w, &plan);
    json_field_str(w, "next_step",
                   wanted.is_test_first
                       ? STR("Generate a test batch, look at it, and approve the queue.")
                       : STR("Approve the queue, then process it."));
    put_sample(w, &plan);
    json_object_end(w);
    return OK;
}
