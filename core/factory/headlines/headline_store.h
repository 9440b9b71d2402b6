/*
 * Counts, previews and stores a campaign's headlines. They are numbered as in
 * factory/headlines/headline_space.h; the campaign stores the next number, where the next run
 * continues.
 */
#pragma once

#include "factory/articles/campaign.h"
#include "jobs/queue/job_kind.h"

enum {
    HEADLINES_RUN_DEFAULT = 10000,
    HEADLINES_RUN_MAX = 1000000, /* per call or job */
    HEADLINES_SYNC_MAX = 250000, /* per synchronous call; more is a job */
    HEADLINES_CHUNK = 2500,      /* rows per statement, which is also a transaction */
    HEADLINES_WRITERS = 4,       /* chunks in flight */
    HEADLINES_PAGE = 100,        /* texts in a response */
    HEADLINES_PREVIEW_MAX = 1000,
    HEADLINE_TITLE_MAX = 500,    /* length of the column in characters */
    HEADLINE_PATTERNS_MAX = 100, /* keys per request */
    HEADLINE_PARTS_MAX = 1000,   /* groups and names in a template: a title has 500 characters */
    HEADLINE_SOURCES_MAX = 1000, /* formulas */
    HEADLINE_PATTERN_KEY_MAX = 255,
};
extern const struct job_kind JOB_GENERATE_HEADLINES;

/* A formula, or the campaign's template (then pattern and id are empty). */
struct headline_origin {
    Str pattern;
    Str id;
    Str formula;
    uint64_t texts; /* of the formula alone */
    uint32_t niches;
    uint32_t locations;
    uint64_t total;
};

struct headline_numbers {
    Str template;
    uint32_t slots; /* choices in the template, including dictionaries; the sum over all formulas */
    uint64_t combinations; /* of the templates only */
    uint32_t locations;
    uint64_t total;
    const struct headline_origin *origins; /* one per formula; none for a template */
    uint32_t origin_count;
};

struct headline_run {
    Str spintax_root; /* empty: the campaign's */
    const Str *patterns;
    uint32_t pattern_count; /* keys; a single "*": all; 0: those of the campaign */
    uint64_t max;
    bool has_offset;
    uint64_t offset; /* default: where the last run stopped */
};

struct headline_result {
    struct headline_numbers numbers;
    uint64_t offset;
    uint64_t next_offset;
    uint64_t processed;
    uint64_t inserted;
    uint64_t existed; /* the others that were not inserted were too long */
    bool was_truncated;
    Str page; /* JSON array: the first inserted headlines */
};

/* ERR_INVALID_SPINTAX, ERR_FAILED_VALIDATION (no template, no such pattern). If the request's time
 * runs out, stops early and returns the counts so far and the next offset. */
fiber_fn Err headlines_generate(struct ctx *ctx, const struct campaign *campaign,
                                const struct headline_run *run, struct headline_result *ret);

/* Returns the first `count` texts and the number of stored ones; writes nothing. */
fiber_fn Err headlines_preview(struct ctx *ctx, const struct campaign *campaign,
                               const struct headline_run *run, uint32_t count,
                               struct headline_numbers *ret_numbers, uint64_t *ret_stored,
                               Str *ret_page);

/* The same in a worker: inserts a batch, which editors can watch (generation_jobs), and its job in
 * one transaction. */
fiber_fn Err headlines_queue(struct ctx *ctx, const struct campaign *campaign,
                             const struct headline_run *run, Uuid *ret_batch);
fiber_fn Err headlines_job_run(struct ctx *ctx, struct job *job);
