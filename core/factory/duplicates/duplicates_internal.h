/* Shared declarations of duplicates*.c; private to them. */
#pragma once

#include "factory/duplicates/duplicates.h"
#include "factory/duplicates/minhash.h"

struct thresholds {
    double review;
    double block;
    double containment;
    uint32_t min_shared;
};
fiber_fn Err thresholds_read(struct ctx *ctx, const struct duplicate_request *request,
                             struct thresholds *ret);

/* The shingle set of an article's text, in ctx->arena. */
struct article_set {
    Uuid id;
    int64_t touched; /* version of the text: changes with every edit */
    struct shingle_set set;
    const struct minhash *minhash; /* if requested and the set is not empty */
};
enum article_sets_want { WITHOUT_MINHASHES, WITH_MINHASHES };
/* Loads the sets of these ids, which must be ascending, in their order; deleted articles are
 * omitted. An offload thread parses the texts, so that the event loop is not blocked. */
fiber_fn Err article_sets_load(struct ctx *ctx, const Uuid *ids, uint32_t count, uint32_t words,
                               enum article_sets_want want, struct article_set *ret,
                               uint32_t *ret_count);
/* Runs fn(arg) in an offload thread, or in this thread if there is none (as in tests). */
fiber_fn Err duplicates_offload(struct ctx *ctx, void (*fn)(void *arg), void *arg);

/* Stores signatures, also for articles without text, so that they are not read again. Skips
 * articles that were edited after they were read. */
fiber_fn Err signatures_store(struct ctx *ctx, const struct article_set *sets, uint32_t count);

/* Whether the pair is a duplicate, and how similar it is. */
bool is_duplicate(const struct thresholds *thresholds, const struct shingle_set *a,
                  const struct shingle_set *b, struct shingle_match *ret);

/* At most DUPLICATE_FLAGS_PAGE per call. */
enum { DUPLICATE_FLAGS_PAGE = 500 };
fiber_fn Err duplicate_flags_store(struct db_tx *tx, const struct thresholds *thresholds, Str batch,
                                   const struct duplicate *list, uint32_t count,
                                   uint32_t *ret_created);
fiber_fn Err duplicates_log(struct db_tx *tx, const struct duplicate_report *report, Str batch);

/* The next ids of the request after `after`, ascending; less than a page: the last one. */
enum { DUPLICATE_IDS_PAGE = 1000, SIGNATURES_PAGE = 2000 };
fiber_fn Err duplicate_ids_page(struct ctx *ctx, const struct duplicate_request *request,
                                Uuid after, Uuid ret[DUPLICATE_IDS_PAGE], uint32_t *ret_count);

/* The scan as a job. ERR_CONFLICT: one of these articles is waiting or running already. */
fiber_fn Err duplicates_enqueue(struct ctx *ctx, const struct duplicate_request *request,
                                int64_t *ret_job);
