/*
 * Retention: tables that lose their oldest rows. Their owners register them at start
 * (app/compose.c); a schedule looks for rows that are too old, and a job of kind "retention"
 * deletes those of one table: whole months of a table that is partitioned by month, batches of
 * another.
 */
#pragma once

#include "base/settings/settings.h"
#include "io/pg/db.h"
#include "jobs/queue/job_kind.h"
#include "jobs/steward/schedule.h"

enum { RETENTION_TABLES_MAX = 16 };

struct retention_table {
    Str name; /* in the schema public or spark */
    /* Retention in days, 0: forever. NULL: only on request. */
    int64_t (*days)(const struct settings *settings);
    /* Deletes one batch, with the parameters and columns of activity_trim (retention.sql). NULL:
     * the table is partitioned by month. */
    const struct statement *trim;
};

/* Before the threads start; `table` must live as long as the process. */
void retention_add(const struct retention_table *table);

/* Creates the partitions of the coming months, and enqueues a job for each table that is due, in
 * the order of their registration. */
extern const struct schedule RETENTION_SCHEDULE;

/* Deletes the rows of one table, or drops its months, that are older than a number of days. */
extern const struct job_kind JOB_RETENTION;
