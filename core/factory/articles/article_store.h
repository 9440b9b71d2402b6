/*
 * Makes articles from headlines in the caller's transaction: claims the headlines, assembles and
 * stores the articles in state "qc", and marks the headlines as used. A crash before the commit
 * leaves every headline unchanged.
 *
 * Within a transaction the usage counts include the articles made so far. Modules are also counted
 * in their table, by one statement after the articles, in the order of their ids: no count is lost,
 * and their row locks are held only until the commit.
 */
#pragma once

#include "factory/articles/article_draft.h"
#include "io/pg/db.h"

enum { ARTICLE_BATCH_MAX = 50 /* articles per transaction */ };

struct article_batch {
    const struct article_plan *plan;
    Uuid generation;           /* row of generation_jobs; nil: none */
    const int64_t *publish_us; /* by place: the date that each article's text uses. NULL: now */
    const struct assembled *assembled; /* for an article without a headline; NULL otherwise */
};

/* The properties of an article that is not made from a headline. */
struct assembled {
    int64_t publish_us;
    int64_t modified_us;
    uint64_t seed;
};

/* Makes at most `count` articles from the campaign's available headlines; fewer if there are no
 * more. ret_drafts has room for `count`; each draft has its own place from 0 to count - 1. */
fiber_fn Err articles_make(struct ctx *ctx, struct db_tx *tx, const struct article_batch *batch,
                           uint32_t count, struct article_draft *ret_drafts, uint32_t *ret_count);

/* Makes an article from a headline that the caller has claimed. *ret_made is false, and the
 * headline is retired, if the article exists already. */
fiber_fn Err article_make_from(struct ctx *ctx, struct db_tx *tx, const struct article_batch *batch,
                               const struct claimed_headline *headline,
                               struct article_draft *ret_draft, bool *ret_made);

/* Makes a draft article with the title, location and dates of batch->assembled. */
fiber_fn Err article_make_draft(struct ctx *ctx, struct db_tx *tx,
                                const struct article_batch *batch,
                                const struct claimed_headline *title,
                                struct article_draft *ret_draft);

/* Call after the commit: adds the articles' fragments to the plan's usage counts. */
void articles_count_usage(const struct article_plan *plan, const struct article_draft *drafts,
                          uint32_t count);
