/* POST /api/seo/schedule-production: a queue with a date for each article to be. */
#include "base/system/clock.h"
#include "factory/production/production.h"
#include "server/api/factory/factory.h"
#include "server/dispatch/handlers.h"

enum { BOUND_MAX = 40, MODE_MAX = 40 };
#define SEED_MAX ((INT64_C(1) << 53) - 1)

/* A date of ten characters is a day in the site's zone; anything longer is an instant. */
static Err take_bound(struct ctx *ctx, const struct json *range, const char *key,
                      struct production_bound *ret)
{
    enum { DATE_LEN = 10 };
    Str text = STR_NONE;
    TRY(json_take_str(ctx, range, key, BOUND_MAX, &text));
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

static Err take_part(struct ctx *ctx, const struct json *body, const char *key,
                     const struct json **ret)
{
    *ret = json_get(body, str_from_z(key));
    if (json_is_null(*ret) || json_kind(*ret) == JSON_OBJECT)
        return OK;
    return factory_refuse(ctx, key,
                          str_z(ctx->arena, str_printf(ctx->arena, "%s has to be an object", key)));
}

static bool has(const struct json *object, Str key)
{
    return !json_is_null(json_get(object, key));
}

static Err take_mode(struct ctx *ctx, const struct json *velocity, struct production_request *ret)
{
    Str mode = STR_NONE;
    TRY(json_take_str(ctx, velocity, "mode", MODE_MAX, &mode));
    ret->has_mode = mode.len > 0;
    if (ret->has_mode && !velocity_mode_parse(mode, &ret->mode))
        return factory_refuse(ctx, "velocity.mode",
                              "velocity.mode has to be STEADY, RAMP_UP or SPIKES");
    return OK;
}

static Err take_velocity(struct ctx *ctx, const struct json *velocity,
                         struct production_request *ret)
{
    int64_t jitter = 0;
    int64_t seed = 0;
    TRY(take_mode(ctx, velocity, ret));
    TRY(json_take_bool(ctx, velocity, "weekend_throttle", &ret->throttles_weekends));
    TRY(json_take_int(ctx, velocity, "jitter_minutes", 0, VELOCITY_JITTER_MAX, &jitter));
    TRY(json_take_bool(ctx, velocity, "business_hours", &ret->is_business));
    TRY(json_take_int(ctx, velocity, "seed", 0, SEED_MAX, &seed));
    ret->has_throttle = has(velocity, STR("weekend_throttle"));
    ret->has_jitter = has(velocity, STR("jitter_minutes"));
    ret->has_hours = has(velocity, STR("business_hours"));
    ret->has_seed = has(velocity, STR("seed"));
    ret->jitter_minutes = (uint32_t)jitter;
    ret->seed = (uint64_t)seed;
    return OK;
}

static Err body_read(struct ctx *ctx, const struct json *body, struct production_request *ret)
{
    *ret = (struct production_request){.is_test_first = true};
    int64_t total = 0;
    TRY(json_take_int(ctx, body, "total_articles", 1, VELOCITY_TOTAL_MAX, &total));
    if (total == 0)
        return factory_refuse(ctx, "total_articles", "total_articles is required");
    ret->total = (uint32_t)total;
    TRY(json_take_bool(ctx, body, "test_batch_first", &ret->is_test_first));
    const struct json *range;
    const struct json *velocity;
    TRY(take_part(ctx, body, "date_range", &range));
    TRY(take_part(ctx, body, "velocity", &velocity));
    TRY(take_bound(ctx, range, "start", &ret->start));
    TRY(take_bound(ctx, range, "end", &ret->until));
    return take_velocity(ctx, velocity, ret);
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

fiber_fn Err schedule_post(struct ctx *ctx, const struct request *request, struct reply *reply)
{
    TRY(factory_check_write(ctx));
    const struct json *body;
    TRY(request_object(ctx, request, &body));
    struct production_request wanted;
    TRY(body_read(ctx, body, &wanted));
    TRY(factory_enter_campaign(ctx, body, &wanted.campaign));
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
