#include "app/compose.h"

#include "access/identity/admin_user.h"
#include "base/memory/array.h"
#include "content/changes/changes.h"
#include "content/items/items.h"
#include "content/run/run.h"
#include "content/system/system.h"
#include "factory/articles/generate.h"
#include "factory/articles/guards.h"
#include "factory/duplicates/duplicates.h"
#include "factory/headlines/headline_store.h"
#include "factory/links/links_store.h"
#include "factory/production/production.h"
#include "factory/review/review.h"
#include "gen/sql.h"
#include "io/pg/db_error.h"
#include "jobs/queue/job_kind.h"
#include "jobs/retention/retention.h"
#include "jobs/steward/schedule.h"
#include "visitors/outbound/outbound.h"
#include "visitors/tracking/tracking.h"

static const struct job_kind *const KINDS[] = {
    &JOB_BENCH_NOOP,      &JOB_RETENTION,       &JOB_GENERATE_ARTICLES,  &JOB_GENERATE_HEADLINES,
    &JOB_PROCESS_QUEUE,   &JOB_SCAN_DUPLICATES, &JOB_INSERT_LINKS,       &JOB_PUBLISH_DUE,
    &JOB_DELIVER_WEBHOOK, &JOB_DELIVER_MAIL,    &JOB_DELIVER_CONVERSION, &JOB_DELIVER_INVITATION,
};

/* Content knows nothing of the steward. */
static const struct schedule CHANGES_SCHEDULE = {
    .name = "changes", .every_us = 10 * 1000 * 1000, .turn = changes_trim};

/* In the order in which the steward runs them. */
static const struct schedule *const SCHEDULES[] = {&PUBLISH_SCHEDULE, &RETENTION_SCHEDULE,
                                                   &CHANGES_SCHEDULE};

static const struct db_error_rule *const ERRORS[] = {
    &FENCE_ERROR, &AMBIGUOUS_KEY_ERROR, &GATE_ERROR,
    &MOVE_ERROR,  &LAST_ADMIN_ERROR,    &ROLE_CIRCLE_ERROR,
};

static int64_t work_log_days(const struct settings *settings)
{
    return settings->work_log_retention_d;
}

static int64_t activity_days(const struct settings *settings)
{
    return settings->activity_retention_d;
}

static int64_t revisions_days(const struct settings *settings)
{
    return settings->revisions_retention_d;
}

/* They belong to modules that stand below the job queue, or know nothing of it. Revisions go before
 * the activity they belong to. */
static const struct retention_table RETENTION[] = {
    {STR_INIT("work_log"), work_log_days, NULL},
    {STR_INIT("job_logs"), NULL, NULL},
    {STR_INIT("directus_revisions"), revisions_days, &SQL_REVISIONS_TRIM},
    {STR_INIT("directus_activity"), activity_days, &SQL_ACTIVITY_TRIM},
};

void compose(void)
{
    for (size_t i = 0; i < COUNT_OF(ERRORS); i++)
        db_error_add(ERRORS[i]);
    for (size_t i = 0; i < COUNT_OF(KINDS); i++)
        job_kind_add(KINDS[i]);
    for (size_t i = 0; i < COUNT_OF(SCHEDULES); i++)
        schedule_add(SCHEDULES[i]);
    for (size_t i = 0; i < COUNT_OF(RETENTION); i++)
        retention_add(&RETENTION[i]);
    for (size_t i = 0; i < COUNT_OF(TRACKING_RETENTION); i++)
        retention_add(&TRACKING_RETENTION[i]);
    system_set_rules();
    factory_guard_items();
    items_announce_changes();
}
