/*
 * Articles on request: one immediately, or a batch that workers generate. A batch is a row of
 * generation_jobs, which shows its progress to editors, and the jobs it is split into, all inserted
 * in one transaction.
 */
#pragma once

#include "factory/articles/article_store.h"
#include "jobs/queue/job_kind.h"

enum {
    GENERATION_JOBS_MAX = 5000, /* jobs that one request may enqueue */
};
extern const struct job_kind JOB_GENERATE_ARTICLES;

struct generation_request {
    Uuid campaign;
    uint32_t batch_size; /* articles per job, 1 … ARTICLE_BATCH_MAX */
    uint32_t total;
    struct avatar_choice avatar; /* zeroed: the campaign's */
};

/* ERR_NOT_FOUND, ERR_CONFLICT (the campaign is not active), ERR_TOO_LARGE. */
fiber_fn Err generation_start(struct ctx *ctx, const struct generation_request *request,
                              Uuid *ret_id, uint32_t *ret_jobs);

/* Makes one article now. `headline` empty: from the campaign's next available headline; *ret_made
 * is false if there is none. ERR_CONFLICT with note "article_id": an article with this headline
 * exists. */
struct single_request {
    Uuid campaign;
    Str headline;
    Str location; /* JSON for a given headline; STR_NONE: none */
    struct avatar_choice avatar;
};
fiber_fn Err generation_single(struct ctx *ctx, const struct single_request *request,
                               struct article_draft *ret, bool *ret_made, uint64_t *ret_remaining);

/* The handler of JOB_GENERATE_ARTICLES; it finishes the job. */
fiber_fn Err generation_run(struct ctx *ctx, struct job *job);
