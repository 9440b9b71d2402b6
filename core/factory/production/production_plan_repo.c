#include "access/audit/audit.h"
#include "base/json/json_writer.h"
#include "base/system/clock.h"
#include "factory/articles/campaign.h"
#include "factory/production/production.h"
#include "gen/sql.h"

#include <assert.h>
#include <inttypes.h>

#define DAY_US (INT64_C(86400) * SECOND_US)
enum { RANGE_DAYS_DEFAULT = 30, SLOTS_PER_INSERT = 5000 };

/* The limits and dates of the schedule, from the database. */
struct window {
    Uuid owner;
    bool is_backdating;
    int64_t earliest_us;
    int64_t now_us;
    bool has_start, has_until;
    int64_t start_us, until_us;
};

/* Range */

static DbArg date_of(const struct production_bound *bound)
{
    return db_text_z(bound->date);
}

static DbArg instant_of(const struct production_bound *bound)
{
    return bound->has_instant ? db_time(bound->instant_us) : db_null();
}

static void take_velocity(struct ctx *ctx, const struct production_request *request,
                          const struct rows *rows, struct production_plan *plan)
{
    struct velocity_plan *velocity = &plan->velocity;
    velocity->mode = request->mode;
    if (!request->has_mode &&
        !velocity_mode_parse(row_text(rows, 0, PRODUCTION_WINDOW_MODE), &velocity->mode))
        velocity->mode = VELOCITY_STEADY;
    velocity->throttles_weekends = request->has_throttle
                                       ? request->throttles_weekends
                                       : row_bool(rows, 0, PRODUCTION_WINDOW_WEEKEND_THROTTLE);
    velocity->jitter_minutes = request->has_jitter
                                   ? request->jitter_minutes
                                   : (uint32_t)row_int(rows, 0, PRODUCTION_WINDOW_JITTER);
    plan->is_business = request->has_hours ? request->is_business
                                           : row_bool(rows, 0, PRODUCTION_WINDOW_BUSINESS_HOURS);
    velocity->hours = velocity_hours(plan->is_business);
    velocity->total = request->total;
    enum { JSON_EXACT_BITS = 53 };
    Uuid random = uuid_make();
    uint64_t seed = str_hash_stable(str_of((const char *)random.bytes, sizeof random.bytes));
    velocity->seed = request->has_seed ? request->seed : seed >> (64 - JSON_EXACT_BITS);
    plan->time_zone = str_dup(ctx->arena, row_text(rows, 0, PRODUCTION_WINDOW_TIME_ZONE));
}

static fiber_fn Err window_load(struct ctx *ctx, const struct production_request *request,
                                struct production_plan *plan, struct window *ret)
{
    struct rows rows;
    TRY(db_query(ctx, &SQL_PRODUCTION_WINDOW,
                 ARGS(db_uuid(ctx->scope.site), db_uuid(request->campaign),
                      date_of(&request->start), instant_of(&request->start),
                      date_of(&request->until), instant_of(&request->until)),
                 &rows));
    if (rows.count == 0)
        return fail(ctx, ERR_NOT_FOUND, "There is no such campaign.");
    Str status = row_text(&rows, 0, PRODUCTION_WINDOW_STATUS);
    struct campaign campaign = {.id = request->campaign, .status = status};
    TRY(campaign_check_active(ctx, &campaign));
    take_velocity(ctx, request, &rows, plan);
    *ret = (struct window){
        .owner = row_uuid(&rows, 0, PRODUCTION_WINDOW_OWNER),
        .is_backdating = row_bool(&rows, 0, PRODUCTION_WINDOW_BACKDATING),
        .earliest_us = row_time(&rows, 0, PRODUCTION_WINDOW_EARLIEST),
        .now_us = row_time(&rows, 0, PRODUCTION_WINDOW_NOW),
        .has_start = !row_is_null(&rows, 0, PRODUCTION_WINDOW_START),
        .has_until = !row_is_null(&rows, 0, PRODUCTION_WINDOW_UNTIL),
        .start_us = row_time(&rows, 0, PRODUCTION_WINDOW_START),
        .until_us = row_time(&rows, 0, PRODUCTION_WINDOW_UNTIL),
    };
    return OK;
}

static void warn(struct production_plan *plan, Str sentence)
{
    assert(plan->warning_count < PRODUCTION_WARNINGS_MAX);
    plan->warnings[plan->warning_count++] = sentence;
}

/* Moves the start to now unless the site allows backdating, and never before the domain's age
 * allows; adds a warning in either case. */
static void settle_start(const struct window *window, struct production_plan *plan)
{
    int64_t from_us = window->is_backdating ? window->earliest_us : window->now_us;
    if (window->has_start)
        from_us = window->start_us;
    if (!window->is_backdating && from_us < window->now_us) {
        /* a range that starts today is not in the past */
        if (from_us < window->now_us - DAY_US)
            warn(plan, STR("The range starts in the past and backdating is off for this site, so "
                           "the plan starts now."));
        from_us = window->now_us;
    }
    if (from_us < window->earliest_us) {
        warn(plan, STR("The range starts before the domain's age allows, so the plan starts at "
                       "the earliest day that it does."));
        from_us = window->earliest_us;
    }
    if (from_us < window->now_us)
        warn(plan, STR("Articles dated before today mislead readers and search engines about when "
                       "they were written. date_created keeps the true time."));
    plan->velocity.from_us = from_us;
}

static Err settle_range(struct ctx *ctx, const struct window *window, struct production_plan *plan)
{
    settle_start(window, plan);
    struct velocity_plan *velocity = &plan->velocity;
    bool is_past = velocity->from_us < window->now_us;
    velocity->until_us = is_past ? window->now_us : velocity->from_us + RANGE_DAYS_DEFAULT * DAY_US;
    if (window->has_until)
        velocity->until_us = window->until_us;
    Err err = OK;
    if (window->has_start && window->has_until && window->until_us <= window->start_us)
        err = fail(ctx, ERR_FAILED_VALIDATION, "date_range.end must be after date_range.start");
    else if (velocity->until_us <= velocity->from_us)
        err = fail(ctx, ERR_FAILED_VALIDATION,
                   "date_range lies in the past, where this site may not schedule: "
                   "sites.backdating_allowed and the domain's age decide");
    else if (velocity->until_us - velocity->from_us > VELOCITY_DAYS_MAX * DAY_US)
        err = fail(ctx, ERR_FAILED_VALIDATION, "date_range may span at most %d days",
                   VELOCITY_DAYS_MAX);
    if (err != OK)
        fail_note(ctx, "field", STR("date_range"));
    return err;
}

static fiber_fn Err days_load(struct ctx *ctx, struct production_plan *plan)
{
    struct velocity_plan *velocity = &plan->velocity;
    struct rows rows;
    TRY(db_query(ctx, &SQL_PRODUCTION_DAYS,
                 ARGS(db_text(plan->time_zone), db_time(velocity->from_us),
                      db_time(velocity->until_us), db_int4((int32_t)velocity->hours.opens),
                      db_int4((int32_t)velocity->hours.closes)),
                 &rows));
    if (rows.count > VELOCITY_DAYS_MAX)
        return fail(ctx, ERR_FAILED_VALIDATION, "date_range may span at most %d days",
                    VELOCITY_DAYS_MAX);
    struct velocity_day *days = arena_array(ctx->arena, struct velocity_day, rows.count);
    Str *dates = arena_array(ctx->arena, Str, rows.count);
    for (uint32_t i = 0; i < rows.count; i++) {
        days[i] = (struct velocity_day){
            .opens_us = row_time(&rows, i, PRODUCTION_DAYS_OPENS),
            .closes_us = row_time(&rows, i, PRODUCTION_DAYS_CLOSES),
            .is_weekend = row_bool(&rows, i, PRODUCTION_DAYS_IS_WEEKEND),
        };
        dates[i] = row_text(&rows, i, PRODUCTION_DAYS_DATE);
    }
    velocity->days = days;
    velocity->day_count = rows.count;
    plan->dates = dates;
    return OK;
}

/* Storing */

/* The parameters of the schedule; with the seed they give the same dates again. */
static Str schedule_json(struct ctx *ctx, const struct production_plan *plan)
{
    enum { SCHEDULE_MAX = 4096 };
    const struct velocity_plan *velocity = &plan->velocity;
    struct buf *out = buf_in_arena(ctx->arena, SCHEDULE_MAX);
    struct json_writer w = json_writer(out);
    json_object_begin(&w);
    json_field_str(&w, "start", clock_iso(ctx->arena, velocity->from_us));
    json_field_str(&w, "end", clock_iso(ctx->arena, velocity->until_us));
    json_field_str(&w, "time_zone", plan->time_zone);
    json_field_str(&w, "mode", velocity_mode_name(velocity->mode));
    json_field_bool(&w, "weekend_throttle", velocity->throttles_weekends);
    json_field_int(&w, "jitter_minutes", velocity->jitter_minutes);
    json_field_bool(&w, "business_hours", plan->is_business);
    json_field_int(&w, "seed", (int64_t)velocity->seed);
    json_object_end(&w);
    return buf_str(out);
}

static fiber_fn Err slots_store(struct ctx *ctx, struct db_tx *tx,
                                const struct production_plan *plan)
{
    uint32_t total = plan->velocity.total;
    Uuid *ids = arena_array(ctx->arena, Uuid, SLOTS_PER_INSERT);
    int64_t *positions = arena_array(ctx->arena, int64_t, SLOTS_PER_INSERT);
    for (uint32_t first = 0; first < total; first += SLOTS_PER_INSERT) {
        uint32_t count = total - first < SLOTS_PER_INSERT ? total - first : SLOTS_PER_INSERT;
        for (uint32_t i = 0; i < count; i++) {
            ids[i] = uuid_make();
            positions[i] = first + i;
        }
        TRY(db_tx_query(tx, &SQL_SLOTS_CREATE,
                        ARGS(db_uuid(ctx->scope.site), db_uuid(plan->queue),
                             db_uuid_array(ctx->arena, ids, count),
                             db_int_array(ctx->arena, positions, count),
                             db_int_array(ctx->arena, plan->times + first, count)),
                        NULL));
    }
    return OK;
}

static fiber_fn Err log_schedule(struct ctx *ctx, struct db_tx *tx, Uuid campaign,
                                 const struct production_plan *plan)
{
    Str id = uuid_text(ctx->arena, campaign);
    struct audit audit = {
        .action = STR("schedule_created"),
        .entity_type = STR("production_queue"),
        .entity_id = uuid_text(ctx->arena, plan->queue),
        .details = str_printf(ctx->arena, "{\"articles\":%" PRIu32 ",\"campaign_id\":\"%.*s\"}",
                              plan->velocity.total, STR_FMT(id)),
    };
    return audit_write(tx, &audit);
}

static fiber_fn Err plan_store(struct ctx *ctx, const struct production_request *request,
                               Uuid owner, struct production_plan *plan)
{
    plan->queue = uuid_make();
    plan->status = request->is_test_first ? STR("test_batch") : STR("pending");
    SCOPED_TX struct db_tx tx = {0};
    TRY(db_begin(ctx, &tx));
    TRY(db_tx_query(
        &tx, &SQL_PRODUCTION_CREATE,
        production_create_args(ctx->arena,
                               &(struct production_create_args){
                                   .site = ctx->scope.site,
                                   .id = plan->queue,
                                   .campaign = request->campaign,
                                   .campaign_site = owner,
                                   .status = plan->status,
                                   .total = (int32_t)request->total,
                                   .velocity_mode = velocity_mode_name(plan->velocity.mode),
                                   .schedule = schedule_json(ctx, plan),
                                   .is_test_first = request->is_test_first,
                               }),
        NULL));
    TRY(slots_store(ctx, &tx, plan));
    TRY(log_schedule(ctx, &tx, request->campaign, plan));
    return db_commit(&tx);
}

fiber_fn Err production_schedule(struct ctx *ctx, const struct production_request *request,
                                 struct production_plan *ret)
{
    assert(ctx->scope.kind == SCOPE_SITE);
    assert(request->total > 0 && request->total <= VELOCITY_TOTAL_MAX);
    struct production_plan plan = {0};
    struct window window = {0};
    TRY(window_load(ctx, request, &plan, &window));
    TRY(settle_range(ctx, &window, &plan));
    TRY(days_load(ctx, &plan));
    int64_t *times;
    uint32_t *counts;
    Err err = velocity_schedule(ctx, &plan.velocity, &times, &counts);
    if (err != OK) {
        fail_note(ctx, "field", STR("date_range"));
        return err;
    }
    plan.times = times;
    plan.counts = counts;
    TRY(plan_store(ctx, request, window.owner, &plan));
    *ret = plan;
    return OK;
}
