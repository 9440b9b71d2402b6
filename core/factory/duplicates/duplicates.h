/*
 * The duplicate scan of one site: pairs of articles that say much the same, as quality_flags.
 *
 * A pair is flagged when it shares `min_shared` shingles and either its Jaccard similarity is at
 * least `review`, or one article holds the site's share (duplicate_containment) of the other. From
 * the site's duplicate_block on the flag's verdict is "block". Shared shingles alone say nothing:
 * articles put together from one library nearly all have some.
 *
 * Up to DUPLICATES_DIRECT_MAX articles are compared at once, every pair exactly. More is a job:
 * signatures (stored, so that a scan of the whole site reads the texts of new articles alone),
 * candidates (near_pairs.h), and the exact comparison of the likest of those, at most
 * DUPLICATES_FLAGS_MAX: what one scan has no room for is no more alike than what it flags. While
 * one page waits for PostgreSQL another is read or compared in an offload thread. Work grows with
 * the number of articles, not of pairs.
 *
 * Memory of a job: 850 bytes an article, up to a kilobyte a flag, and 50 MB of texts, 200 a page:
 * 180 MB for 100,000 articles with 2,000 flags, 270 MB where there are 100,000 flags.
 *
 * Everything here is in ctx->scope, which must be SITE.
 */
#pragma once

#include "factory/duplicates/shingle.h"
#include "jobs/queue/job_kind.h"

enum {
    DUPLICATES_DIRECT_MAX = 100,
    DUPLICATES_IDS_MAX = 1000,            /* that a request may name */
    DUPLICATES_ARTICLES_MAX = 500 * 1000, /* of one job */
    DUPLICATES_FLAGS_MAX = 100 * 1000,    /* of one job */
};
extern const struct job_kind JOB_SCAN_DUPLICATES;

struct duplicate_request {
    double review;      /* 0: the site's */
    int64_t min_shared; /* at least 1 */
    int64_t words;      /* a shingle; a job's are SHINGLE_WORDS */
    Uuid queue;         /* its articles */
    const Uuid *ids;    /* or these; neither: the whole site */
    uint32_t id_count;
};

struct duplicate {
    Uuid a;
    Uuid b;
    struct shingle_match match;
    Str examples;
};

struct duplicate_report {
    uint32_t scanned;
    uint32_t found;
    uint32_t created; /* flags that were not there before */
    bool is_cut_off;  /* there were more candidates than DUPLICATES_FLAGS_MAX */
    const struct duplicate *list;
};

/* The scan at once: ret_job is 0. Or, of more than DUPLICATES_DIRECT_MAX articles, the job that
 * will do it. ERR_NOT_FOUND: an article or the queue is not this site's; ERR_CONFLICT: such a job
 * is waiting or running already. */
fiber_fn Err duplicates_scan(struct ctx *ctx, const struct duplicate_request *request,
                             struct duplicate_report *ret, int64_t *ret_job);

/* A job of kind scan-duplicates: finishes it. */
fiber_fn Err duplicates_run(struct ctx *ctx, struct job *job);
