/*
 * Retention: tables that are partitioned by month and lose their oldest months. Their owners
 * register them at start (app/compose.c); a schedule looks for months that are too old, and a job
 * of kind "retention" drops those of one table.
 */
#pragma once

#include "base/settings/settings.h"
#include "jobs/queue/job_kind.h"
#include "jobs/steward/schedule.h"

enum { RETENTION_TABLES_MAX = 16 };

struct retention_table {
    Str name; /* in the schema public or spark */
    /* Retention in days, 0: forever. NULL: only on request. */
    int64_t (*days)(const struct settings *settings);
};

/* Before the threads start; `table` must live as long as the process. */
void retention_add(const struct retention_table *table);

/* Creates the partitions of the coming months, and enqueues a job for each table that is due. */
extern const struct schedule RETENTION_SCHEDULE;

/* Drops the months of one table that ended more than a number of days ago. */
extern const struct job_kind JOB_RETENTION;
