/*
 * Articles on demand: one at once, from a headline or assembled of modules without one, or a batch
 * that workers make. The batch is a row of generation_jobs, which an editor watches, and the jobs
 * it is cut into, all in one transaction.
 */
#pragma once

#include "factory/articles/article_store.h"
#include "jobs/queue/job_kind.h"

enum {
    GENERATION_JOBS_MAX = 5000, /* jobs that one request may queue */
};
extern const struct job_kind JOB_GENERATE_ARTICLES;

struct generation_request {
    Uuid campaign;
    uint32_t batch_size; /* 1 … ARTICLE_BATCH_MAX articles a job */
    uint32_t total;
    struct avatar_choice avatar; /* zeroed: the campaign's */
};

/* ERR_NOT_FOUND, ERR_CONFLICT (the campaign is not active), ERR_TOO_LARGE. */
fiber_fn Err generation_start(struct ctx *ctx, const struct generation_request *request,
                              Uuid *ret_id, uint32_t *ret_jobs);

/* One article now. `headline` empty: the campaign's next free one; then *ret_made is false when
 * there is none. A headline that was used already is ERR_CONFLICT with note "article_id". */
struct single_request {
    Uuid campaign;
    Str headline;
    Str location; /* JSON for a given headline; STR_NONE: none */
    struct avatar_choice avatar;
};
fiber_fn Err generation_single(struct ctx *ctx, const struct single_request *request,
                               struct article_draft *ret, bool *ret_made, uint64_t *ret_remaining);

/* One now, with a place and days but no headline, of modules by the campaign's recipe. */
struct assemble_request {
    Uuid campaign;
    struct geo_location location;
    bool has_publish, has_modified;
    int64_t publish_us;  /* default: now */
    int64_t modified_us; /* default: publish_us */
    const struct avatar_choice *avatar;
};

struct assembled_article {
    struct article_draft draft;
    const struct article_plan *plan;
    int64_t publish_us;
    int64_t modified_us;
    const Str *missing; /* types of the recipe for which the site has no active module */
    uint32_t missing_count;
    Str warning; /* about dates in the past; STR_NONE: none */
};

/* ERR_NOT_FOUND; ERR_CONFLICT: the campaign is not active, or no module of its recipe is;
 * ERR_FAILED_VALIDATION: dates that the site may not have. */
fiber_fn Err article_assemble_now(struct ctx *ctx, const struct assemble_request *request,
                                  struct assembled_article *ret);

/* A job of JOB_GENERATE_ARTICLES: finishes it. */
fiber_fn Err generation_run(struct ctx *ctx, struct job *job);
