/* POST /api/seo/schedule-production: creates a production schedule with a date for each article. */
#include "base/system/clock.h"
#include "base/system/range.h"
#include "factory/production/production.h"
#include "gen/routes/factory.h"

/* Ten characters are a day in the site's time zone; a longer text is an instant. */
static Err take_bound(struct ctx *ctx, Str text, const char *key, struct production_bound *ret)
{
    enum { DATE_LEN = 10 };
    if (text.len == 0)
        return OK;
    int64_t wall_us;
    if (!clock_parse_iso(text, &wall_us)) {
        return fail_noted(ctx, ERR_FAILED_VALIDATION, "field",
                          str_printf(ctx->arena, "date_range.%s", key),
                          "date_range.%s must be a date (2026-05-01) or an instant "
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
    enum velocity_mode mode;
    TRY(take_bound(ctx, input->date_range_start, "start", &input->start));
    TRY(take_bound(ctx, input->date_range_end, "end", &input->until));
    if (input->velocity_mode.len > 0 && !velocity_mode_parse(input->velocity_mode, &mode))
        return field_refuse(ctx, "velocity.mode",
                            "velocity.mode must be STEADY, RAMP_UP or SPIKES");
    return OK;
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

static struct schedule_velocity_reply velocity_of(const struct production_plan *plan)
{
    return (struct schedule_velocity_reply){
        .mode = velocity_mode_name(plan->velocity.mode),
        .weekend_throttle = plan->velocity.throttles_weekends,
        .jitter_minutes = plan->velocity.jitter_minutes,
        .business_hours = plan->is_business,
        .time_zone = plan->time_zone,
        .seed = (int64_t)plan->velocity.seed,
    };
}

static struct schedule_day_replies sample_of(struct arena *arena,
                                             const struct production_plan *plan)
{
    uint32_t count = min_u32(plan->velocity.day_count, PRODUCTION_SAMPLE_DAYS);
    struct schedule_day_reply *days = arena_array(arena, struct schedule_day_reply, count);
    for (uint32_t i = 0; i < count; i++)
        days[i] = (struct schedule_day_reply){plan->dates[i], plan->counts[i]};
    return (struct schedule_day_replies){days, count};
}

fiber_fn Err route_schedule_post(struct ctx *ctx, const struct request *request,
                                 const struct schedule_post_input *input, struct reply *reply)
{
    (void)request;
    struct production_request wanted = request_of(input);
    struct production_plan plan;
    TRY(production_schedule(ctx, &wanted, &plan));

    struct schedule_post_reply made = {
        .queue_id = plan.queue,
        .status = plan.status,
        .total_scheduled = plan.velocity.total,
        .date_range = {plan.velocity.from_us, plan.velocity.until_us},
        .velocity = velocity_of(&plan),
        .next_step = wanted.is_test_first
                         ? STR("Generate a test batch, look at it, and approve the queue.")
                         : STR("Approve the queue, then process it."),
        .sample_distribution = sample_of(ctx->arena, &plan),
        .warnings = {plan.warnings, plan.warning_count},
    };
    schedule_post_reply_write(&reply->json, &made);
    return OK;
}
