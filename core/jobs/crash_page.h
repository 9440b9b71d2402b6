/*
 * The page that tells whose fault a dead worker was. The worker maps the file that
 * SPARK_WORKER_PAGE names; the supervisor, or whoever finds the worker dead, reads it.
 */
#pragma once

#include "base/str.h"
#include "jobs/lease.h"

struct crash_page {
    int64_t job; /* on the CPU now; 0: none */
    char incarnation[INCARNATION_MAX];
};

/* Maps the page of this process, once, and writes the incarnation; without SPARK_WORKER_PAGE a page
 * that nobody sees. Process lifetime. */
struct crash_page *crash_page_map(Str incarnation);
