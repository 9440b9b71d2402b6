/*
 * Determines why a server or worker died. Each has a crash page, DATA/run/<name>, passed in
 * SPARK_CRASH_PAGE (see jobs/queue/crash_page.h). The page outlives the process: it shows which job
 * had the CPU, as opposed to jobs that were waiting, and which extension was running.
 */
#pragma once

#include "cli/places/places.h"

struct crash {
    const char *extension; /* names of the extension to blame, "a" or "file,a"; NULL: none */
    const char *how;       /* "was ended by signal 6 (Aborted)" */
};

/* Creates or clears the page of "server" or "worker-1", before the process starts. */
Err crash_page_make(struct ctx *ctx, const struct places *places, const char *name,
                    const char **ret_path);

/* Evaluates the page and waitpid's status. */
void crash_read(struct ctx *ctx, const struct places *places, const char *name, int status,
                struct crash *ret);

/*
 * Call when a worker ended with another code than 0. Ends its lease in the database immediately and
 * records the job that had the CPU, if any, and the reason, so that the steward can charge the job
 * without waiting for the lease. If the database is unreachable, the lease expires by itself: this
 * only costs time.
 */
Err crash_report(struct ctx *ctx, const struct places *places, const char *name, const char *how);
