/*
 * The duplicate scan of one site: stores pairs of similar articles as quality_flags.
 *
 * A pair is flagged if it shares at least `min_shared` shingles and either its Jaccard similarity
 * is at least `review`, or one article contains the site's share (duplicate_containment) of the
 * other. From the site's duplicate_block on, the flag's verdict is "block". Shared shingles alone
 * are not enough: nearly all articles that are assembled from one library have some in common.
 *
 * Up to DUPLICATES_DIRECT_MAX articles are compared immediately, every pair exactly. More become a
 * job: signatures (stored, so that a scan of the whole site reads only the texts of new articles),
 * candidates (near_pairs.h), and the exact comparison of the most similar candidates, at most
 * DUPLICATES_FLAGS_MAX. While one page waits for PostgreSQL, an offload thread parses or compares
 * another. The work grows with the number of articles, not of pairs.
 *
 * Memory of a job: 850 bytes per article, up to one kilobyte per flag, and 50 MB for texts, 200 per
 * page: 180 MB for 100,000 articles with 2,000 flags, 270 MB with 100,000 flags.
 *
 * ctx->scope must be SITE.
 */
#pragma once

#include "factory/duplicates/shingle.h"
#include "jobs/queue/job_kind.h"

enum {
    DUPLICATES_DIRECT_MAX = 100,
    DUPLICATES_IDS_MAX = 1000,            /* maximum in a request */
    DUPLICATES_ARTICLES_MAX = 500 * 1000, /* per job */
    DUPLICATES_FLAGS_MAX = 100 * 1000,    /* per job */
};
extern const struct job_kind JOB_SCAN_DUPLICATES;

struct duplicate_request {
    double review;      /* 0: the site's setting */
    int64_t min_shared; /* at least 1 */
    int64_t words;      /* words per shingle; a job uses SHINGLE_WORDS */
    Uuid queue;         /* scan the articles of this queue */
    const Uuid *ids;    /* or these articles; neither: the whole site */
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
    uint32_t created; /* new flags */
    bool is_cut_off;  /* there were more than DUPLICATES_FLAGS_MAX candidates */
    const struct duplicate *list;
};

/* Scans immediately, and *ret_job is 0; or, for more than DUPLICATES_DIRECT_MAX articles, enqueues
 * a job. ERR_NOT_FOUND: an article or the queue does not belong to the site. ERR_CONFLICT: such a
 * job is waiting or running. */
fiber_fn Err duplicates_scan(struct ctx *ctx, const struct duplicate_request *request,
                             struct duplicate_report *ret, int64_t *ret_job);

/* The handler of scan-duplicates; it finishes the job. */
fiber_fn Err duplicates_run(struct ctx *ctx, struct job *job);
