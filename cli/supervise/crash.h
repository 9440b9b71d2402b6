/*
 * Whose fault a dead server or worker was. Each has a page, DATA/run/<name>, named to it by
 * SPARK_CRASH_PAGE (jobs/queue/crash_page.h says what is on it). The page outlives the process,
 * whatever killed it: it tells the job that was on the CPU apart from its neighbours that only
 * waited, and the extension whose code had been entered.
 */
#pragma once

#include "cli/places/places.h"

struct crash {
    const char *extension; /* that ended the process: its names, "a" or "file,a"; NULL: none */
    const char *how;       /* "was ended by signal 6 (Aborted)" */
};

/* Makes the page of "server" or "worker-1", or empties it, before the process starts. */
Err crash_page_make(struct ctx *ctx, const struct places *places, const char *name,
                    const char **ret_path);

/* What became of it, of waitpid's status. */
void crash_read(struct ctx *ctx, const struct places *places, const char *name, int status,
                struct crash *ret);

/*
 * Called when a worker ended otherwise than with code 0. Ends its lease in the database at once and
 * names the job, if one was on the CPU, and what happened, so that the steward charges it without
 * waiting for the lease. If the database cannot be reached, the lease runs out by itself: nothing
 * is lost but time.
 */
Err crash_report(struct ctx *ctx, const struct places *places, const char *name, const char *how);
