/* What duplicates*.c share. Private to them. */
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

/* An article's text as a set, in ctx->arena. */
struct article_set {
    Uuid id;
    int64_t touched; /* changes with every edit */
    struct shingle_set set;
    const struct minhash *minhash; /* where it was asked for, of a set that is not empty */
};
enum article_sets_want { WITHOUT_MINHASHES, WITH_MINHASHES };
/* Of these ids, in their order, which is ascending; those that are gone are left out. The texts are
 * read in an offload thread, so that the loop, and with it PostgreSQL, goes on meanwhile. */
fiber_fn Err article_sets_load(struct ctx *ctx, const Uuid *ids, uint32_t count, uint32_t words,
                               enum article_sets_want want, struct article_set *ret,
                               uint32_t *ret_count);
/* fn(arg) there, or here when there is none (as in tests). */
fiber_fn Err duplicates_offload(struct ctx *ctx, void (*fn)(void *arg), void *arg);

/* Also of those without a text, so that they are not read again. Not of those that somebody has
 * edited since they were read. */
fiber_fn Err signatures_store(struct ctx *ctx, const struct article_set *sets, uint32_t count);

/* Whether the pair is one, and how much. */
bool is_duplicate(const struct thresholds *thresholds, const struct shingle_set *a,
                  const struct shingle_set *b, struct shingle_match *ret);

/* At most DUPLICATE_FLAGS_PAGE of them. */
enum { DUPLICATE_FLAGS_PAGE = 500 };
fiber_fn Err duplicate_flags_store(struct db_tx *tx, const struct thresholds *thresholds, Str batch,
                                   const struct duplicate *list, uint32_t count,
                                   uint32_t *ret_created);
fiber_fn Err duplicates_log(struct db_tx *tx, const struct duplicate_report *report, Str batch);

/* The next ids after `after` that the request means, ascending; fewer than a page: the last. */
enum { DUPLICATE_IDS_PAGE = 1000, SIGNATURES_PAGE = 2000 };
fiber_fn Err duplicate_ids_page(struct ctx *ctx, const struct duplicate_request *request,
                                Uuid after, Uuid ret[DUPLICATE_IDS_PAGE], uint32_t *ret_count);

/* The scan as a job. ERR_CONFLICT: one of these articles is waiting or running already. */
fiber_fn Err duplicates_enqueue(struct ctx *ctx, const struct duplicate_request *request,
                                int64_t *ret_job);
