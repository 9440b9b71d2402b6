/*
 * A campaign's headlines: counted, looked at, and written into its inventory. The numbering is that
 * of factory/headlines/headline_space.h; how far it got is kept with the campaign, so that the next
 * run goes on.
 */
#pragma once

#include "factory/articles/campaign.h"
#include "jobs/queue/job_kind.h"

enum {
    HEADLINES_RUN_DEFAULT = 10000,
    HEADLINES_RUN_MAX = 1000000, /* one call, or one job */
    HEADLINES_SYNC_MAX = 250000, /* at once; more is a job */
    HEADLINES_CHUNK = 2500,      /* rows of a statement, which is also a commit */
    HEADLINES_WRITERS = 4,       /* chunks on their way at the same time */
    HEADLINES_PAGE = 100,        /* texts that an answer shows */
    HEADLINES_PREVIEW_MAX = 1000,
    HEADLINE_TITLE_MAX = 500,    /* characters of the column */
    HEADLINE_PATTERNS_MAX = 100, /* keys of a request */
    HEADLINE_PARTS_MAX = 1000,   /* groups and names of a template: a title has 500 characters */
    HEADLINE_SOURCES_MAX = 1000, /* formulas */
    HEADLINE_PATTERN_KEY_MAX = 255,
};
extern const struct job_kind JOB_GENERATE_HEADLINES;

/* A formula, or the campaign's template (then the first two are empty). */
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
    uint32_t slots;        /* choices in it, dictionaries included; summed over formulas */
    uint64_t combinations; /* of the templates alone */
    uint32_t locations;
    uint64_t total;
    const struct headline_origin *origins; /* of patterns; none for a template */
    uint32_t origin_count;
};

struct headline_run {
    Str spintax_root; /* empty: the campaign's own */
    const Str *patterns;
    uint32_t pattern_count; /* keys; "*" alone is all; 0: what the campaign says */
    uint64_t max;
    bool has_offset;
    uint64_t offset; /* without one: where the last run stopped */
};

struct headline_result {
    struct headline_numbers numbers;
    uint64_t offset;
    uint64_t next_offset;
    uint64_t processed;
    uint64_t inserted;
    uint64_t existed; /* the rest of what was not inserted was too long */
    bool was_truncated;
    Str page; /* JSON array: the first that were inserted */
};

/* ERR_INVALID_SPINTAX, ERR_FAILED_VALIDATION (no template, no such pattern). Ends early, with what
 * was done and where to go on, when the request's time runs out. */
fiber_fn Err headlines_generate(struct ctx *ctx, const struct campaign *campaign,
                                const struct headline_run *run, struct headline_result *ret);

/* The first `count` texts, and what is stored already; writes nothing. */
fiber_fn Err headlines_preview(struct ctx *ctx, const struct campaign *campaign,
                               const struct headline_run *run, uint32_t count,
                               struct headline_numbers *ret_numbers, uint64_t *ret_stored,
                               Str *ret_page);

/* The same as headlines_generate for a worker: a batch that an editor watches (generation_jobs) and
 * its job, in one transaction. */
fiber_fn Err headlines_queue(struct ctx *ctx, const struct campaign *campaign,
                             const struct headline_run *run, Uuid *ret_batch);
fiber_fn Err headlines_job_run(struct ctx *ctx, struct job *job);
