/*
 * Whose fault a dead worker was. Each worker slot has a page, DATA/run/worker-<slot>, named to the
 * worker by SPARK_WORKER_PAGE (jobs/crash_page.h says what is on it). The page outlives the worker,
 * whatever killed it, and so tells the job that was on the CPU apart from its neighbours that only
 * waited.
 */
#pragma once

#include "cli/places.h"

/* Makes the slot's page, or empties it, before a worker starts. */
Err crash_page_make(struct ctx *ctx, const struct places *places, uint32_t slot,
                    const char **ret_path);

/*
 * Called when a worker ended otherwise than with code 0. Ends its lease in the database at once and
 * names the job, if one was on the CPU, so that the steward charges it without waiting for the
 * lease. If the database cannot be reached, the lease runs out by itself: nothing is lost but time.
 */
Err crash_report(struct ctx *ctx, const struct places *places, uint32_t slot);
